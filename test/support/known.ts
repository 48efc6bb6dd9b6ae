/**
 * Faults that the rules of test/tidy find and that are known: each goes as soon as it is repaired (the
 * tests remark on an entry that is no longer found). Nothing is added here.
 */
export const KNOWN = {
  fileCircles: [
    // In volume/, and five others of two files.
    'native/core/src: volume/commit/checkpoint volume/commit/thread volume/transaction/requests',
    'native/core/src: volume/open volume/recover',
    'native/core/src: device/testing/crash device/testing/trace',
    'native/core/src: extension/fill extension/plan',
    'TypeScript: src/console/command src/console/context',
    'TypeScript: src/format/log-item src/format/log-items',
    // Types that name each other from two files.
    'native/core/src: log/checkpoint log/replay log/verify',
    'native/core/src: log/rules log/view',
    'native/core/src: pages/cache pages/snapshot',
    'native/core/src: vfs/filesystem vfs/identity',
    // A mod.rs calls its child, which takes a constant or a function from it.
    'native/core/src: allocator/placement/mod allocator/placement/planner',
    'native/fuse/src: mount/direct mount/mod',
  ],
  // Rooms that use rooms above them.
  volumeOrder: [
    'blocks -> inode',
    'blocks -> meta',
    'blocks -> open',
    'change -> commit',
    'close -> open',
    'commit -> close',
    'commit -> open',
    'inode -> meta',
    'inode -> open',
    'meta -> open',
    'read -> open',
    'recover -> open',
    'transaction -> commit',
    'transaction -> inode',
    'transaction -> open',
    'writeback -> change',
    'writeback -> open',
  ],
  volumeCallCircles: [],
  volumeDoors: [
    'blocks: lists no doors',
    'change: lists no doors',
    'commit: lists no doors',
    'inode: lists no doors',
    'meta: lists no doors',
    'read: lists no doors',
    'space: lists no doors',
    'transaction: lists no doors',
    'writeback: lists no doors',
  ],
  references: [
    'docs/design.md, "Allocation": docs/design.md has no heading "Allocation"',
    'docs/design.md 3.4: docs/design.md has no section 3.4',
    'docs/format.md 7, "counters": docs/format.md 7 has no heading "counters"',
    // Files of volume/ before the move, named in docs/design.md and docs/architecture.md.
    'volume/blocks.rs: no such file',
    'volume/commit.rs: no such file',
    'volume/gate.rs: no such file',
    'volume/room.rs: no such file',
  ],
  words: ['docs/adr/0006-presence-root.md', 'docs/design.md', 'docs/simulations.md'],
} as const satisfies Record<string, readonly string[]>

/** Fails for each fault that is not known; remarks on each known one that is gone. */
export function check(
  t: { fail(message: string): unknown; comment(message: string): unknown; pass(message: string): unknown },
  rule: keyof typeof KNOWN,
  faults: Iterable<string>,
): void {
  const found = new Set(faults)
  const known = new Set<string>(KNOWN[rule])
  for (const fault of found) if (!known.has(fault)) t.fail(fault)
  for (const entry of known) if (!found.has(entry)) t.comment(`KNOWN.${rule}: gone, delete it: ${entry}`)
  t.pass(`${found.size} found, ${known.size} known`)
}
