import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  checkDirectory,
  ownDirectories,
  runtimeDirectory,
  searchedDirectories,
  socketPath,
} from '../../src/control/directory.ts'

const uid = process.getuid?.() ?? -1
const OTHER = 65_534

/** A folder with a short name that nobody else may write to. */
function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'hn4-c-'))
  t.teardown(() => rmSync(path, { recursive: true }))
  return path
}

t.test('a runtime directory is made for its user alone, and found again', async t => {
  const path = join(folder(t), 'hn4')
  for (let i = 0; i < 2; i++) {
    t.equal(runtimeDirectory(uid, [path]), path)
    t.equal(statSync(path).mode & 0o7777, 0o700)
    t.doesNotThrow(() => checkDirectory(path, uid))
  }
})

t.test('a directory that others can enter, change or redirect is refused, and left as it is', async t => {
  const top = folder(t)
  const path = (name: string) => join(top, name)
  const refused = (name: string, message: RegExp) =>
    t.throws(() => runtimeDirectory(uid, [path(name)]), { code: 'ACCESS', message }, name)
  mkdirSync(path('own'), { mode: 0o700 })
  symlinkSync(path('own'), path('link'))
  refused('link', /not a directory/)
  mkdirSync(path('open'))
  chmodSync(path('open'), 0o750)
  refused('open', /open to others/)
  t.equal(statSync(path('open')).mode & 0o777, 0o750)
  mkdirSync(path('parent'))
  chmodSync(path('parent'), 0o777)
  refused('parent/hn4', /others can rename/)
  chmodSync(path('parent'), 0o1777)
  t.equal(runtimeDirectory(uid, [path('parent/hn4')]), path('parent/hn4'))
  if (uid !== 0) return t.comment('only root can give a directory to another user')
  mkdirSync(path('theirs'), { mode: 0o700 })
  chownSync(path('theirs'), OTHER, OTHER)
  refused('theirs', /belongs to user 65534, not to 0/)
  t.throws(() => checkDirectory(path('own'), OTHER), { code: 'ACCESS' })
  t.doesNotThrow(() => checkDirectory(path('own'), 0))
})

t.test('where the first directory cannot be used the next one is, and the last reason is told', async t => {
  const top = folder(t)
  t.equal(runtimeDirectory(uid, [join(top, 'absent/hn4'), join(top, 'hn4')]), join(top, 'hn4'))
  t.throws(() => runtimeDirectory(uid, [join(top, 'absent/hn4')]), {
    code: 'NOT_FOUND',
    detail: { path: join(top, 'absent/hn4') },
  })
  t.throws(() => runtimeDirectory(uid, []), { code: 'NOT_FOUND' })
})

t.test('root has one directory; others the one of their session, else one below the temporary folder', async t => {
  t.strictSame(ownDirectories(0, { XDG_RUNTIME_DIR: '/run/user/0' }), ['/run/hn4'])
  const temporary = join(tmpdir(), 'hn4-7')
  t.strictSame(ownDirectories(7, { XDG_RUNTIME_DIR: '/run/user/7' }), ['/run/user/7/hn4', temporary])
  t.strictSame(ownDirectories(7, { XDG_RUNTIME_DIR: 'relative' }), [temporary])
  t.strictSame(ownDirectories(7, { XDG_RUNTIME_DIR: `/${'long/'.repeat(20)}` }), [temporary], 'no address is so long')
  t.strictSame(searchedDirectories(0, 7, {}), ['/run/hn4'])
  t.ok(searchedDirectories(7, 0, { XDG_RUNTIME_DIR: '/run/user/0' }).every(path => !path.startsWith('/run/user/0')))
  t.ok(searchedDirectories(7, 7, { XDG_RUNTIME_DIR: '/x' }).includes('/x/hn4'))
  t.equal(socketPath('/run/hn4', '0:52'), '/run/hn4/0:52.sock')
  t.throws(() => socketPath('/run/hn4', '../x'))
})
