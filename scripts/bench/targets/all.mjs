// All targets, in the order of the tables.
import { Hn4 } from './hn4.mjs'
import { Kernel } from './kernel.mjs'
import { Floor, Limit, MemVfs } from './limit.mjs'
import { Bindfs, Cryfs, Encfs, Fuse2fs, Gocryptfs, Ntfs3g } from './peers.mjs'

export function allTargets(stage) {
  return [
    new Hn4(stage, { transport: 'uring' }),
    new Hn4(stage, { transport: 'dev' }),
    new Hn4(stage, { transport: 'uring', options: ['writeback'], name: 'hn4-writeback' }),
    new Limit(stage, 'uring'),
    new Limit(stage, 'dev'),
    new MemVfs(stage, 'uring'),
    new MemVfs(stage, 'dev'),
    new Floor(stage, 'uring'),
    new Floor(stage, 'dev'),
    new Kernel(stage, 'ext4', false),
    new Kernel(stage, 'ext4', true),
    new Kernel(stage, 'ext4-inline', false),
    new Kernel(stage, 'xfs', false),
    new Kernel(stage, 'xfs', true),
    new Kernel(stage, 'btrfs', false),
    new Kernel(stage, 'btrfs', true),
    new Fuse2fs('fuse2fs', stage),
    new Ntfs3g('ntfs-3g', stage),
    new Gocryptfs('gocryptfs', stage),
    new Bindfs('bindfs', stage),
    new Cryfs('cryfs', stage),
    new Encfs('encfs', stage),
  ]
}
