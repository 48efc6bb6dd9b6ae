/** `hn4 tune`: another label or UUID for a volume that is not mounted. */
import { uuidText } from '../src/base/bytes.ts'
import { realpathSync } from '../src/base/host-files.ts'
import { printable, printableBytes } from '../src/base/printable.ts'
import type { Command } from '../src/console/command.ts'
import type { Context } from '../src/console/context.ts'
import { EXIT } from '../src/console/exit-codes.ts'
import { UsageError } from '../src/console/failure.ts'
import { labelBytes } from '../src/format/superblock.ts'
import { addon } from '../src/native/addon.ts'
import { errorOf } from '../src/native/failure.ts'
import { Volume } from '../src/reader/volume.ts'
import { labelOf, newUuid } from './identity.ts'

function identityOf(image: string): { label: string; uuid: string } {
  const volume = Volume.open(image)
  try {
    const { chosen } = volume.core.superblocks
    return { label: printableBytes(labelBytes(chosen)), uuid: uuidText(chosen.uuid) }
  } finally {
    volume.close()
  }
}

function run(ctx: Context): number {
  const [label, uuid] = [ctx.options.text('label'), ctx.options.text('uuid')]
  if (label === undefined && uuid === undefined) throw new UsageError('nothing to change: use -L or -U')
  const newLabel = label === undefined ? undefined : Buffer.from(labelOf(label))
  const drawn = uuid === undefined ? undefined : Buffer.from(newUuid(uuid))
  const image = realpathSync(ctx.arg(0))
  const failure = addon().tuneVolume(image, newLabel, drawn)
  if (failure !== undefined) throw errorOf(failure, ctx.arg(0))
  const now = identityOf(image)
  if (ctx.isJson) ctx.json({ image: ctx.arg(0), ...now })
  else ctx.print(printable(`${ctx.arg(0)}: label ${now.label === '' ? '(none)' : now.label}, UUID ${now.uuid}`))
  return EXIT.OK
}

export const tune: Command = {
  name: 'tune',
  summary: 'give a volume another label or UUID',
  description: [
    'Writes the four superblocks, in two steps, so that a crash leaves one of both. The volume may not be mounted, ' +
      'not even for reading. A volume that was not unmounted cleanly keeps its log for the next mount.',
  ],
  exits: 'mkfs',
  without: ['raw', 'iec', 'si', 'color', 'verbose'],
  arguments: [{ name: 'IMAGE', summary: 'file or block device' }],
  options: [
    { name: 'label', short: 'L', kind: 'text', value: 'LABEL', summary: 'name of the volume; empty: none' },
    { name: 'uuid', short: 'U', kind: 'text', value: 'UUID', summary: 'this UUID, or random' },
  ],
  examples: [
    { line: 'hn4 tune -L backup disk.img', meaning: 'another label' },
    { line: 'hn4 tune -U random copy.img', meaning: 'a copy that is to be told from its original' },
    { line: "hn4 tune -L '' /dev/sdb1", meaning: 'no label' },
  ],
  run,
}
