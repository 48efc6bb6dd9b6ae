/** The command line of fsck.hn4. */
import { Hn4Error } from '../src/base/error.ts'
import type { Command } from '../src/console/command.ts'
import type { Context } from '../src/console/context.ts'
import { UsageError } from '../src/console/failure.ts'
import { FSCK_PASSES, subtreePasses } from './passes/all.ts'
import { runPasses } from './run.ts'

function run(ctx: Context): Promise<number> {
  const { options } = ctx
  const modes = (['no', 'preen', 'yes'] as const).filter(name => options.flag(name))
  if (modes.length > 1) throw new UsageError('-n, -p and -y exclude each other')
  if (options.text('undo') !== undefined) {
    throw new Hn4Error('UNSUPPORTED', {
      path: ctx.arg(0),
      text: 'this version does not repair: there is nothing to undo',
    })
  }
  const path = options.text('path')
  const passes = path === undefined ? FSCK_PASSES : subtreePasses(path, false)
  return runPasses(ctx, {
    image: ctx.arg(0),
    passes,
    path,
    // At boot (fsck -a) and for "repair everything": what needs no repair is done. The rest is checked.
    trustClean: (modes[0] === 'preen' || modes[0] === 'yes') && path === undefined && !options.flag('force'),
    progressFd: options.number('progress'),
  })
}

export const fsck: Command = {
  name: 'fsck',
  summary: 'check the structure of an hn4 volume',
  description: [
    'Reads only. It proves structure: placement of anchors, descriptors against the free map and the equations, directories, links, ' +
      'extensions, counters; hn4 scrub verifies the bytes of files too. Exit codes are those of fsck(8) and may be added up.',
    'With -p, -a or -y a volume that was unmounted cleanly is clean without a check, unless -f is given; another is ' +
      'checked as with -n, for this version does not repair. The log of a volume that was not unmounted is replayed by ' +
      'the next mount: nothing has to be done for it.',
  ],
  exits: 'fsck',
  cancellable: true,
  arguments: [{ name: 'IMAGE', summary: 'file or block device, not mounted for writing' }],
  options: [
    { name: 'no', short: 'n', kind: 'flag', summary: 'change nothing (default)' },
    {
      name: 'preen',
      short: 'p',
      alsoShort: ['a'],
      kind: 'flag',
      summary: 'check only what was not unmounted cleanly (repair: not in this version)',
    },
    { name: 'yes', short: 'y', kind: 'flag', summary: 'as -p (repair: not in this version)' },
    {
      name: 'force',
      short: 'f',
      kind: 'flag',
      summary: 'check also if the volume was unmounted cleanly (without -p, -y always done)',
    },
    { name: 'path', kind: 'text', value: 'PATH', summary: 'check the files below this path of the volume only' },
    {
      name: 'progress',
      short: 'C',
      kind: 'count',
      value: 'FD',
      summary: 'progress: 0 = a bar, else lines to this descriptor',
    },
    {
      name: 'undo',
      short: 'z',
      kind: 'text',
      value: 'FILE',
      summary: 'save every block here before it is changed (not in this version)',
    },
    { name: 'all', short: 'A', kind: 'flag', hidden: true, summary: 'accepted for fsck(8)' },
    { name: 'type', short: 't', kind: 'text', hidden: true, summary: 'accepted for fsck(8)' },
  ],
  examples: [
    { line: 'fsck.hn4 -n disk.img', meaning: 'check, change nothing' },
    { line: 'fsck.hn4 --path /home disk.img', meaning: 'only what is below /home' },
    { line: 'fsck.hn4 --json disk.img', meaning: 'findings for a program' },
  ],
  run,
}
