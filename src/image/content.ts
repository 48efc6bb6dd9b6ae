/** hn4 cat and hn4 stat. */
import { uuidText } from '../base/bytes.ts'
import { isDamage } from '../base/error.ts'
import { printableBytes } from '../base/printable.ts'
import type { Command } from '../console/command.ts'
import type { Context } from '../console/context.ts'
import { EXIT } from '../console/exit-codes.ts'
import { keyValues } from '../console/table.ts'
import type { Volume } from '../reader/volume.ts'
import { DamageReport } from './damage.ts'
import { findTyped, withTarget } from './target.ts'
import { birthNs, deviceText, fileJson, flagsOf, modeOf, modeText, timeText } from './text.ts'

function cat(ctx: Context): number {
  const reports: DamageReport[] = []
  const files = ctx.args.flatMap(arg => {
    try {
      return withTarget(ctx, arg, (volume, { path }, damage) => {
        reports.push(damage)
        const content = contentOf(ctx, volume, path)
        return { path, size_bytes: BigInt(content.length), content_base64: content.toString('base64') }
      })
    } catch (error) {
      // Damage of one file does not hide the next.
      if (!isDamage(error)) throw error
      const damage = new DamageReport(ctx)
      reports.push(damage)
      damage.add(error)
      return []
    }
  })
  if (ctx.isJson) ctx.json({ files, errors: reports.flatMap(({ json }) => json) })
  return reports.reduce<number>((exit, { exitCode }) => exit | exitCode, EXIT.OK)
}

/** Writes the content of a file; with --json it is returned. */
function contentOf(ctx: Context, volume: Volume, path: string): Buffer {
  const pieces: Uint8Array[] = []
  for (const bytes of volume.readFile(findTyped(volume, path, true))) {
    if (ctx.isJson) pieces.push(bytes.slice())
    else ctx.io.stdout.writeBytes(bytes)
  }
  return Buffer.concat(pieces)
}

function stat(ctx: Context): number {
  return withTarget(ctx, ctx.arg(0), (volume, { path }, damage) => {
    const file = findTyped(volume, path, ctx.options.flag('dereference'))
    const { slot } = file
    const target = slot.type === 'symlink' ? printableBytes(volume.readlink(file)) : undefined
    const xattrs = volume.xattrs(file).map(({ name, value }) => {
      return { name: printableBytes(name), value: printableBytes(value), size_bytes: BigInt(value.length) }
    })
    if (ctx.isJson) {
      ctx.json({ path, target, ...fileJson(file), extended_attributes: xattrs, errors: damage.json })
      return damage.exitCode
    }
    const { attributes, anchor } = slot
    const mode = modeOf(slot).toString(8).padStart(4, '0')
    ctx.io.stdout.write(
      keyValues([
        ['File', target === undefined ? path : `${path} -> ${target}`],
        ['Type', slot.type ?? 'unknown'],
        ['Inode', String(slot.number)],
        ['Size', `${anchor.mass} bytes`],
        ['Blocks', `${attributes.blocks} of 4096 bytes${slot.has('INLINE') ? ' (content in the anchor)' : ''}`],
        ['Links', String(attributes.nlink)],
        ['Mode', `${mode} ${modeText(slot)}`],
        ['Owner', `uid ${attributes.uid}, gid ${attributes.gid}`],
        ...(attributes.rdev === 0 ? [] : [['Device', deviceText(attributes.rdev)] as const]),
        ['Accessed', timeText(attributes.atime)],
        ['Modified', timeText(anchor.mod_clock)],
        ['Changed', timeText(attributes.ctime)],
        ['Born', timeText(birthNs(slot))],
        ['Public id', uuidText(anchor.public_id)],
        ['Flags', flagsOf(slot).join(' ') || 'none'],
        ...xattrs.map(({ name, value }) => [`Attribute ${name}`, value] as const),
      ]),
    )
    return damage.exitCode
  })
}

export const catCommand: Command = {
  name: 'cat',
  summary: 'write the content of files of a volume to stdout',
  description: [
    'Each block is verified before it is written. A file ends before the first that does not hold what it should; the next file follows, and the exit code is 4.',
  ],
  exits: 'fsck',
  arguments: [{ name: 'IMAGE:/PATH', summary: 'regular file inside the volume', many: true }],
  examples: [
    { line: 'hn4 cat disk.img:/etc/fstab', meaning: 'show a file' },
    { line: 'hn4 cat disk.img:/photo.jpg > photo.jpg', meaning: 'take a file out without a mount' },
    { line: 'hn4 cat a.img:/log b.img:/log', meaning: 'one after the other' },
  ],
  run: cat,
}

export const statCommand: Command = {
  name: 'stat',
  summary: 'show the attributes of a file of a volume',
  exits: 'fsck',
  arguments: [{ name: 'IMAGE:/PATH', summary: 'file inside the volume' }],
  options: [{ name: 'dereference', short: 'L', kind: 'flag', summary: 'follow a symbolic link' }],
  examples: [
    { line: 'hn4 stat disk.img:/etc/passwd', meaning: 'mode, owner, size, times, public id' },
    { line: 'hn4 stat -L disk.img:/link', meaning: 'what the link leads to' },
    { line: 'hn4 stat --json disk.img:/', meaning: 'for a program' },
  ],
  run: stat,
}
