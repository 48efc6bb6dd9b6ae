/** The command line of mkfs.hn4, also `hn4 mkfs`. */
import { fromHex } from '../src/base/bytes.ts'
import type { Command } from '../src/console/command.ts'
import type { Context } from '../src/console/context.ts'
import { EXIT } from '../src/console/exit-codes.ts'
import { UsageError } from '../src/console/failure.ts'
import { parseSize } from '../src/console/size.ts'
import { BLOCK_SIZE, FLAGS } from '../src/format/layout.ts'
import { type MakeOptions, makeVolume } from './make.ts'
import type { Owner } from './new-volume.ts'
import { summaryJson, summaryText } from './summary.ts'

const NS = 1_000_000_000n

/** Features of the format, with what -O may say about them. */
const FEATURES = FLAGS.INCOMPAT.map(([name, , meaning]) => [name.toLowerCase(), meaning] as const)

function checkFeatures(wanted: readonly string[]): void {
  for (const feature of wanted.flatMap(list => list.split(','))) {
    const name = feature.replace(/^\^/, '')
    if (!FEATURES.some(([known]) => known === name))
      throw new UsageError(`-O: unknown feature '${name}'; -O list shows them`)
    if (feature.startsWith('^')) throw new UsageError(`-O: ${name} cannot be turned off in this version`)
  }
}

interface Extended {
  stride?: number
  scale?: number
  rootOwner?: Owner
  preallocate?: boolean
}

const ID_MAX = 0xffff_fffe

/** `UID:GID` of root_owner; (uid_t) -1 means "no change" to chown(2) and is nobody's. */
function ownerOf(value: string): Owner {
  const [, uid, gid] = /^(\d{1,10}):(\d{1,10})$/.exec(value) ?? []
  if (uid === undefined || Number(uid) > ID_MAX || Number(gid) > ID_MAX)
    throw new UsageError(`-E root_owner: not UID:GID in numbers: '${value}'`)
  return { uid: Number(uid), gid: Number(gid) }
}

function extended(wanted: readonly string[]): Extended {
  const out: Extended = {}
  for (const pair of wanted.flatMap(list => list.split(','))) {
    const equals = pair.indexOf('=')
    const [key, value] = [pair.slice(0, equals), pair.slice(equals + 1)]
    if ((key === 'stride' || key === 'scale') && /^\d{1,14}$/.test(value)) out[key] = Number(value)
    else if (key === 'root_owner') out.rootOwner = ownerOf(value)
    else if (pair === 'prealloc') out.preallocate = true
    else throw new UsageError(`-E: none of stride=N, scale=N, root_owner=UID:GID, prealloc: '${pair}'`)
  }
  return out
}

/** Who makes a volume has to be able to use it: the root directory is theirs. Root's is root's. */
const caller = (): Owner => ({ uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 })

function seedOf(text: string | undefined): Uint8Array | undefined {
  if (text === undefined) return undefined
  const bytes = fromHex(text)
  if (bytes === null || bytes.length === 0 || bytes.length > 16)
    throw new UsageError('--seed: 2 to 32 hexadecimal digits, an even number')
  return bytes
}

/** SOURCE_DATE_EPOCH; else, with a seed, 1970 (equal runs give equal bytes); else now. */
function creationTime(env: Context['io']['env'], isSeeded: boolean): bigint {
  const epoch = env['SOURCE_DATE_EPOCH']
  if (epoch !== undefined && epoch !== '') {
    if (!/^\d{1,10}$/.test(epoch)) throw new UsageError(`SOURCE_DATE_EPOCH: not a number of seconds: '${epoch}'`)
    return BigInt(epoch) * NS
  }
  return isSeeded ? 0n : BigInt(Date.now()) * 1_000_000n
}

function readOptions(ctx: Context): MakeOptions {
  const { options } = ctx
  const blockSize = options.number('block-size')
  if (blockSize !== undefined && blockSize !== BLOCK_SIZE) throw new UsageError('-b: the block size is always 4096')
  checkFeatures(options.list('features'))
  const seed = seedOf(options.text('seed'))
  const size = ctx.args[1]
  const slots = options.number('cortex')
  if (slots === 0) throw new UsageError('-N: at least one file')
  return {
    path: ctx.arg(0),
    sizeBytes: size === undefined ? undefined : parseSize(size),
    label: options.text('label'),
    uuid: options.text('uuid'),
    seed,
    createdNs: creationTime(ctx.io.env, seed !== undefined),
    slots,
    copies: options.text('metadata') === 'single' ? 1 : 2,
    rootOwner: caller(),
    ...extended(options.list('extended')),
    force: options.flag('force'),
    discard: !options.flag('no-discard'),
    dryRun: options.flag('dry-run'),
  }
}

function run(ctx: Context): number {
  if (ctx.options.list('features').includes('list')) {
    if (ctx.isJson) ctx.json({ features: FEATURES.map(([name, meaning]) => ({ name, meaning })) })
    for (const [name, meaning] of FEATURES) ctx.result(`${name}  ${meaning}`)
    return EXIT.OK
  }
  if (ctx.args.length === 0) throw new UsageError('missing required argument IMAGE')
  const options = readOptions(ctx)
  const made = makeVolume(options)
  if (ctx.isJson) ctx.json(summaryJson(made, options.dryRun === true))
  else ctx.print(summaryText(made, options.dryRun === true, bytes => ctx.size(bytes)).trimEnd())
  return EXIT.OK
}

export const mkfs: Command = {
  name: 'mkfs',
  summary: 'make an hn4 volume in a file or on a block device',
  description: [
    'With SIZE a missing image is created as a sparse file; without SIZE the image must exist. A device or file ' +
      'whose first or last MiB holds anything but zeros is left alone unless --force is given, and what it seems to ' +
      'hold is named; one that is in use is left alone always.',
    'The root directory belongs to who calls mkfs.hn4, unless -E root_owner=UID:GID names somebody else.',
    'Encryption does not exist in this version. SOURCE_DATE_EPOCH sets the time of creation; with --seed alone it is 1970.',
  ],
  exits: 'mkfs',
  arguments: [
    { name: 'IMAGE', summary: 'file or block device', optional: true },
    { name: 'SIZE', summary: 'bytes, or with k, M, G, T: 512M, 4G', optional: true },
  ],
  options: [
    { name: 'label', short: 'L', kind: 'text', value: 'LABEL', summary: 'name of the volume; too long is an error' },
    { name: 'uuid', short: 'U', kind: 'text', value: 'UUID', summary: 'UUID of the volume, or random' },
    { name: 'block-size', short: 'b', kind: 'size', value: 'SIZE', summary: 'block size: 4096 (also 4k)' },
    { name: 'cortex', short: 'N', kind: 'count', value: 'FILES', summary: 'room for this many files; fixed for life' },
    {
      name: 'metadata',
      short: 'm',
      kind: 'choice',
      value: 'COPIES',
      choices: ['dup', 'single'],
      summary: 'metadata copies',
    },
    {
      name: 'extended',
      short: 'E',
      kind: 'list',
      value: 'KEY=VALUE',
      summary: 'stride=, scale= of new files; root_owner=UID:GID; prealloc',
    },
    {
      name: 'features',
      short: 'O',
      kind: 'list',
      value: 'FEATURE',
      summary: 'features on, or off with ^; list shows them',
    },
    { name: 'seed', kind: 'text', value: 'HEX', summary: 'draw nothing at random: equal seeds give equal bytes' },
    { name: 'dry-run', short: 'n', kind: 'flag', summary: 'print the layout, write nothing' },
    { name: 'force', short: 'f', alsoShort: ['F'], kind: 'flag', summary: 'overwrite what the image holds' },
    { name: 'no-discard', short: 'K', kind: 'flag', summary: 'do not discard what the image holds' },
  ],
  examples: [
    { line: 'mkfs.hn4 disk.img 4G', meaning: 'a volume of 4 GiB in a new sparse file' },
    { line: 'mkfs.hn4 -L backup -U random /dev/sdb1', meaning: 'on a partition, with a label' },
    { line: 'mkfs.hn4 --dry-run --json disk.img 1T', meaning: 'the layout it would have, for a program' },
  ],
  run,
}
