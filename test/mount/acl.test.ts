import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { mountTest } from '../support/mount.ts'
import { hn4, Scratch } from '../support/scratch.ts'

const lacks = ['setfacl', 'getfacl', 'setpriv'].filter(
  program => spawnSync(program, ['--version'], { stdio: 'ignore' }).error !== undefined,
)

function aclTest(title: string, body: (t: Test) => Promise<void>): Promise<unknown> {
  const skip =
    lacks.length > 0
      ? `${lacks.join(', ')} not installed`
      : process.getuid?.() !== 0 && 'only root can become the users of the list'
  return skip === false ? mountTest(t, title, body) : t.test(title, { skip }, async () => {})
}

function runIn(cwd: string, program: string, ...words: string[]): string {
  const { NODE_OPTIONS: _, ...env } = process.env
  const done = spawnSync(program, words, { cwd, encoding: 'utf8', env })
  return done.status === 0 ? done.stdout : `exit ${done.status}: ${done.stderr}`
}

const run = (program: string, ...words: string[]): string => runIn('/', program, ...words)

/** The list of a file in one line: `user::rw- user:4242:r-- ...`. */
const listOf = (path: string): string => run('getfacl', '-cnpE', path).trim().split('\n').join(' ').replace(/\s+/g, ' ')

/** Started in `cwd`, for the folders above it may be closed to this user. */
const asUser = (cwd: string, uid: number, gid: number, ...words: string[]): string =>
  runIn(cwd, 'setpriv', '--reuid', String(uid), '--regid', String(gid), '--clear-groups', ...words)

aclTest('an access list decides who may read and write, follows chmod, and outlives the mount', async t => {
  const scratch = new Scratch(t)
  scratch.mount()
  const file = scratch.path('file')
  writeFileSync(file, 'content')
  chmodSync(file, 0o640)
  t.equal(run('setfacl', '-m', 'u:4242:r,g:4343:rw', file), '')
  const list = 'user::rw- user:4242:r-- group::r-- group:4343:rw- mask::rw- other::---'
  t.equal(listOf(file), list)
  t.equal(statSync(file).mode & 0o777, 0o660, 'the mask stands in the mode')
  t.equal(asUser(scratch.dir, 4242, 1, 'cat', 'file'), 'content')
  t.match(asUser(scratch.dir, 4242, 1, 'sh', '-c', 'echo x >> "$0"', 'file'), /Permission denied/)
  t.match(asUser(scratch.dir, 4244, 1, 'cat', 'file'), /Permission denied/)
  t.equal(asUser(scratch.dir, 4244, 4343, 'sh', '-c', 'printf x >> "$0"', 'file'), '')
  t.equal(readFileSync(file, 'utf8'), 'contentx')
  scratch.umount()
  t.equal(hn4('fsck', '-n', scratch.image).exit, 0)
  t.match(hn4('stat', '--json', `${scratch.image}:/file`).stdout, /system\.posix_acl_access/)
  scratch.mount()
  t.equal(listOf(file), list)
  chmodSync(file, 0o600)
  t.match(asUser(scratch.dir, 4242, 1, 'cat', 'file'), /Permission denied/, 'chmod takes the mask away')
  t.equal(listOf(file), list.replace('mask::rw-', 'mask::---'))
  t.equal(run('setfacl', '-b', file), '')
  t.equal(listOf(file), 'user::rw- group::--- other::---')
  scratch.umount()
  t.notMatch(hn4('stat', '--json', `${scratch.image}:/file`).stdout, /system\.posix_acl_access/)
})

aclTest('files and directories inherit the default list of their directory, whatever the umask', async t => {
  const scratch = new Scratch(t)
  scratch.mount()
  const folder = scratch.path('folder')
  mkdirSync(folder)
  t.equal(run('setfacl', '-d', '-m', 'u:4242:rwx,g::r,o::-', folder), '')
  const inherited = 'user::rwx user:4242:rwx group::r-- mask::rwx other::---'
  const defaults = inherited.replace(/(^| )/g, '$1default:')
  run('sh', '-c', 'umask 077; echo new > "$0/file"; mkdir "$0/sub"', folder)
  t.equal(listOf(`${folder}/file`), 'user::rw- user:4242:rwx group::r-- mask::rw- other::---')
  t.equal(listOf(`${folder}/sub`), `${inherited} ${defaults}`)
  t.equal(listOf(folder), `user::rwx group::r-x other::r-x ${defaults}`)
  t.equal(run('setfacl', '-k', folder), '')
  run('sh', '-c', 'umask 077; echo new > "$0/plain"', folder)
  t.equal(listOf(`${folder}/plain`), 'user::rw- group::--- other::---')
  scratch.umount()
  scratch.mount('-o', 'ro')
  t.equal(listOf(`${folder}/sub`), `${inherited} ${defaults}`)
  t.match(run('setfacl', '-m', 'u:1:r', `${folder}/sub`), /Read-only file system/)
  scratch.umount()
})
