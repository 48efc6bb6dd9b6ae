import t from 'tap'
import { parseMount } from '../../src/device/mount-table.ts'
import { parseMountOptions, splitOptions } from '../../src/mount/options.ts'

t.test('a list is split at commas, except escaped and quoted ones', async t => {
  t.strictSame(splitOptions('ro,noatime,,x=1'), ['ro', 'noatime', 'x=1'])
  t.strictSame(splitOptions('log=/a\\,b,ro'), ['log=/a,b', 'ro'])
  t.strictSame(splitOptions('log="/a,b",ro'), ['log=/a,b', 'ro'])
  t.strictSame(splitOptions('log=a\\\\,ro'), ['log=a\\', 'ro'])
  t.strictSame(splitOptions(''), [])
})

t.test('later options win', async t => {
  t.equal(parseMountOptions(['ro,rw']).readOnly, false)
  t.equal(parseMountOptions(['rw', 'ro']).readOnly, true)
  t.strictSame([...parseMountOptions(['nosuid,nodev,suid']).mountFlags], ['nodev'])
  t.equal(parseMountOptions(['noatime,atime']).noatime, false)
})

t.test('flags of the kernel come and go', async t => {
  for (const [on, off] of [
    ['lazytime', 'nolazytime'],
    ['nosymfollow', 'symfollow'],
    ['nodiratime', 'diratime'],
  ] as const) {
    t.strictSame([...parseMountOptions([on]).mountFlags], [on])
    t.strictSame([...parseMountOptions([`${on},${off}`]).mountFlags], [])
    t.throws(() => parseMountOptions([`${on}=1`]), { message: `-o ${on} takes no value` })
  }
})

t.test('what is left of a damaged volume is only read', async t => {
  t.equal(parseMountOptions(['ro,rescue']).rescue, true)
  t.equal(parseMountOptions(['rescue', 'ro']).rescue, true)
  t.equal(parseMountOptions(['ro']).rescue, false)
  for (const words of ['rescue', 'rescue,rw', 'ro,rescue,rw'])
    t.throws(() => parseMountOptions([words]), { message: /-o ro,rescue/ }, words)
  t.throws(() => parseMountOptions(['ro,rescue=all']), { message: '-o rescue takes no value' })
})

t.test('an untrusted image gives no privileges and no devices', async t => {
  t.strictSame([...parseMountOptions(['untrusted']).mountFlags], ['nosuid', 'nodev'])
  t.strictSame([...parseMountOptions(['untrusted,dev']).mountFlags], ['nosuid'])
  t.throws(() => parseMountOptions(['untrusted=yes']), { message: '-o untrusted takes no value' })
})

t.test('the words of fstab and systemd are accepted and do nothing', async t => {
  const words =
    'defaults,auto,noauto,user,users,_netdev,nofail,loop,comment=a,x-systemd.automount,x-gvfs-hide,X-mount.mkdir=0755,' +
    'silent,loud,nostrictatime,noiversion,nomand,noowner,nogroup,nousers'
  t.strictSame(parseMountOptions([words]), parseMountOptions([]))
})

t.test('a number is digits only', async t => {
  t.equal(parseMountOptions(['threads=16']).threads, 16)
  for (const text of ['1e1', '0x10', ' 4', '4 ', '+4', '-1', '4.0', '65', '', '0b1'])
    t.throws(() => parseMountOptions([`threads=${text}`]), /threads/, text)
})

t.test('an unknown option is an error, or noted where sloppiness was asked for', async t => {
  t.throws(() => parseMountOptions(['what']), { message: "unknown mount option 'what'" })
  t.strictSame(parseMountOptions(['what,ro,uid=5'], true).dropped, ['what', 'uid'])
  t.throws(() => parseMountOptions(['uid=5']), { message: /-o uid: .*chown/ })
  for (const name of ['strictatime', 'iversion', 'mand', 'context=a'])
    t.throws(() => parseMountOptions([name]), { message: /^-o \w+: \w+/ }, name)
})

t.test('a line of the mount table is read, broken ones are left out', async t => {
  const mount = parseMount('36 35 98:5 /mnt1 /mnt\\040two rw,noatime master:1 shared:2 - fuse.hn4 /img\\134x rw,a')
  t.match(mount, {
    id: 36,
    device: '98:5',
    at: '/mnt two',
    type: 'fuse.hn4',
    source: '/img\\x',
    options: ['rw', 'noatime'],
    shared: ['rw', 'a'],
  })
  for (const line of ['', '1 2', '1 2 3:4 / / rw', 'x 2 3:4 / / rw - ext4 /dev/x rw'])
    t.equal(parseMount(line), undefined)
})
