import t from 'tap'
import { Hn4Error, ioError } from '../src/base/error.ts'
import { printable, printableBytes } from '../src/base/printable.ts'
import { wantsColour } from '../src/console/colour.ts'
import type { Command } from '../src/console/command.ts'
import type { Context } from '../src/console/context.ts'
import { EXIT } from '../src/console/exit-codes.ts'
import { failureLine, failureOf, UsageError } from '../src/console/failure.ts'
import { jsonText } from '../src/console/json.ts'
import { runCommand } from './support/cli.ts'

const examples = [
  { line: 'probe a', meaning: 'one' },
  { line: 'probe b', meaning: 'two' },
  { line: 'probe c', meaning: 'three' },
]

/** A command that keeps what it was given. */
function probe(run: (ctx: Context) => number = () => 0) {
  const seen: Context[] = []
  const command: Command = {
    name: 'probe',
    summary: 'keep what it was given',
    exits: 'fsck',
    arguments: [
      { name: 'IMAGE', summary: 'an image' },
      { name: 'PATH', summary: 'paths', optional: true, many: true },
    ],
    options: [
      { name: 'force', short: 'f', alsoShort: ['F'], kind: 'flag', summary: 'force' },
      { name: 'limit', kind: 'size', summary: 'a size' },
      { name: 'count', short: 'C', kind: 'count', value: 'FD', summary: 'a count' },
      { name: 'option', short: 'o', kind: 'list', summary: 'a list' },
      { name: 'mode', kind: 'choice', choices: ['a', 'b'], summary: 'a choice' },
    ],
    examples,
    run: ctx => {
      seen.push(ctx)
      return run(ctx)
    },
  }
  return { seen, command }
}

t.test('options and arguments arrive with their types', async t => {
  const { seen, command } = probe()
  const words = ['-F', 'disk.img', '--limit', '4k', '-C', '3', '-o', 'a', '-ob', '--mode=b', '/x', '/y', '-q']
  const ran = await runCommand('probe', command, words)
  t.match(ran, { exit: 0, stdout: '', stderr: '' })
  const [ctx] = seen
  if (ctx === undefined) throw new Error('the command did not run')
  t.strictSame(ctx.args, ['disk.img', '/x', '/y'])
  t.equal(ctx.options.flag('force'), true, '-F means --force')
  t.equal(ctx.options.number('limit'), 4096)
  t.equal(ctx.options.number('count'), 3)
  t.strictSame(ctx.options.list('option'), ['a', 'b'])
  t.equal(ctx.options.text('mode'), 'b')
  t.equal(ctx.isQuiet, true)
  t.throws(() => ctx.options.flag('nonsense'), TypeError)
})

t.test('a wrong command line is one line on stderr and 16', async t => {
  const wrong = [
    [],
    ['--nonsense', 'i'],
    ['-Z', 'i'],
    ['i', '--limit'],
    ['i', '--limit', '4x'],
    ['i', '--count=-1'],
    ['i', '--mode=c'],
    ['i', '--raw', '--si'],
    ['i', '--force=yes'],
    ['i', '--color=maybe'],
  ]
  for (const words of wrong) {
    const { seen, command } = probe()
    const ran = await runCommand('probe', command, words)
    t.equal(ran.exit, EXIT.USAGE, words.join(' '))
    t.match(ran.stderr, /^probe: [^\n]+; see probe --help\n$/)
    t.equal(ran.stdout, '')
    t.equal(seen.length, 0)
  }
})

t.test('a wrong command line of mount is mount(8) code 1', async t => {
  const { command } = probe()
  const tree: Command = { ...command, name: 'hn4', commands: [{ ...command, name: 'mount', exits: 'mount' }] }
  t.equal((await runCommand('hn4', tree, ['mount', '--nonsense'])).exit, 1)
})

t.test('help and version win over everything else and go to stdout', async t => {
  const { command, seen } = probe()
  for (const words of [['--help'], ['-h'], ['-f', '--help'], ['--help', '--nonsense']]) {
    const ran = await runCommand('probe', command, words)
    t.match(ran, { exit: 0, stderr: '' })
    t.match(ran.stdout, /^Usage: probe \[options\] IMAGE \[PATH\.\.\.\]\n/)
    t.match(ran.stdout, /-f, -F, --force/)
  }
  const ran = await runCommand('probe', command, ['-V'])
  t.match(ran.stdout, /^probe, part of hn4 \d+\.\d+\.\d+ \(format 1, native addon: (yes|no)\)\n$/)
  t.equal(seen.length, 0)
})

t.test('a subcommand is found by its name, a wrong one refused', async t => {
  const { command, seen } = probe()
  const { run: _, arguments: __, ...rest } = command
  const tree: Command = { ...rest, name: 'hn4', commands: [command] }
  t.equal((await runCommand('hn4', tree, ['probe', 'disk.img'])).exit, 0)
  t.equal(seen[0]?.tool, 'hn4 probe')
  t.match(await runCommand('hn4', tree, ['prob']), { exit: 16, stderr: /no such command: 'prob'/ })
  t.match(await runCommand('hn4', tree, []), { exit: 16, stderr: /no command given/ })
  t.match(await runCommand('hn4', tree, ['-q']), { exit: 16, stderr: /no command given/ })
  t.match(await runCommand('hn4', tree, ['--help']), { exit: 0, stdout: /probe {2}keep what/ })
})

t.test('what a command throws becomes one line and a code of its table', async t => {
  const cases: [unknown, number, RegExp][] = [
    [new Hn4Error('NOT_HN4', { path: 'a.img', hint: 'mkfs.hn4 makes one' }), 8, /^not an hn4 volume: a.img; mkfs.hn4/],
    [new Hn4Error('DATA_DAMAGED', { block: 7 }), 4, /^damaged data \(block 7\)$/],
    [Object.assign(new Error('x'), { code: 'ENOENT', path: '/a' }), 8, /^no such file or directory: \/a$/],
    [Object.assign(new Error('x'), { code: 'EACCES', path: '/a' }), 8, /^permission denied: \/a$/],
    [new UsageError('-n and -y exclude each other'), 16, /^-n and -y exclude each other; see /],
    [new TypeError('oops\nat line 2'), 8, /^internal error: oops\\x0aat line 2; please report/],
    ['a string', 8, /^internal error: a string; please/],
  ]
  for (const [thrown, exit, expected] of cases) {
    const { command } = probe(() => {
      throw thrown
    })
    const ran = await runCommand('fsck.hn4', command, ['i'])
    t.equal(ran.exit, exit)
    t.equal(ran.stderr.split('\n').length, 2, 'one line')
    t.match(ran.stderr.trimEnd().replace(/^fsck.hn4: /, ''), expected)
    t.notMatch(ran.stderr, /^\s+at /m)
  }
})

t.test('the same trouble has the code of mount(8) there', async t => {
  t.equal(failureOf(new Hn4Error('DAMAGED'), 'mount').exit, 32)
  t.equal(failureOf(new Hn4Error('ACCESS'), 'mount').exit, 1)
  t.equal(failureOf(new TypeError('x'), 'mount').exit, 4)
  t.equal(failureOf(Object.assign(new Error('x'), { code: 'EPERM' }), 'mount').exit, 1)
  t.equal(failureOf(new Hn4Error('TOO_SMALL'), 'mkfs').exit, 1)
})

t.test('control characters of a name do not reach the terminal', async t => {
  const failure = { code: 'NOT_FOUND', what: 'gone', where: 'a\u001b[2Jb\nc', exit: 8 }
  t.equal(failureLine('hn4', failure), 'hn4: gone: a\\x1b[2Jb\\x0ac')
})

t.test('an error, a line and a name treat the same characters as unsafe', async t => {
  const cases = [
    ['\u0007', '\\x07'],
    ['\u0085', '\\xc2\\x85'],
    ['\u2028', '\\xe2\\x80\\xa8'],
    ['\u202e', '\\xe2\\x80\\xae'],
    ['\u00e9', '\u00e9'],
  ] as const
  for (const [character, shown] of cases) {
    const text = `a${character}b`
    t.equal(printable(text), `a${shown}b`)
    t.equal(printableBytes(Buffer.from(text)), `a${shown}b`)
    t.equal(new Hn4Error('IO', { text }).message, `a${shown}b`)
  }
  t.equal(printable('a\\x0ab'), 'a\\x0ab', 'what is escaped already stays')
  t.equal(printableBytes(Buffer.from('a\\b')), 'a\\x5cb', 'in a name every \\xNN is a byte')
})

t.test('the system is quoted in the same words wherever it refused', async t => {
  const refused = Object.assign(new Error('x'), { code: 'EROFS' })
  t.equal(failureOf(refused, 'fsck').what, 'read-only filesystem')
  t.equal(ioError('/a', 'write', refused).message, 'write: read-only filesystem')
})

t.test('with --json errors are JSON too', async t => {
  const { command } = probe(() => {
    throw new Hn4Error('NOT_HN4', { path: 'a.img' })
  })
  const ran = await runCommand('probe', command, ['i', '--json'])
  t.strictSame(JSON.parse(ran.stderr), {
    schema: 1,
    error: { tool: 'probe', code: 'NOT_HN4', what: 'not an hn4 volume', where: 'a.img', exit: 8 },
  })
})

t.test('JSON has schema first, snake_case, and 64-bit numbers without loss', async t => {
  t.equal(
    jsonText({ size_bytes: 2n ** 40n, big: 2n ** 60n }, true),
    '{"schema":1,"size_bytes":"1099511627776","big":"1152921504606846976"}',
  )
  t.throws(() => jsonText({ sizeBytes: 1 }), TypeError)
  t.throws(() => jsonText({ list: [{ 'a-b': 1 }] }), TypeError)
})

t.test('colour follows option, NO_COLOR, FORCE_COLOR, TERM and terminal', async t => {
  const term = { TERM: 'xterm' }
  t.equal(wantsColour('auto', true, term), true)
  t.equal(wantsColour('auto', false, term), false)
  t.equal(wantsColour('auto', true, { TERM: 'dumb' }), false)
  t.equal(wantsColour('auto', true, { ...term, NO_COLOR: '1' }), false)
  t.equal(wantsColour('auto', true, { ...term, NO_COLOR: '' }), true, 'an empty NO_COLOR says nothing')
  t.equal(wantsColour('auto', false, { FORCE_COLOR: '1' }), true)
  t.equal(wantsColour('auto', true, { ...term, FORCE_COLOR: '0' }), false)
  t.equal(wantsColour('auto', true, { NO_COLOR: '1', FORCE_COLOR: '1' }), false)
  t.equal(wantsColour('always', false, { NO_COLOR: '1' }), true)
  t.equal(wantsColour('never', true, { FORCE_COLOR: '1' }), false)
})
