/** hn4 id: the public id of a file, in an image or in a mount, and back. */
import { hex, parseUuid, uuidText } from '../src/base/bytes.ts'
import { Hn4Error } from '../src/base/error.ts'
import type { Command } from '../src/console/command.ts'
import type { Context } from '../src/console/context.ts'
import { EXIT } from '../src/console/exit-codes.ts'
import { UsageError } from '../src/console/failure.ts'
import { fileOfPublicId } from '../src/image/anchor.ts'
import { findTyped, withTarget } from '../src/image/target.ts'
import { type LivePath, livePath, pathOfId, readPublicId, setPublicId } from '../src/mount/live-id.ts'
import { PathFinder } from '../src/reader/back-links.ts'

function idOf(text: string): Uint8Array {
  const bytes = parseUuid(text)
  if (bytes === null) throw new Hn4Error('ARGUMENT', { text: `not an id: '${text}'` })
  return bytes
}

function inMount(ctx: Context, live: LivePath): number {
  const [wanted, changed] = [ctx.args[1], ctx.options.text('set')]
  if (wanted !== undefined && changed !== undefined) throw new UsageError('--set and an ID exclude each other')
  if (changed !== undefined) setPublicId(live, uuidText(idOf(changed)))
  if (wanted !== undefined) {
    const path = pathOfId(live, uuidText(idOf(wanted)))
    if (ctx.isJson) ctx.json({ path, public_id: uuidText(idOf(wanted)) })
    else ctx.name(path)
    return EXIT.OK
  }
  const id = readPublicId(live)
  if (ctx.isJson) ctx.json({ path: live.path, public_id: id })
  else ctx.result(id)
  return EXIT.OK
}

function inImage(ctx: Context): number {
  if (ctx.options.text('set') !== undefined) throw new UsageError('--set needs a file in a mount')
  return withTarget(ctx, ctx.arg(0), (volume, target, damage) => {
    const bytes = ctx.args[1] === undefined ? null : idOf(ctx.args[1])
    const file = bytes === null ? findTyped(volume, target.path) : fileOfPublicId(volume, bytes)
    const path = bytes === null ? target.path : new PathFinder(volume).pathOf(file)
    const { anchor: fields, seedId } = file.slot
    const isChanged = hex(seedId) !== hex(fields.public_id)
    if (ctx.isJson) {
      const [public_id, seed_id] = [uuidText(fields.public_id), uuidText(seedId)]
      ctx.json({ path, public_id, seed_id, changed: isChanged, number: file.slot.number, errors: damage.json })
      return damage.exitCode
    }
    ctx.result(bytes === null ? uuidText(fields.public_id) : (path ?? `file ${fields.number}: no path leads to it`))
    if (ctx.isVerbose) ctx.result(`seed_id ${uuidText(seedId)}${isChanged ? '' : ' (not changed)'}`)
    return damage.exitCode
  })
}

export const idCommand: Command = {
  name: 'id',
  summary: 'show or set the public id of a file, or show the file of an id',
  description: [
    'A file is an argument IMAGE:/PATH, or a path in a mount. There --set gives it another id; its data and its ' +
      'anchor stay where they are. In a mount /.hn4/id/ID leads to the file too.',
  ],
  exits: 'fsck',
  arguments: [
    { name: 'FILE', summary: 'IMAGE:/PATH or a path in a mount; with ID, the image or any path in the mount' },
    { name: 'ID', summary: 'public id to look for', optional: true },
  ],
  options: [{ name: 'set', kind: 'text', value: 'ID', summary: 'give the file this public id (in a mount)' }],
  examples: [
    { line: 'hn4 id disk.img:/report.pdf', meaning: 'its public id' },
    { line: 'hn4 id -v disk.img:/report.pdf', meaning: 'also the seed_id, which never changes' },
    { line: 'hn4 id disk.img 10000000-0000-0000-2a00-000001020304', meaning: 'the path of the file with this id' },
    { line: 'hn4 id --set 0f8fad5b-d9cb-469f-a165-70867728950e /mnt/report.pdf', meaning: 'change it' },
  ],
  run(ctx) {
    const live = livePath(ctx.arg(0))
    return live === undefined ? inImage(ctx) : inMount(ctx, live)
  },
}
