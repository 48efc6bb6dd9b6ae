import fc from 'fast-check'
import t from 'tap'
import { Fields } from '../../src/control/fields.ts'
import {
  ControlError,
  errorLine,
  LineReader,
  parseReply,
  parseRequest,
  replyLine,
  requestLine,
} from '../../src/control/message.ts'
import { status } from '../../src/control/requests/status.ts'
import { runs } from '../support/property.ts'

const bytes = (text: string): Buffer => Buffer.from(text.replace(/\n$/, ''))

t.test('a request and each kind of reply come back as they were', async t => {
  const request = parseRequest(bytes(requestLine('find', { tag: 'a\nb' })))
  t.equal(request.name, 'find')
  t.equal(request.arguments.text('tag'), 'a\nb')
  for (const is of ['progress', 'answer'] as const) {
    const reply = parseReply(bytes(replyLine(is, { done: 3 })))
    t.ok(reply.is === is && reply.fields.number('done') === 3)
  }
  const reply = parseReply(bytes(errorLine(new ControlError('BUSY', 'later'))))
  t.match(reply, { is: 'error', error: { code: 'BUSY', message: 'later' } })
})

t.test('an error code of a later version is a failure, and a later field of an answer no error', async t => {
  t.match(parseReply(bytes('{"version":1,"error":{"code":"NEW","text":"x"}}')), { error: { code: 'FAILED' } })
  const answer = Fields.of({ later: true, state: 'writing' })
  t.throws(() => status.answer(answer ?? Fields.none), /'image' is not a string/)
})

const HOSTILE: ReadonlyArray<readonly [string, string]> = [
  ['', 'MALFORMED'],
  ['x', 'MALFORMED'],
  ['[]', 'MALFORMED'],
  ['null', 'MALFORMED'],
  ['"status"', 'MALFORMED'],
  ['{', 'MALFORMED'],
  ['['.repeat(60_000), 'MALFORMED'],
  ['{"request":"status"}', 'MALFORMED'],
  ['{"version":"1","request":"status"}', 'MALFORMED'],
  ['{"version":1.5,"request":"status"}', 'MALFORMED'],
  ['{"version":2,"request":"status"}', 'VERSION'],
  ['{"version":1}', 'MALFORMED'],
  ['{"version":1,"request":7}', 'MALFORMED'],
  ['{"version":1,"request":"status","arguments":[]}', 'MALFORMED'],
  ['{"version":1,"request":"status","more":1}', 'MALFORMED'],
  ['{"version":1,"request":"status","__proto__":{"x":1}}', 'MALFORMED'],
]

t.test('what is no request of this version is an error with a code', async t => {
  for (const [line, code] of HOSTILE) t.throws(() => parseRequest(bytes(line)), { code }, line.slice(0, 60))
  t.throws(() => parseRequest(Buffer.from([0x22, 0xff, 0x22])), { code: 'MALFORMED' }, 'not UTF-8')
  t.throws(() => parseReply(bytes('{"version":1}')), { code: 'MALFORMED' })
})

t.test('no line makes a parser throw anything but an error with a code', async () => {
  const line = fc.oneof(
    fc.string(),
    fc.json(),
    fc.json().map(value => `{"version":1,"request":"status","arguments":${value}}`),
  )
  fc.assert(
    fc.property(line, text => {
      for (const parse of [parseRequest, parseReply]) {
        try {
          parse(Buffer.from(text))
        } catch (error) {
          if (!(error instanceof ControlError)) throw error
        }
      }
    }),
    runs(500),
  )
})

t.test('lines are cut the same, however they arrive', async () => {
  const lines = fc.array(fc.string({ maxLength: 20 }).map(text => text.replaceAll('\n', ' ')))
  fc.assert(
    fc.property(lines, fc.integer({ min: 1, max: 7 }), (wanted, step) => {
      const all = Buffer.from(`${wanted.map(line => `${line}\n`).join('')}half`)
      const reader = new LineReader(1000)
      const found: string[] = []
      for (let at = 0; at < all.length; at += step) {
        reader.push(all.subarray(at, at + step))
        for (let line = reader.next(); line !== undefined; line = reader.next()) found.push(line.toString())
      }
      if (found.join('\n') !== wanted.join('\n') || found.length !== wanted.length) throw new Error(found.join('|'))
    }),
    runs(200),
  )
})

t.test('a line that is too long is refused before its end has come', async t => {
  const reader = new LineReader(10)
  reader.push(Buffer.from('123456789\n123456789'))
  t.equal(reader.next()?.toString(), '123456789')
  t.equal(reader.next(), undefined)
  reader.push(Buffer.from('0'))
  t.throws(() => reader.next(), { code: 'MALFORMED' })
})
