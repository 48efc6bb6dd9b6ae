import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type StartSettings, startDaemon } from '../../src/mount/start.ts'
import { requestFor } from '../support/cycles.ts'

/** Starts a script in place of the daemon; what it says is collected. */
function fake(t: Test, script: string, limitMs?: number): { settings: StartSettings; said: () => string } {
  const folder = t.testdir({ 'daemon.mjs': script })
  let said = ''
  const request = requestFor('/absent.img', folder)
  const settings: StartSettings = {
    daemon: { tool: 'hn4 mount', request, isDebug: false },
    script: join(folder, 'daemon.mjs'),
    relay: text => {
      said += text
    },
    ...(limitMs !== undefined && { limitMs }),
  }
  return { settings, said: () => said }
}

t.test('the exit code and the lines of a daemon that fails are relayed, to the last', async t => {
  const { settings, said } = fake(
    t,
    `process.stderr.write('one\\n'); process.stderr.write('two\\n'); process.exitCode = 64`,
  )
  t.equal(await startDaemon(settings), 64)
  t.equal(said(), 'one\ntwo\n')
})

t.test('a daemon that is ready is left alone', async t => {
  const { settings } = fake(
    t,
    `import { closeSync, writeFileSync, writeSync } from 'node:fs'
     process.on('SIGUSR2', () => process.exit(0))
     writeFileSync(new URL('pid', import.meta.url), String(process.pid))
     writeSync(3, 'READY\\n'); closeSync(3); setTimeout(() => {}, 60_000)`,
  )
  t.equal(await startDaemon(settings), 0)
  const pid = Number(readFileSync(join(settings.daemon.request.mountpoint, 'pid'), 'utf8'))
  t.ok(process.kill(pid, 0))
  process.kill(pid, 'SIGKILL')
})

t.test('a daemon that says nothing is ended after the limit', async t => {
  const { settings } = fake(t, `setTimeout(() => {}, 60_000)`, 500)
  await t.rejects(startDaemon(settings), { message: /did not answer within/ })
})

t.test('a daemon that is killed is an error that names the signal', async t => {
  const { settings } = fake(t, `process.kill(process.pid, 'SIGKILL'); setTimeout(() => {}, 60_000)`)
  await t.rejects(startDaemon(settings), { message: /ended by SIGKILL/ })
})

t.test('an argument with quotes and dollars reaches the daemon as it is', async t => {
  const { settings, said } = fake(t, `process.stderr.write(JSON.parse(process.argv[2]).tool); process.exitCode = 1`)
  const tool = `a "b" $(touch x) 'c' \\`
  await startDaemon({ ...settings, daemon: { ...settings.daemon, tool } })
  t.equal(said(), tool)
})

t.test('an interrupt while it waits ends the daemon and is exit code 8', async t => {
  const { settings } = fake(t, `process.on('SIGTERM', () => process.exit(0)); setTimeout(() => {}, 60_000)`)
  const start = startDaemon(settings)
  setTimeout(() => process.emit('SIGINT', 'SIGINT'), 300)
  t.equal(await start, 8)
})
