/** The command line of fsck.hn4. */
import { Hn4Error } from '../src/base/error.ts'
import type { Command } from '../src/console/command.ts'

export const fsck: Command = {
  name: 'fsck',
  summary: 'check the structure of an hn4 volume',
  description: [
    'Reads only, unless -p or -y is given. It proves structure; hn4 scrub verifies bytes. Exit codes are those of ' +
      'fsck(8) and may be added up.',
  ],
  exits: 'fsck',
  arguments: [{ name: 'IMAGE', summary: 'file or block device, not mounted for writing' }],
  options: [
    { name: 'no', short: 'n', kind: 'flag', summary: 'change nothing (default)' },
    { name: 'preen', short: 'p', alsoShort: ['a'], kind: 'flag', summary: 'repair what is safe without asking' },
    { name: 'yes', short: 'y', kind: 'flag', summary: 'repair everything that can be repaired' },
    { name: 'force', short: 'f', kind: 'flag', summary: 'check also if the volume is marked clean' },
    { name: 'path', kind: 'text', value: 'PATH', summary: 'check this path of the volume only' },
    {
      name: 'progress',
      short: 'C',
      kind: 'count',
      value: 'FD',
      summary: 'progress: 0 = a bar, else lines to this descriptor',
    },
    { name: 'undo', short: 'z', kind: 'text', value: 'FILE', summary: 'save every block here before it is changed' },
    { name: 'all', short: 'A', kind: 'flag', hidden: true, summary: 'accepted for fsck(8)' },
    { name: 'type', short: 't', kind: 'text', hidden: true, summary: 'accepted for fsck(8)' },
  ],
  examples: [
    { line: 'fsck.hn4 -n disk.img', meaning: 'check, change nothing' },
    { line: 'fsck.hn4 -p disk.img', meaning: 'repair what is safe, as at boot' },
    { line: 'fsck.hn4 -y -z undo.hn4 disk.img', meaning: 'repair everything, keep the old blocks' },
  ],
  run: () => {
    throw new Hn4Error('UNSUPPORTED', { text: 'this build does not check volumes' })
  },
}
