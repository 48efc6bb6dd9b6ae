/** The command line of mkfs.hn4, also `hn4 mkfs`. */
import { Hn4Error } from '../src/base/error.ts'
import type { Command } from '../src/console/command.ts'

export const mkfs: Command = {
  name: 'mkfs',
  summary: 'make an hn4 volume in a file or on a block device',
  description: [
    'With SIZE a missing image is created as a sparse file; without SIZE the image must exist. A device or file ' +
      'that holds a known filesystem, partition table or archive is left alone unless --force is given; one that ' +
      'is in use is left alone always.',
  ],
  exits: 'mkfs',
  arguments: [
    { name: 'IMAGE', summary: 'file or block device' },
    { name: 'SIZE', summary: 'bytes, or with k, M, G, T: 512M, 4G', optional: true },
  ],
  options: [
    { name: 'label', short: 'L', kind: 'text', value: 'LABEL', summary: 'name of the volume; too long is an error' },
    { name: 'uuid', short: 'U', kind: 'text', value: 'UUID', summary: 'UUID of the volume, or random' },
    { name: 'block-size', short: 'b', kind: 'size', value: 'SIZE', summary: 'block size: 4096 (also 4k)' },
    { name: 'cortex', short: 'N', kind: 'count', value: 'FILES', summary: 'room for this many files; fixed for life' },
    { name: 'metadata', short: 'm', kind: 'choice', value: 'COPIES', choices: ['dup', 'single'], summary: 'metadata copies' },
    { name: 'extended', short: 'E', kind: 'list', value: 'KEY=VALUE', summary: 'stride=, scale= of new files' },
    { name: 'features', short: 'O', kind: 'list', value: 'FEATURE', summary: 'features on, or off with ^; list shows them' },
    { name: 'seed', kind: 'text', value: 'HEX', summary: 'draw nothing at random: equal seeds give equal bytes' },
    { name: 'dry-run', short: 'n', kind: 'flag', summary: 'print the layout, write nothing' },
    { name: 'force', short: 'f', alsoShort: ['F'], kind: 'flag', summary: 'overwrite a known filesystem' },
    { name: 'no-discard', short: 'K', kind: 'flag', summary: 'do not discard what the image holds' },
  ],
  examples: [
    { line: 'mkfs.hn4 disk.img 4G', meaning: 'a volume of 4 GiB in a new sparse file' },
    { line: 'mkfs.hn4 -L backup -U random /dev/sdb1', meaning: 'on a partition, with a label' },
    { line: 'mkfs.hn4 --dry-run --json disk.img 1T', meaning: 'the layout it would have, for a program' },
  ],
  run: () => {
    throw new Hn4Error('UNSUPPORTED', { text: 'this build does not format volumes' })
  },
}
