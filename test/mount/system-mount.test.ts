/** mount(8) itself, with the helpers of `hn4 install-helpers` in /sbin. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { PACKAGE_TOP } from '../../src/base/package.ts'
import type { Ran } from '../support/cli.ts'
import { mountTest } from '../support/mount.ts'
import { hn4, Scratch } from '../support/scratch.ts'

const CANNOT = 77

function runWithHelpers(helpers: string, script: string, env: Readonly<Record<string, string>> = {}): Ran {
  // tap's hooks stay out of the helpers: they lie in the way of the daemon's start.
  const { NODE_OPTIONS: _, ...ours } = process.env
  const file = join(PACKAGE_TOP, 'test/support/with-helpers.sh')
  const done = spawnSync('unshare', ['--mount', '--propagation', 'private', file, helpers, script], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...ours, NO_COLOR: '1', ...env },
  })
  if (done.error !== undefined) return { exit: CANNOT, stdout: 'no unshare here', stderr: '' }
  return { exit: done.status ?? 128, stdout: done.stdout, stderr: done.stderr }
}

function helpersFolder(t: Test, scratch: Scratch): string {
  const folder = join(scratch.folder, 'helpers')
  mkdirSync(folder)
  t.equal(hn4('install-helpers', '-q', '--prefix', folder).exit, 0)
  return folder
}

/** Why mount(8) cannot be tested here; undefined if it can. */
function obstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can lay helpers over /sbin'
  const ran = runWithHelpers(join(PACKAGE_TOP, 'man'), ':')
  return ran.exit === 0 ? undefined : `${ran.stdout}${ran.stderr}`.trim().split('\n')[0]
}

function systemTest(title: string, body: (t: Test) => Promise<void>): Promise<unknown> {
  const skip = obstacle()
  return skip === undefined ? mountTest(t, title, body) : t.test(title, { skip }, async () => {})
}

/** Ends when the daemon has let go of the image. */
const LET_GO = 'while grep -q ":$(stat -c %i "$IMAGE") " /proc/locks; do sleep 0.05; done'
const SHOW = 'grep " $DIR " /proc/self/mountinfo | sed "s/.* - //; s/ [^ ]*disk.img .*//"'

systemTest('mount -t hn4, mount -t fuse.hn4 and a line of fstab mount an image', async t => {
  const scratch = new Scratch(t)
  const helpers = helpersFolder(t, scratch)
  const fstab = join(scratch.folder, 'fstab')
  const options = 'noauto,nofail,x-systemd.automount,noatime'
  writeFileSync(fstab, `${scratch.image} ${scratch.dir} hn4 ${options} 0 0\n`)
  const script = `
for type in hn4 fuse.hn4; do
  mount -t $type -o nodev,nosuid,x-ours,_netdev "$IMAGE" "$DIR"
  ${SHOW}
  echo $type > "$DIR/$type"
  umount "$DIR"
  ${LET_GO}
done
mount -T "${fstab}" "$DIR"
cat "$DIR/hn4" "$DIR/fuse.hn4"
umount "$DIR"
${LET_GO}
`
  const ran = runWithHelpers(helpers, script, { IMAGE: scratch.image, DIR: scratch.dir })
  t.strictSame(ran, { exit: 0, stdout: 'fuse.hn4\nfuse.hn4\nhn4\nfuse.hn4\n', stderr: '' })
  t.equal(hn4('fsck', '-n', scratch.image).exit, 0)
})

systemTest('what mount(8) cannot do is one line and its exit code', async t => {
  const scratch = new Scratch(t)
  const helpers = helpersFolder(t, scratch)
  mkdirSync(join(scratch.folder, 'other'))
  const script = `
code() { rc=0; "$@" || rc=$?; echo $rc; }
code mount -t hn4 -o nonsense "$IMAGE" "$DIR"
code mount -t hn4 "$IMAGE.none" "$DIR"
code mount -t hn4 "$IMAGE" "$DIR.none"
mount -s -t hn4 -o nonsense "$IMAGE" "$DIR"
code mount -t hn4 "$IMAGE" "$OTHER"
umount "$DIR"
${LET_GO}
`
  const env = { IMAGE: scratch.image, DIR: scratch.dir, OTHER: join(scratch.folder, 'other') }
  const ran = runWithHelpers(helpers, script, env)
  t.equal(ran.stdout, '1\n32\n32\n32\n', ran.stderr)
  const lines = ran.stderr.trim().split('\n')
  t.equal(lines.length, 4, ran.stderr)
  t.match(lines[0], /unknown mount option 'nonsense'/)
  t.match(lines[1], /no such file or directory: .*disk\.img\.none$/)
  t.match(lines[2], /no such file or directory: .*mnt\.none$/)
  t.match(lines[3], /open for writing; mounted at /)
})

systemTest('mount -o remount changes what can be changed, and refuses the rest', async t => {
  const scratch = new Scratch(t)
  const helpers = helpersFolder(t, scratch)
  const script = `
code() { rc=0; "$@" || rc=$?; echo $rc; }
flags() { awk -v at="$DIR" '$5 == at { print $6 }' /proc/self/mountinfo; }
mount -t hn4 -o nodev "$IMAGE" "$DIR"
echo one > "$DIR/file"
mount -o remount,ro "$DIR"
flags
code sh -c 'echo two > "$DIR/file"'
mount -o remount,rw,nosuid,nosymfollow "$DIR"
flags
ln -s file "$DIR/link"
code cat "$DIR/link"
exec 7>"$DIR/open"
code mount -o remount,ro "$DIR"
exec 7>&-
code mount -o remount,noatime "$DIR"
code mount -o remount,sync "$DIR"
code mount -o remount,strictatime "$DIR"
mount -o remount,symfollow "$DIR"
cat "$DIR/link"
umount "$DIR"
${LET_GO}
mount -t hn4 -o ro "$IMAGE" "$DIR"
code mount -o remount,rw "$DIR"
mount -o remount,noexec "$DIR"
flags
umount "$DIR"
${LET_GO}
code mount.hn4 "$IMAGE" "$DIR" -o remount,ro
`
  const ran = runWithHelpers(helpers, script, { IMAGE: scratch.image, DIR: scratch.dir })
  t.strictSame(
    ran.stdout.split('\n'),
    [
      ...['ro,nodev,relatime', '2', 'rw,nosuid,nodev,relatime,nosymfollow', '1'],
      ...['32', '1', '1', '1', 'one', '32', 'ro,noexec,relatime', '32', ''],
    ],
    ran.stderr,
  )
  for (const line of [
    /can.*t create .*Read-only file system/,
    /link: Too many levels of symbolic links/,
    /open for writing, by one of/,
    /-o remount: noatime stays as it was/,
    /-o remount: sync stays as it was/,
    /-o strictatime: reads that the kernel answers/,
    /the image was opened for reading only: .*; unmount it and mount it again/,
    /not mounted/,
  ])
    t.match(ran.stderr, line)
  t.equal(hn4('fsck', '-n', scratch.image).exit, 0)
})
