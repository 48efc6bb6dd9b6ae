/**
 * The single source of the hn4 format, version 1 (docs/format.md): every record, field by field.
 *
 * `scripts/generate.mjs` writes the Rust counterpart (native/core/src/format/layout.rs) and the
 * tables of docs/format.md from this file; a test fails when they differ.
 *
 * A field: name, offset in bytes, type, meaning. All numbers are little-endian. Type `zero:N`
 * is N reserved bytes that must be zero; `bytes:N` is N plain bytes.
 */

export type Scalar = 'u8' | 'u16' | 'u32' | 'u48' | 'u64' | 'i64'
export type FieldType = Scalar | `bytes:${number}` | `zero:${number}`
export type Field = readonly [name: string, offset: number, type: FieldType, meaning: string]
export interface RecordLayout {
  readonly name: string
  readonly size: number
  readonly title: string
  readonly fields: readonly Field[]
}

/** Bytes of a block and of a metadata page. */
export const BLOCK_SIZE = 4096
/** Bytes of a page before its trailer. */
export const PAGE_PAYLOAD = 4032
export const FORMAT_VERSION = 1

/** Named numbers of the format: [name, value, meaning]. Values up to 2^53 only. */
export const CONSTANTS = [
  ['BLOCK_SIZE', 4096, 'Bytes of a block and of a metadata page.'],
  ['PAGE_PAYLOAD', 4032, 'Bytes of a page before its trailer.'],
  ['FORMAT_VERSION', 1, 'Superblock format_version.'],
  ['PAGE_MAGIC', 0x50344e48, '"HN4P", metadata page trailer.'],
  ['CHECKPOINT_MAGIC', 0x4b344e48, '"HN4K", checkpoint block.'],
  ['RECORD_MAGIC', 0x52344e48, '"HN4R", first block of a log record.'],
  ['EXTENSION_MAGIC', 0x4154454d, '"META", extension record.'],
  ['DIRECTORY_MAGIC', 0x44344e48, '"HN4D", directory block.'],
  ['SLOT_SIZE', 192, 'Bytes of a cortex slot: anchor and attribute record.'],
  ['SLOTS_PER_PAGE', 21, 'Slots of a cortex or stash page.'],
  ['NEIGHBOURHOOD_PAGES', 16, 'Cortex pages of one neighbourhood (64 KiB): H1 stays inside it.'],
  ['STASH_PAGES', 4, 'Pages of the stash: 84 slots, resident in memory.'],
  ['KICKS_MAX', 16, 'Displacements of an insert before it takes a stash slot. Anchor protocol section 3.'],
  ['DESCRIPTOR_SIZE', 32, 'Bytes of a block descriptor.'],
  ['DESCRIPTORS_PER_PAGE', 126, 'Descriptors of a page.'],
  ['MAP_BITS_PER_PAGE', 32256, 'Bits of a page of the initialised, free and unit maps; 256 descriptor pages.'],
  ['GROUP_BLOCKS', 4032, 'Blocks of an allocation group: an eighth of a free map page, 32 descriptor pages.'],
  ['UNIT_SIZE', 256, 'Bytes of an extension unit.'],
  ['UNITS_PER_PAGE', 15, 'Extension units of a page; the 192 bytes behind them are zero.'],
  ['EXTENSION_HEADER', 40, 'Bytes of an extension record before its payload.'],
  ['INLINE_MAX', 28, 'Largest content kept in an anchor, bytes. Anchor protocol section 5.'],
  ['KEY_PAGES', 16, 'Pages of the key slot region (64 KiB).'],
  ['SCRUB_PAGES', 16, 'Pages of the scrub state region (64 KiB).'],
  ['CHECKPOINT_SLOTS', 2, 'Checkpoint blocks at the head of the log, and again at the tail of the volume.'],
  ['SUPERBLOCK_SLOTS', 2, 'Superblocks at the head, and again at the tail.'],
  ['VOLUME_BLOCKS_MIN', 4096, 'Smallest volume: 16 MiB.'],
  ['VOLUME_BLOCKS_MAX', 17592186044416, 'Largest volume: 2^44 blocks (a segment stores 44 bits).'],
  ['SHELLS', 2, 'K of new volumes: shells k = 0 and 1.'],
  ['SCALE_MAX', 12, 'Largest fractal scale M: clusters of 16 MiB.'],
  ['FILE_BLOCKS_MAX', 140737488355328, 'Data blocks of a file: logical indices below 2^47.'],
  ['PRESENCE_1', 140737488355328, 'Logical index of presence node 0 of level 1 (2^47).'],
  ['PRESENCE_2', 211106232532992, 'Level 2: 2^47 + 2^46.'],
  ['PRESENCE_3', 246290604621824, 'Level 3: 2^47 + 2^46 + 2^45.'],
  ['PRESENCE_BITS', 32768, 'Bits of a presence node.'],
  ['PRESENCE_ROOT_BITS', 64, 'Bits of the presence root in the anchor.'],
  ['NAME_MAX', 255, 'Bytes of a name.'],
  ['SYMLINK_MAX', 4095, 'Bytes of a symlink target.'],
  ['LABEL_MAX', 63, 'Bytes of a label (UTF-8).'],
  ['DIR_HEADER', 32, 'Bytes of a directory block before its entries.'],
  ['DIR_ENTRY_HEADER', 26, 'Bytes of a directory entry before its name.'],
  ['DIR_INDEX_ENTRIES', 1016, 'Leaf numbers of a directory index block.'],
  ['DIR_BLOCKS_MAX', 4294967295, 'Blocks of a directory: below 2^32.'],
  ['DIR_DEPTH_MAX', 28, 'Deepest directory index: 2^28 entries.'],
  ['COOKIE_FIRST', 64, 'Smallest cookie of an entry; 1 and 2 are "." and "..".'],
  ['LINK_MAX', 4294967295, 'Largest nlink.'],
  ['INO_ROOT', 1, 'Root directory.'],
  ['INO_ORPHANS', 2, 'Directory of files without a name whose space is not yet free.'],
  ['INO_PUBLIC_IDS', 3, 'Directory of changed public ids.'],
  ['INO_LOST_FOUND', 4, 'lost+found, made by fsck when needed.'],
  ['INO_QUARANTINE', 5, 'Reserved: quarantine.'],
  ['INO_KEYS', 6, 'Reserved: owner keys.'],
  ['INO_FIRST', 16, 'First number given to a file.'],
  ['NUMBER_END', 9007199254740992, 'Numbers of files and of their parents are below 2^53.'],
] as const satisfies readonly (readonly [string, number, string])[]

export type ConstantName = (typeof CONSTANTS)[number][0]

/** First eight bytes of a superblock; bytes that a text-mode or 7-bit copy would change. */
export const SUPERBLOCK_MAGIC = [0x89, 0x48, 0x4e, 0x34, 0x0d, 0x0a, 0x1a, 0x0a] as const

/** Regions of a metadata copy, in their order on disk: [name, number in the page trailer, meaning]. */
export const REGIONS = [
  ['INIT', 1, 'initialised map: a bit per page of the copy'],
  ['FREE', 2, 'free map: a bit per data block'],
  ['UNIT', 3, 'unit map: a bit per extension unit'],
  ['DESCRIPTOR', 4, 'descriptor table: 32 bytes per data block'],
  ['CORTEX', 5, 'cortex: slots of 192 bytes'],
  ['STASH', 6, 'stash: slots that found no place in the cortex'],
  ['EXTENSION', 7, 'extension region: units of 256 bytes'],
  ['KEY', 8, 'key slots (unused in version 1)'],
  ['SCRUB', 9, 'scrub state (unused in version 1)'],
] as const satisfies readonly (readonly [string, number, string])[]

/** Flag sets: [set, [name, bit, meaning]...]. */
export const FLAGS = {
  COMPAT: [['FROZEN', 0, 'a file has, or had, IMMUTABLE or APPEND: a mount must ask at every open']],
  INCOMPAT: [['EXPERIMENTAL', 0, 'format not yet released; set on every image']],
  DATA_CLASS: [
    ['TOMBSTONE', 0, 'last name gone, space not yet free'],
    ['TRUNCATING', 1, 'blocks beyond the size are still being freed'],
    ['ENCRYPTED', 2, 'reserved: EOPNOTSUPP'],
    ['COMPRESSED', 3, 'reserved: EOPNOTSUPP'],
    ['LUDIC', 4, 'reserved: EOPNOTSUPP'],
    ['INLINE', 5, 'content in the anchor'],
    ['SPARSE', 6, 'presence nodes say which blocks exist'],
    ['HAS_SEGMENTS', 7, 'SEGMENTS extension present'],
    ['HAS_XATTR', 8, 'XATTR extension present'],
    ['HAS_ACL', 9, 'ACL extension present'],
    ['HAS_TAGS', 10, 'reserved for TAGS'],
    ['SEALED', 11, 'reserved for SEAL'],
    ['LONG_SYMLINK', 26, 'symlink target in the SYMLINK extension'],
  ],
  PERMISSION: [
    ['IMMUTABLE', 16, 'no change of content, attributes or names (chattr +i)'],
    ['APPEND', 17, 'content only grows (chattr +a)'],
  ],
  DESCRIPTOR: [
    ['UNWRITTEN', 4, 'preallocated: reads as zeros, crc and stored are 0'],
    ['META', 5, 'directory block or presence node'],
  ],
  CHECKPOINT: [['CLEAN', 0, 'nothing to replay: the volume was closed']],
} as const satisfies Record<string, readonly (readonly [string, number, string])[]>

/**
 * What later features will use and nothing may use otherwise (docs/adr/0009-reserved.md): [record, place, name,
 * feature, meaning]. Bits of superblock words are unknown ones until their feature is there; bytes are zero.
 */
export const RESERVED = [
  ['Superblock', 'incompat bit 1', 'ENCRYPTED', 'encryption', 'blocks, pages, records and counters are enciphered'],
  ['Superblock', 'ro_compat bit 0', 'SEALS', 'seals', 'a file is, or was, SEALED'],
  ['Superblock', 'ro_compat bit 1', 'DATA_COPIES', 'data copies', 'a file has, or had, COPIES above 0'],
  ['Superblock', 'ro_compat bit 2', 'TAGS', 'tags', 'a file has, or had, TAGS or VECTOR records'],
  ['Superblock', '0x150, u16', 'cipher', 'encryption', '0: none; 1: XChaCha20-Poly1305; 2: XAES-256-GCM'],
  ['Superblock', '0x152, u16', 'data_copies', 'data copies', 'COPIES of new files'],
  ['Superblock', '0xfdc, 32 bytes', 'mac', 'encryption', 'HMAC-SHA256 of the bytes before it'],
  ['PageTrailer', '0x18, 16 bytes', 'random', 'encryption', "of the nonce, in the salt's place (not in KEY)"],
  ['PageTrailer', '0x28, 16 bytes', 'tag', 'encryption', 'of the payload'],
  ['Descriptor', '0x20, 16 bytes', 'random', 'encryption', 'of the nonce; descriptors have 64 bytes'],
  ['Descriptor', '0x30, 16 bytes', 'tag', 'encryption', 'of the block'],
  ['Checkpoint', '0x78, 16 bytes', 'random', 'encryption', 'of the nonce of the counters'],
  ['Checkpoint', '0x88, 16 bytes', 'tag', 'encryption', 'of the counters'],
  ['Checkpoint', '0x98, 16 bytes', 'tail_tag', 'encryption', 'tag of the record before the tail, beside tail_crc'],
  ['LogRecord', '0x5c, 16 bytes', 'tag', 'encryption', 'of what is enciphered; its random stands behind the header'],
  ['FileState', '0x00, u48', 'gravity_1', 'data copies', 'G of copy 1 of the data, of dense files too'],
] as const satisfies readonly (readonly [string, string, string, string, string])[]

/** Bit fields inside data_class: [name, lowest bit, width]. */
export const DATA_CLASS_FIELDS = [
  ['KMAX', 12, 4, 'highest shell in use by a block of the file'],
  ['WINDOW', 16, 8, 'window number: 0'],
  ['COPIES', 24, 2, 'further copies of the data: 0'],
] as const

/** Items of a log record: [name, type number, meaning]. */
export const LOG_ITEMS = [
  ['SLOT', 1, 'a whole slot of cortex or stash'],
  ['SLOT_CLEAR', 2, 'a slot becomes empty'],
  ['DESCRIPTORS', 3, 'a run of descriptors; sets their free map bits'],
  ['BLOCKS_FREE', 4, 'a run of free map bits becomes 0'],
  ['UNIT', 5, 'a whole extension unit; sets its unit map bit'],
  ['UNITS_FREE', 6, 'a run of unit map bits becomes 0'],
  ['BIRTH', 7, 'pages written for the first time: replay starts them from empty'],
  ['PAGE', 8, 'a whole page payload (volumes with one metadata copy)'],
] as const satisfies readonly (readonly [string, number, string])[]

/** Extension record types. */
export const EXTENSIONS = [
  ['SEGMENTS', 1, 'equations that deviate from the anchor, 16 bytes each'],
  ['XATTR', 2, 'extended attributes'],
  ['ACL', 3, 'reserved: access control lists'],
  ['TAGS', 4, 'reserved: tags'],
  ['SEAL', 5, 'reserved: signed seal'],
  ['VECTOR', 6, 'reserved: vectors'],
  ['SYMLINK', 7, 'symlink target longer than 28 bytes'],
] as const satisfies readonly (readonly [string, number, string])[]

/** Kinds of directory blocks. */
export const DIR_KINDS = [
  ['LEAF', 1, 'entries in cookie order'],
  ['INDEX', 2, 'leaf numbers by hash prefix'],
] as const satisfies readonly (readonly [string, number, string])[]

export const SUPERBLOCK = {
  name: 'Superblock',
  size: 4096,
  title: 'Superblock: geometry and identity',
  fields: [
    ['magic', 0x000, 'bytes:8', '89 48 4e 34 0d 0a 1a 0a.'],
    ['format_version', 0x008, 'u32', '1.'],
    ['block_size', 0x00c, 'u32', '4096.'],
    ['generation', 0x010, 'u64', 'Highest valid one wins; starts at 1.'],
    ['uuid', 0x018, 'bytes:16', 'UUID shown to people; may change.'],
    ['salt', 0x028, 'bytes:16', 'Random, drawn by mkfs, never changed; stands in every page, checkpoint and record.'],
    ['hash_key', 0x038, 'bytes:16', 'SipHash-2-4 key of cortex, directories and shells.'],
    ['label', 0x048, 'bytes:64', 'UTF-8, NUL-padded, at most 63 bytes.'],
    ['compat', 0x088, 'u64', 'Features that any reader may ignore.'],
    ['ro_compat', 0x090, 'u64', 'Features that a reader may ignore, a writer not.'],
    ['incompat', 0x098, 'u64', 'Features that must be known.'],
    ['block_count', 0x0a0, 'u64', 'Blocks of the volume.'],
    ['log_start', 0x0a8, 'u64', 'First block of the log (head checkpoint blocks).'],
    ['log_blocks', 0x0b0, 'u64', 'Blocks of the log, with its checkpoint blocks.'],
    ['copy_a', 0x0b8, 'u64', 'First block of metadata copy A.'],
    ['copy_b', 0x0c0, 'u64', 'First block of metadata copy B; 0: one copy.'],
    ['window_start', 0x0c8, 'u64', 'First block of the window.'],
    ['window_blocks', 0x0d0, 'u64', 'Blocks of the window: a prime, phi(0).'],
    ['area_blocks', 0x0d8, 'u64', 'Blocks of the overwrite area, behind the window.'],
    ['init_pages', 0x0e0, 'u64', 'Pages of the initialised map.'],
    ['free_pages', 0x0e8, 'u64', 'Pages of the free map.'],
    ['unit_pages', 0x0f0, 'u64', 'Pages of the unit map.'],
    ['descriptor_pages', 0x0f8, 'u64', 'Pages of the descriptor table.'],
    ['cortex_pages', 0x100, 'u64', 'Pages of the cortex, a multiple of 16.'],
    ['stash_pages', 0x108, 'u64', 'Pages of the stash: 4.'],
    ['extension_pages', 0x110, 'u64', 'Pages of the extension region.'],
    ['key_pages', 0x118, 'u64', 'Pages of the key slots: 16.'],
    ['scrub_pages', 0x120, 'u64', 'Pages of the scrub state: 16.'],
    ['descriptor_size', 0x128, 'u32', '32.'],
    ['shells', 0x12c, 'u32', 'K: 2.'],
    ['stride', 0x130, 'u64', 'V of new files, 1 <= V < phi(scale).'],
    ['scale', 0x138, 'u16', 'M of new files.'],
    ['position', 0x13a, 'u16', 'Which of the four: 0 and 1 at the head, 2 and 3 at the tail.'],
    ['reserved1', 0x13c, 'zero:4', ''],
    ['reserve_blocks', 0x140, 'u64', 'Blocks kept for metadata, unlink, truncate and overwrite.'],
    ['created', 0x148, 'i64', 'Time of mkfs, ns since 1970.'],
    ['reserved2', 0x150, 'zero:3756', ''],
    ['crc', 0xffc, 'u32', 'CRC32C of bytes 0 to 0xffb.'],
  ],
} as const satisfies RecordLayout

export const PAGE_TRAILER = {
  name: 'PageTrailer',
  size: 64,
  title: 'Page trailer: the last 64 bytes of every metadata page',
  fields: [
    ['magic', 0, 'u32', 'HN4P.'],
    ['region', 4, 'u16', 'Region number.'],
    ['reserved1', 6, 'zero:2', ''],
    ['page', 8, 'u64', 'Page number inside the region.'],
    ['txn', 16, 'u64', 'Last transaction that changed the page.'],
    ['salt', 24, 'bytes:16', "The volume's salt."],
    ['reserved2', 40, 'zero:20', ''],
    ['crc', 60, 'u32', 'CRC32C of the 4092 bytes before it.'],
  ],
} as const satisfies RecordLayout

export const ANCHOR = {
  name: 'Anchor',
  size: 128,
  title: 'Anchor',
  fields: [
    ['number', 0x00, 'u64', 'seed_id bytes 0-7: the inode number.'],
    ['hint', 0x08, 'u32', 'seed_id bytes 8-11: placement hint; picks the neighbourhood of H1.'],
    ['random', 0x0c, 'u32', 'seed_id bytes 12-15: random.'],
    ['public_id', 0x10, 'bytes:16', 'Identity shown to people; equals seed_id unless changed.'],
    ['gravity_center', 0x20, 'u64', 'G: block number of logical block 0 of copy 0; 0: no block owned.'],
    ['mass', 0x28, 'u64', 'Size in bytes.'],
    ['data_class', 0x30, 'u64', 'Flags.'],
    ['tag_filter', 0x38, 'u64', '0 in version 1.'],
    ['orbit_vector', 0x40, 'u48', 'V: stride in clusters; 0 when G is 0.'],
    ['fractal_scale', 0x46, 'u16', 'M: clusters of 2^M blocks; 0 when G is 0.'],
    ['permissions', 0x48, 'u32', 'Bits 0-11 mode, 12-15 type (S_IFMT >> 12), 16-31 capabilities.'],
    ['sovereign_id', 0x4c, 'u32', '0 in version 1.'],
    ['mod_clock', 0x50, 'i64', 'mtime, ns since 1970 (signed).'],
    ['write_gen', 0x58, 'u32', 'Low 32 bits of the transaction that wrote the slot.'],
    ['create_clock', 0x5c, 'u32', 'Birth time, seconds since 1970 (until 2106).'],
    ['checksum', 0x60, 'u32', 'CRC32C of the 128 bytes with this field 0.'],
    ['inline_buffer', 0x64, 'bytes:28', 'Content, or placement state: see the table of states.'],
  ],
} as const satisfies RecordLayout

export const ATTRIBUTES = {
  name: 'Attributes',
  size: 64,
  title: 'Attribute record: bytes 128 to 191 of a slot',
  fields: [
    ['uid', 0, 'u32', 'Owner.'],
    ['gid', 4, 'u32', 'Group.'],
    ['nlink', 8, 'u32', 'Names; for a directory 2 + its subdirectories.'],
    ['rdev', 12, 'u32', 'Device number (Linux makedev), for device files.'],
    ['atime', 16, 'i64', 'ns since 1970.'],
    ['ctime', 24, 'i64', 'ns since 1970.'],
    ['btime_ns', 32, 'u32', 'Nanoseconds of the birth time, below 10^9.'],
    ['blocks', 36, 'u48', 'Live blocks owned, of all copies and kinds.'],
    ['extension', 42, 'u48', 'First extension unit; 0: none.'],
    ['parent_number', 48, 'u64', "seed number of one name's directory."],
    ['parent_hint', 56, 'u32', 'Its hint.'],
    ['crc', 60, 'u32', 'CRC32C of the 16 bytes of seed_id and the 60 bytes before this field.'],
  ],
} as const satisfies RecordLayout

export const DIR_STATE = {
  name: 'DirState',
  size: 28,
  title: 'Inline buffer of a directory',
  fields: [
    ['gravity_1', 0, 'u48', 'G of copy 1; 0: no copy 1.'],
    ['depth', 6, 'u8', 'Depth of the index: it has 2^depth entries.'],
    ['reserved1', 7, 'zero:1', ''],
    ['index_first', 8, 'u32', 'First index block; 0: none (one leaf, or empty).'],
    ['index_blocks', 12, 'u32', 'Index blocks.'],
    ['entries', 16, 'u48', 'Names in the directory.'],
    ['reserved2', 22, 'zero:6', ''],
  ],
} as const satisfies RecordLayout

export const FILE_STATE = {
  name: 'FileState',
  size: 28,
  title: 'Inline buffer of a file that is neither a directory nor INLINE',
  fields: [
    ['gravity_1', 0, 'u48', 'G of copy 1 of the presence nodes; 0: none.'],
    ['height', 6, 'u8', 'Levels of presence nodes, 0 to 3.'],
    ['reserved1', 7, 'zero:1', ''],
    ['root', 8, 'u64', 'Presence root: bit i = node (or, at height 0, block) i exists.'],
    ['reserved2', 16, 'zero:12', ''],
  ],
} as const satisfies RecordLayout

export const DESCRIPTOR = {
  name: 'Descriptor',
  size: 32,
  title: 'Block descriptor',
  fields: [
    ['owner', 0, 'u64', 'Number of the file.'],
    ['index', 8, 'u48', 'Logical index in the file.'],
    ['txn', 14, 'u48', 'Transaction that made it.'],
    ['crc', 20, 'u32', 'CRC32C of the 4096 stored bytes.'],
    ['flags', 24, 'u16', 'Bits 0-3 copy number, then flags.'],
    ['stored', 26, 'u16', 'Stored bytes: 4096; 0 if UNWRITTEN.'],
    ['hint', 28, 'u32', "The owner's hint."],
  ],
} as const satisfies RecordLayout

export const EXTENSION_RECORD = {
  name: 'ExtensionRecord',
  size: 40,
  title: 'Extension record header',
  fields: [
    ['magic', 0, 'u32', 'META.'],
    ['type', 4, 'u32', 'Type.'],
    ['next', 8, 'u64', 'First unit of the next record; 0: last.'],
    ['owner', 16, 'u64', 'Number of the file.'],
    ['length', 24, 'u32', 'Bytes of payload, 1 to 3800.'],
    ['generation', 28, 'u32', 'Low 32 bits of the transaction that wrote it.'],
    ['reserved1', 32, 'zero:4', ''],
    ['crc', 36, 'u32', 'CRC32C of header and payload with this field 0.'],
  ],
} as const satisfies RecordLayout

export const DIR_BLOCK = {
  name: 'DirBlock',
  size: 32,
  title: 'Directory block header',
  fields: [
    ['magic', 0, 'u32', 'HN4D.'],
    ['kind', 4, 'u8', 'Leaf or index.'],
    ['depth', 5, 'u8', 'Leaf: bits of `prefix` that are fixed. Index: 0.'],
    ['count', 6, 'u16', 'Entries (leaf) or leaf numbers (index) in the block.'],
    ['used', 8, 'u16', 'Bytes used behind the header; the rest is zero.'],
    ['reserved1', 10, 'zero:2', ''],
    ['ordinal', 12, 'u32', 'Index: its place in the chain, from 0. Leaf: 0.'],
    ['prefix', 16, 'u64', 'Leaf: the fixed top bits of the 56-bit hash, other bits 0. Index: 0.'],
    ['next', 24, 'u32', 'Index: block number of the next index block; 0: last. Leaf: 0.'],
    ['reserved2', 28, 'zero:4', ''],
  ],
} as const satisfies RecordLayout

export const DIR_ENTRY = {
  name: 'DirEntry',
  size: 26,
  title: 'Directory entry, before its name',
  fields: [
    ['cookie', 0, 'u64', '(56-bit hash << 6 | discriminator) + 64.'],
    ['number', 8, 'u64', 'seed_id of the file: number,'],
    ['hint', 16, 'u32', 'hint,'],
    ['random', 20, 'u32', 'random.'],
    ['type', 24, 'u8', 'S_IFMT >> 12.'],
    ['name_length', 25, 'u8', 'Bytes of the name that follows, 1 to 255.'],
  ],
} as const satisfies RecordLayout

export const CHECKPOINT = {
  name: 'Checkpoint',
  size: 4096,
  title: 'Checkpoint block',
  fields: [
    ['magic', 0, 'u32', 'HN4K.'],
    ['flags', 4, 'u32', 'Flags.'],
    ['generation', 8, 'u64', 'Highest valid one wins; slot = generation mod 2.'],
    ['salt', 16, 'bytes:16', "The volume's salt."],
    ['epoch', 32, 'u64', 'Epoch of the records to follow; one more at every writable mount.'],
    ['epoch_txn', 40, 'u64', 'First transaction of that epoch.'],
    ['tail', 48, 'u64', 'Log block (0 = first behind the head checkpoint blocks) of the first record to replay.'],
    ['tail_txn', 56, 'u64', 'Its transaction number.'],
    ['tail_crc', 64, 'u32', 'CRC of the record before it.'],
    ['reserved1', 68, 'zero:4', ''],
    ['proven_txn', 72, 'u64', 'Every transaction up to this one is proven.'],
    ['next_number', 80, 'u64', 'Numbers from here on were never given to a file.'],
    ['live_blocks', 88, 'u64', 'Live blocks, as of the tail.'],
    ['files', 96, 'u64', 'Slots in use, as of the tail.'],
    ['units', 104, 'u64', 'Extension units in use, as of the tail.'],
    ['tail_epoch', 112, 'u64', 'Epoch of the record at the tail (records of older epochs may precede epoch_txn).'],
    ['reserved2', 120, 'zero:3972', ''],
    ['crc', 4092, 'u32', 'CRC32C of the 4092 bytes before it.'],
  ],
} as const satisfies RecordLayout

export const LOG_RECORD = {
  name: 'LogRecord',
  size: 112,
  title: 'Log record header',
  fields: [
    ['magic', 0, 'u32', 'HN4R.'],
    ['blocks', 4, 'u32', 'Log blocks of the record.'],
    ['epoch', 8, 'u64', 'Epoch.'],
    ['txn', 16, 'u64', 'Transaction number: one more than the record before.'],
    ['length', 24, 'u32', 'Bytes of header and items; zeros follow to the end of the last block.'],
    ['items', 28, 'u32', 'Items.'],
    ['salt', 32, 'bytes:16', "The volume's salt."],
    ['time', 48, 'i64', 'Time of the commit, ns since 1970.'],
    ['next_number', 56, 'u64', 'As in the checkpoint block, after this transaction.'],
    ['live_blocks', 64, 'u64', 'As in the checkpoint block.'],
    ['files', 72, 'u64', 'As in the checkpoint block.'],
    ['units', 80, 'u64', 'As in the checkpoint block.'],
    ['previous_crc', 88, 'u32', 'CRC of the record before.'],
    ['reserved1', 92, 'zero:16', ''],
    ['crc', 108, 'u32', 'CRC32C of all blocks of the record with this field 0.'],
  ],
} as const satisfies RecordLayout

export const LOG_ITEM = {
  name: 'LogItem',
  size: 8,
  title: 'Log item header',
  fields: [
    ['type', 0, 'u16', 'Type.'],
    ['reserved1', 2, 'zero:2', ''],
    ['size', 4, 'u32', 'Bytes of the item with this header, a multiple of 8.'],
  ],
} as const satisfies RecordLayout

export const ITEM_SLOT = {
  name: 'ItemSlot',
  size: 16,
  title: 'Body of SLOT (192 bytes of slot follow) and SLOT_CLEAR',
  fields: [
    ['page', 0, 'u64', 'Page in the region.'],
    ['slot', 8, 'u16', '0 to 20.'],
    ['region', 10, 'u16', 'CORTEX or STASH.'],
    ['reserved1', 12, 'zero:4', ''],
  ],
} as const satisfies RecordLayout

export const ITEM_DESCRIPTORS = {
  name: 'ItemDescriptors',
  size: 40,
  title: 'Body of DESCRIPTORS; `count` CRCs of 4 bytes follow unless UNWRITTEN, padded to 8',
  fields: [
    ['data', 0, 'u64', 'First data block (0 = first block of the window).'],
    ['owner', 8, 'u64', 'Number of the file.'],
    ['index', 16, 'u64', 'Logical index of the first; the others follow in steps of one.'],
    ['hint', 24, 'u32', "The owner's hint."],
    ['count', 28, 'u32', 'Descriptors.'],
    ['flags', 32, 'u16', 'As in the descriptor.'],
    ['stored', 34, 'u16', 'As in the descriptor.'],
    ['reserved1', 36, 'zero:4', ''],
  ],
} as const satisfies RecordLayout

export const ITEM_RUN = {
  name: 'ItemRun',
  size: 16,
  title: 'Body of BLOCKS_FREE (data blocks), UNITS_FREE (units), BIRTH (pages of the copy)',
  fields: [
    ['first', 0, 'u64', 'First.'],
    ['count', 8, 'u64', 'How many.'],
  ],
} as const satisfies RecordLayout

export const ITEM_NUMBER = {
  name: 'ItemNumber',
  size: 8,
  title: 'Body of UNIT (256 bytes follow) and PAGE (4032 bytes follow)',
  fields: [['number', 0, 'u64', 'Unit number, or page of the copy.']],
} as const satisfies RecordLayout

export const RECORDS = [
  SUPERBLOCK, PAGE_TRAILER, ANCHOR, ATTRIBUTES, DIR_STATE, FILE_STATE, DESCRIPTOR, EXTENSION_RECORD, DIR_BLOCK, DIR_ENTRY,
  CHECKPOINT, LOG_RECORD, LOG_ITEM, ITEM_SLOT, ITEM_DESCRIPTORS, ITEM_RUN, ITEM_NUMBER,
] as const
