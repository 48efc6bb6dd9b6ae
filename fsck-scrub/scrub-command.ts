/** hn4 scrub on an image: every byte against its checksum. Reads only. */
import { existsSync } from '../src/base/host-files.ts'
import type { Command } from '../src/console/command.ts'
import type { Context } from '../src/console/context.ts'
import { SCRUB_PASSES, subtreePasses } from './passes/all.ts'
import { runPasses } from './run.ts'

/** What scrub of a mount has, and an image does not need. */
const VERBS: readonly string[] = ['start', 'status', 'pause', 'resume', 'cancel', 'wait', 'history', 'repair']

function run(ctx: Context): Promise<number> {
  const image = ctx.arg(0)
  const path = ctx.options.text('path')
  return runPasses(ctx, { image, path, passes: path === undefined ? SCRUB_PASSES : subtreePasses(path, true) })
}

export const scrubCommand: Command = {
  name: 'scrub',
  summary: 'verify every byte of a volume and name the damaged files',
  description: [
    'Every metadata page in both copies, every anchor, descriptor and extension, every block of directories and files is read and ' +
      'compared with its checksum. Damage is named by file and byte range. Nothing is written. Scrub is about bytes; fsck.hn4 is about structure.',
  ],
  exits: 'fsck',
  cancellable: true,
  arguments: [{ name: 'IMAGE', summary: 'file or block device, not mounted for writing' }],
  misread([verb = '']) {
    if (!VERBS.includes(verb) || existsSync(verb)) return undefined
    return `${verb}: in this version scrub runs to its end, in front: hn4 scrub IMAGE`
  },
  options: [
    { name: 'path', kind: 'text', value: 'PATH', summary: 'only the files below this path of the volume' },
    { name: 'foreground', short: 'B', kind: 'flag', summary: 'stay in the foreground (always so on an image)' },
    { name: 'read-only', short: 'r', kind: 'flag', summary: 'repair nothing (always so on an image)' },
  ],
  examples: [
    { line: 'hn4 scrub disk.img', meaning: 'verify everything' },
    { line: 'hn4 scrub --path /home disk.img', meaning: 'only what is below /home' },
    { line: 'hn4 scrub --json disk.img', meaning: 'findings for a program' },
  ],
  run,
}
