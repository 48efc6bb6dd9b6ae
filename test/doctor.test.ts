import t from 'tap'
import { HN4 } from '../cli/commands.ts'
import { examine, mountObstacle, type Probe } from '../src/mount/machine.ts'
import { runCommand } from './support/cli.ts'

/** A machine that can mount; a test takes away what it is about. */
const able: Probe = {
  platform: 'linux',
  arch: 'x64',
  nodeVersion: '20.19.0',
  uid: 0,
  openError: () => undefined,
  readText: path => (path === '/proc/self/status' ? 'CapEff:\t000001ffffffffff\n' : undefined),
  which: program => `/usr/bin/${program}`,
  loadError: () => undefined,
  hasSystemLog: () => true,
}

const obstacleOf = (probe: Partial<Probe>) => mountObstacle(examine({ ...able, ...probe }))

t.test('a complete machine has no obstacle', async t => {
  t.equal(obstacleOf({}), undefined)
  t.equal(obstacleOf({ loadError: what => (what === 'fuse-native' ? 'absent' : undefined) }), undefined)
  t.equal(obstacleOf({ which: () => undefined }), undefined, 'root needs no fusermount3')
})

t.test('each lack is named with what to do', async t => {
  t.match(obstacleOf({ platform: 'darwin' })?.advice, /Linux only/)
  t.match(obstacleOf({ nodeVersion: '18.20.1' })?.advice, /20\.19/)
  t.match(obstacleOf({ loadError: () => 'gone' })?.advice, /npm run build/)
  t.match(obstacleOf({ openError: () => 'ENOENT' })?.advice, /--device \/dev\/fuse --cap-add SYS_ADMIN/)
  t.match(obstacleOf({ openError: () => 'EACCES', uid: 1000 })?.advice, /not open to uid 1000/)
  t.match(obstacleOf({ openError: () => 'EPERM' })?.advice, /container/)
  t.match(obstacleOf({ openError: () => 'ENODEV' })?.advice, /modprobe fuse/)
  t.match(obstacleOf({ uid: 1000, which: () => undefined })?.advice, /apt-get install fuse3/)
  t.match(obstacleOf({ readText: () => 'CapEff:\t00000000a80425fb\n' })?.advice, /CAP_SYS_ADMIN/)
})

t.test('where no system log listens, doctor says where lines of mounts go', async t => {
  const logOf = (probe: Partial<Probe>) => examine({ ...able, ...probe }).find(({ name }) => name === 'system log')
  t.match(logOf({}), { isGood: true, weight: 'info' })
  t.match(logOf({ hasSystemLog: () => false }), { isGood: false, advice: /\/run\/hn4\/hn4\.log; -o log=FILE/ })
  t.match(logOf({ hasSystemLog: () => false, uid: 7 })?.advice, /hn4-7\/hn4\.log|\/hn4\/hn4\.log/)
  t.equal(logOf({ hasSystemLog: () => undefined }), undefined)
  t.equal(obstacleOf({ hasSystemLog: () => false }), undefined, 'it mounts all the same')
})

t.test('hn4 doctor tells the same as text, as JSON and by its exit code', async t => {
  const text = await runCommand('hn4', HN4, ['doctor'])
  const json = await runCommand('hn4', HN4, ['doctor', '--json'])
  const document = JSON.parse(json.stdout) as { schema: number; can_mount: boolean; findings: { name: string }[] }
  t.equal(document.schema, 1)
  t.equal(text.exit, document.can_mount ? 0 : 1)
  t.equal(json.exit, text.exit)
  t.strictSame(await runCommand('hn4', HN4, ['doctor', '-q']), { exit: text.exit, stdout: '', stderr: '' })
  for (const finding of document.findings) t.ok(text.stdout.includes(finding.name), finding.name)
})
