/** The command line of mount.hn4, as mount(8) calls it: mount.hn4 IMAGE DIR [-sfnv] [-N ns] [-o opts] [-t type]. */
import { Hn4Error } from '../base/error.ts'
import type { Command } from '../console/command.ts'

export const mountHelper: Command = {
  name: 'mount.hn4',
  summary: 'mount an hn4 volume; called by mount -t hn4',
  exits: 'mount',
  without: ['json', 'raw', 'iec', 'si', 'quiet', 'color'],
  arguments: [
    { name: 'IMAGE', summary: 'file or block device' },
    { name: 'DIR', summary: 'where to mount it' },
  ],
  options: [
    { name: 'sloppy', short: 's', kind: 'flag', summary: 'ignore mount options that are not known' },
    { name: 'fake', short: 'f', kind: 'flag', summary: 'do everything but mount' },
    { name: 'no-mtab', short: 'n', kind: 'flag', summary: 'accepted; there is no table to write' },
    { name: 'namespace', short: 'N', kind: 'text', value: 'NS', summary: 'mount in this namespace' },
    { name: 'options', short: 'o', kind: 'list', value: 'OPTIONS', summary: 'mount options, separated by commas' },
    { name: 'type', short: 't', kind: 'text', value: 'TYPE', summary: 'accepted; the type is hn4' },
  ],
  examples: [
    { line: 'mount -t hn4 disk.img /mnt', meaning: 'mount by way of mount(8)' },
    { line: 'mount.hn4 disk.img /mnt -o ro,noatime', meaning: 'call the helper itself' },
    { line: 'mount.hn4 -f -v disk.img /mnt', meaning: 'check that it would mount' },
  ],
  run: () => {
    throw new Hn4Error('UNSUPPORTED', { text: 'this build does not mount volumes' })
  },
}
