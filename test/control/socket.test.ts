import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, lstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type AskSettings, ask } from '../../src/control/client.ts'
import { socketPath } from '../../src/control/directory.ts'
import type { Fields } from '../../src/control/fields.ts'
import { ControlError, REPLY_BYTES_MAX, REQUEST_BYTES_MAX, requestLine } from '../../src/control/message.ts'
import { type Handler, handler, type RequestKind } from '../../src/control/request.ts'
import { type ControlSocket, type Limits, openControlSocket } from '../../src/control/server.ts'

const uid = process.getuid?.() ?? -1
const DEVICE = '0:52'

interface Double {
  readonly value: number
}

/** A request of the tests: twice the number, after a line of progress. */
const double: RequestKind<Double, Double> = {
  name: 'double',
  arguments(fields) {
    fields.only('value')
    return { value: fields.number('value') }
  },
  answer: fields => ({ value: fields.number('value') }),
}

class Fixture {
  readonly directory: string
  readonly path: string
  /** Values that were doubled. */
  readonly served: number[] = []
  readonly defects: unknown[] = []
  readonly #t: Test

  constructor(t: Test) {
    this.#t = t
    // Below the system's folder for temporary files: the address of a socket is short.
    this.directory = mkdtempSync(join(tmpdir(), 'hn4-c-'))
    this.path = socketPath(this.directory, DEVICE)
    t.teardown(() => rmSync(this.directory, { recursive: true }))
  }

  async open(limits: Partial<Limits> = {}, more: readonly Handler[] = []): Promise<ControlSocket> {
    const doubling = handler(double, async ({ value }, { progress }) => {
      this.served.push(value)
      await progress({ seen: value })
      if (value === 13) throw new ControlError('FAILED', 'not 13')
      if (value === 14) throw new Error('a defect')
      return { value: value * 2 }
    })
    const socket = await openControlSocket({
      path: this.path,
      handlers: [doubling, ...more],
      uid,
      onDefect: error => void this.defects.push(error),
      limits,
    })
    this.#t.teardown(() => socket.close())
    return socket
  }

  ask(value: number, settings: AskSettings = {}): Promise<Double> {
    const place = { device: DEVICE, uid, mountpoint: '/mnt' }
    return ask(place, double, { value }, { directories: [this.directory], ...settings })
  }

  /** Sends bytes and gives all that comes back, once the other side has closed. `isOver`: closes this side first. */
  send(bytes: string | Buffer, isOver = true): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.path, () => (isOver ? socket.end(bytes) : socket.write(bytes)))
      const found: Buffer[] = []
      socket.on('data', chunk => void found.push(chunk))
      socket.once('error', reject)
      socket.once('close', () => resolve(Buffer.concat(found).toString()))
    })
  }

  /** A connection that says nothing. */
  quiet(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.path, () => resolve(socket))
      socket.once('error', reject)
      this.#t.teardown(() => socket.destroy())
    })
  }
}

t.test('several clients ask and are answered, with progress; the socket is for its user alone', async t => {
  const fixture = new Fixture(t)
  await fixture.open()
  t.equal(lstatSync(fixture.path).mode & 0o7777, 0o600)
  const seen: number[] = []
  const onProgress = (fields: Fields) => void seen.push(fields.number('seen'))
  const answers = await Promise.all([1, 2, 3, 4, 5].map(value => fixture.ask(value, { onProgress })))
  t.strictSame(
    answers.map(({ value }) => value),
    [2, 4, 6, 8, 10],
  )
  t.strictSame(seen.sort(), [1, 2, 3, 4, 5])
})

t.test('lines of one connection are served in order, also after its side is closed', async t => {
  const fixture = new Fixture(t)
  await fixture.open()
  const lines = [1, 2, 3].map(value => requestLine('double', { value })).join('')
  const answers = (await fixture.send(lines))
    .trim()
    .split('\n')
    .filter(line => line.includes('answer'))
  t.strictSame(
    answers,
    [2, 4, 6].map(value => `{"version":1,"answer":{"value":${value}}}`),
  )
})

t.test('what a request does not like is an answer, and the connection goes on', async t => {
  const fixture = new Fixture(t)
  await fixture.open()
  const lines = ['nothing', 'double', 'double'].map((name, i) =>
    requestLine(name, i === 1 ? { value: -1 } : { value: 4 }),
  )
  const replies = (await fixture.send(lines.join(''))).trim().split('\n')
  t.match(replies[0], /"code":"UNKNOWN"/)
  t.match(replies[1], /"code":"ARGUMENT"/)
  t.match(replies.at(-1), /"answer":\{"value":8\}/)
  t.strictSame(fixture.served, [4], 'nothing was done for the others')
  await t.rejects(fixture.ask(13), { code: 'IO', message: /not 13/ })
  t.strictSame(fixture.defects, [])
  await t.rejects(fixture.ask(14), { code: 'IO', message: /a defect/ })
  t.equal(fixture.defects.length, 1)
  t.strictSame(await fixture.ask(5), { value: 10 })
})

t.test('half, hostile and endless messages do nothing, and others are served meanwhile', async t => {
  const fixture = new Fixture(t)
  await fixture.open()
  const good = requestLine('double', { value: 1 })
  t.equal(await fixture.send(good.slice(0, -1)), '', 'a line without its end')
  const ended = [
    '\n',
    'GET / HTTP/1.1\r\n',
    `${good.trim()}x\n`,
    `{"version":9}\n`,
    '\0\0\n',
    `${'['.repeat(60_000)}\n`,
  ]
  for (const text of ended) {
    const reply = await fixture.send(`${text}${good}`)
    t.match(reply, /^\{"version":1,"error":\{"code":"(MALFORMED|VERSION)"[^\n]*\n$/, text.slice(0, 20))
  }
  t.match(await fixture.send('x'.repeat(REQUEST_BYTES_MAX), false), /"code":"MALFORMED"/, 'the peer does not end it')
  t.match(await fixture.send(Buffer.from([0xff, 0x0a])), /"code":"MALFORMED"/)
  t.strictSame(fixture.served, [], 'nothing was done')
  const quiet = await fixture.quiet()
  quiet.write('{"version"')
  t.strictSame(await fixture.ask(2), { value: 4 })
  t.strictSame(fixture.defects, [])
})

t.test('a peer has a limit of time for a line, however it trickles, and for taking its answer', async t => {
  const fixture = new Fixture(t)
  const flood: RequestKind<object, object> = { name: 'flood', arguments: () => ({}), answer: () => ({}) }
  const flooding = handler(flood, async (_, { progress, cancelled }) => {
    while (!cancelled.aborted) await progress({ filler: 'x'.repeat(100_000) })
    fixture.served.push(0)
    return {}
  })
  await fixture.open({ patienceMs: 300 }, [flooding])
  const trickle = await fixture.quiet()
  const timer = setInterval(() => trickle.write(' '), 20)
  t.teardown(() => clearInterval(timer))
  trickle.on('error', () => {})
  const reply = await new Promise<string>(resolve => trickle.once('data', chunk => resolve(chunk.toString())))
  t.match(reply, /"code":"LATE"/)
  clearInterval(timer)
  // It asks and never reads: the work for it ends.
  const deaf = await fixture.quiet()
  deaf.pause()
  deaf.write(requestLine('flood', {}))
  await new Promise(resolve => {
    const poll = setInterval(() => {
      if (fixture.served.length === 0) return
      clearInterval(poll)
      resolve(undefined)
    }, 20)
  })
  t.strictSame(fixture.defects, [])
})

t.test('connections beyond the limit are told so, and there is room again when others have gone', async t => {
  const fixture = new Fixture(t)
  await fixture.open({ connections: 2 })
  const quiet = [await fixture.quiet(), await fixture.quiet()]
  await t.rejects(fixture.ask(1), { code: 'BUSY' })
  await Promise.all(quiet.map(socket => new Promise(resolve => socket.once('close', resolve).end())))
  t.strictSame(await fixture.ask(1), { value: 2 })
})

t.test('what a killed daemon left is replaced; a socket that took the place of another one stays', async t => {
  const fixture = new Fixture(t)
  writeFileSync(fixture.path, '')
  const first = await fixture.open()
  const second = await fixture.open()
  first.close()
  t.strictSame(await fixture.ask(1), { value: 2 })
  second.close()
  t.notOk(existsSync(fixture.path))
  await t.rejects(fixture.ask(1), { code: 'NOT_FOUND', message: /no control socket/ })
})

/** A daemon of another kind: does `act` with whoever connects. */
async function impostor(t: Test, fixture: Fixture, act: (socket: Socket) => void): Promise<void> {
  rmSync(fixture.path, { force: true })
  const server: Server = createServer(socket => {
    socket.on('error', () => {})
    act(socket)
  })
  await new Promise<void>(resolve => void server.listen(fixture.path, resolve))
  t.teardown(() => server.close())
}

t.test('a peer that writes after it was refused still reads why', async t => {
  const fixture = new Fixture(t)
  await fixture.open({ connections: 1 })
  await fixture.quiet()
  const refused = await fixture.quiet()
  const reply = new Promise<string>(resolve => refused.once('data', chunk => resolve(chunk.toString())))
  refused.pause()
  for (let i = 0; i < 10; i++) {
    await new Promise(resolve => setImmediate(resolve))
    await new Promise(resolve => refused.write(requestLine('double', { value: i }), resolve))
  }
  refused.resume()
  t.match(await reply, /"code":"BUSY"/)
  t.strictSame(fixture.served, [])
})

t.test('a client does not wait for ever, does not take everything, and says what is wrong', async t => {
  const fixture = new Fixture(t)
  const cases: ReadonlyArray<readonly [RegExp, (socket: Socket) => void]> = [
    [/does not answer/, socket => void socket.resume()],
    [/hung up/, socket => void socket.end()],
    [/not a line of JSON/, socket => void socket.end('what?\n')],
    [/more than/, socket => void socket.write('x'.repeat(REPLY_BYTES_MAX))],
    [/'value' is not a number/, socket => void socket.write('{"version":1,"answer":{}}\n')],
    [/protocol version 2/, socket => void socket.write('{"version":2,"answer":{}}\n')],
  ]
  for (const [message, act] of cases) {
    await impostor(t, fixture, act)
    await t.rejects(fixture.ask(1, { patienceMs: 500 }), { code: 'IO', message, detail: { path: '/mnt' } })
  }
})

t.test('a socket that nobody serves any more is a daemon that has ended', async t => {
  const fixture = new Fixture(t)
  const script = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['-e', script, fixture.path], { env: {} })
  t.ok(existsSync(fixture.path), 'the case happened')
  await t.rejects(fixture.ask(1), { code: 'IO', message: /the daemon has ended/ })
})

t.test('another user is refused on both sides, even where the directory would let them in', async t => {
  if (uid !== 0) return t.comment('only root can become another user')
  const fixture = new Fixture(t)
  const socket = await fixture.open()
  for (const [path, mode] of [
    [fixture.directory, 0o755],
    [socket.path, 0o666],
  ] as const)
    chmodSync(path, mode)
  const script = `const s = require('node:net').connect(process.argv[1], () => s.write(process.argv[2]))
    s.on('data', bytes => process.stdout.write(bytes)).on('error', () => {})`
  const words = ['--reuid=65534', '--clear-groups', process.execPath, '-e', script, fixture.path]
  // Not spawnSync: the server is in this process.
  const child = spawn('setpriv', [...words, requestLine('double', { value: 1 })], {
    env: {},
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let reply = ''
  child.stdout.on('data', chunk => {
    reply += chunk
  })
  await new Promise(resolve => child.once('close', resolve))
  t.match(reply, /^\{"version":1,"error":\{"code":"ACCESS"/)
  t.strictSame(fixture.served, [])
  await t.rejects(fixture.ask(1), { code: 'ACCESS', message: /open to others/ })
})
