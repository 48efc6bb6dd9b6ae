/** What an image already holds: a short table of our own, blkid's answer where it is installed, or what it looks like. */
import { spawnSync } from 'node:child_process'
import { equalBytes, isZero } from '../base/bytes.ts'
import { closeSync, constants, openSync, readSync } from '../base/host-files.ts'
import { SUPERBLOCK_MAGIC_BYTES } from '../format/superblock.ts'

const text = (s: string): Uint8Array => new Uint8Array(Buffer.from(s, 'latin1'))

/** [what, offset from the start, bytes]. The first that fits is named. */
const TABLE: readonly (readonly [string, number, Uint8Array])[] = [
  ['an hn4 volume', 0, SUPERBLOCK_MAGIC_BYTES],
  ['an hn4 volume', 4096, SUPERBLOCK_MAGIC_BYTES],
  ['an ext filesystem', 1080, text('\x53\xef')],
  ['an xfs filesystem', 0, text('XFSB')],
  ['a btrfs filesystem', 65600, text('_BHRfS_M')],
  ['a bcache device', 4120, text('\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81')],
  ['a bcachefs filesystem', 4120, text('\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef')],
  ['an f2fs filesystem', 1024, text('\x10\x20\xf5\xf2')],
  ['an ntfs filesystem', 3, text('NTFS    ')],
  ['an exfat filesystem', 3, text('EXFAT   ')],
  ['a fat filesystem', 54, text('FAT')],
  ['a fat filesystem', 82, text('FAT32')],
  ['an iso9660 filesystem', 32769, text('CD001')],
  ['a squashfs filesystem', 0, text('hsqs')],
  ['an erofs filesystem', 1024, text('\xe2\xe1\xf5\xe0')],
  ['a jfs filesystem', 32768, text('JFS1')],
  ['a reiserfs filesystem', 65588, text('ReIsEr')],
  ['a hibernation image', 4086, text('S1SUSPEND')],
  ['a RAID member', 0, text('\xfc\x4e\x2b\xa9')],
  ['a RAID member', 4096, text('\xfc\x4e\x2b\xa9')],
  ['swap space', 4086, text('SWAPSPACE2')],
  ['a LUKS volume', 0, text('LUKS\xba\xbe')],
  ['an LVM volume', 512, text('LABELONE')],
  ['a qcow2 image', 0, text('QFI\xfb')],
  ['a vmdk image', 0, text('KDMV')],
  ['gzip data', 0, text('\x1f\x8b\x08')],
  ['a zip archive', 0, text('PK\x03\x04')],
  ['a zip archive', 0, text('PK\x05\x06')],
  ['xz data', 0, text('\xfd7zXZ\x00')],
  ['zstd data', 0, text('\x28\xb5\x2f\xfd')],
  ['bzip2 data', 0, text('BZh')],
  ['a 7-zip archive', 0, text('7z\xbc\xaf\x27\x1c')],
  ['lz4 data', 0, text('\x04\x22\x4d\x18')],
  ['a tar archive', 257, text('ustar')],
  ['a cpio archive', 0, text('0707')],
  ['an archive (ar)', 0, text('!<arch>\n')],
  ['an RPM package', 0, text('\xed\xab\xee\xdb')],
  ['an ELF program', 0, text('\x7fELF')],
  ['a Windows program', 0, text('MZ')],
  ['a script', 0, text('#!')],
  ['an SQLite database', 0, text('SQLite format 3\0')],
  ['a PostgreSQL dump', 0, text('PGDMP')],
  ['a PDF document', 0, text('%PDF-')],
  ['an Office document', 0, text('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1')],
  ['a PNG picture', 0, text('\x89PNG\r\n\x1a\n')],
  ['a JPEG picture', 0, text('\xff\xd8\xff')],
  ['a GIF picture', 0, text('GIF8')],
  ['a RIFF file (sound, picture or film)', 0, text('RIFF')],
  ['a film (MP4)', 4, text('ftyp')],
  ['a film (Matroska)', 0, text('\x1a\x45\xdf\xa3')],
  ['an Ogg file', 0, text('OggS')],
  ['sound (FLAC)', 0, text('fLaC')],
  ['sound (MP3)', 0, text('ID3')],
  ['a git pack', 0, text('PACK')],
  ['a file encrypted by age', 0, text('age-encryption.org/')],
  ['a message or key of PGP', 0, text('-----BEGIN PGP')],
  ['a key or certificate', 0, text('-----BEGIN ')],
  ['a VDI image', 64, text('\x7f\x10\xda\xbe')],
  ['a VHD image', 0, text('conectix')],
  ['a VHDX image', 0, text('vhdxfile')],
  ['an erased LUKS header', 0, text('SKUL\xba\xbe')],
  ['a GPT partition table', 512, text('EFI PART')],
  ['a GPT partition table', 4096, text('EFI PART')],
  ['a partition table (MBR)', 510, text('\x55\xaa')],
]

/** [what, bytes before the end, bytes]: the backup superblocks of hn4, the backup GPT header. */
const TAIL: readonly (readonly [string, number, Uint8Array])[] = [
  ['an hn4 volume', 8192, SUPERBLOCK_MAGIC_BYTES],
  ['an hn4 volume', 4096, SUPERBLOCK_MAGIC_BYTES],
  ['a GPT partition table', 512, text('EFI PART')],
]

/** Names what `head` (from the start) or `tail` (up to the end, in whole blocks) is known by; null: nothing. */
function knownSignature(head: Uint8Array, tail: Uint8Array): string | null {
  const found = TABLE.find(([, at, magic]) => equalBytes(head.subarray(at, at + magic.length), magic))
  if (found) return found[0]
  const atEnd = TAIL.find(([, before, magic]) => {
    const at = tail.length - before
    return at >= 0 && equalBytes(tail.subarray(at, at + magic.length), magic)
  })
  return atEnd?.[0] ?? null
}

const TEXT_BYTES = 4096
/** As far from the start as the table looks. */
const HEAD_BYTES = 65_608

/** Whether bytes look like text in any coding that keeps ASCII: no control characters but those that lay it out. */
function isText(head: Uint8Array): boolean {
  const start = head.subarray(0, TEXT_BYTES)
  const end = start.indexOf(0)
  const written = end < 0 ? start : start.subarray(0, end)
  // Behind a short text only zeros.
  if (written.length === 0 || !isZero(start, written.length)) return false
  const isLayout = (byte: number): boolean => (byte >= 8 && byte <= 13) || byte === 27
  return written.every(byte => (byte >= 32 && byte !== 127) || isLayout(byte))
}

/** Names what an image holds that is not zero; `head` and `tail` are its ends, `fd` is open for reading. */
export function contentOf(head: Uint8Array, tail: Uint8Array, fd: number): string {
  const known = knownSignature(head, tail) ?? blkidSignature(fd)
  if (known !== null) return known
  if (isText(head)) return 'text'
  return isZero(head) ? 'data of an unknown kind at its end' : 'data of an unknown kind'
}

/** What an image is whose superblocks are missing: named where a glance tells, else null. */
export function namedContent(path: string): string | null {
  const head = new Uint8Array(HEAD_BYTES)
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const length = readSync(fd, head, 0, head.length, 0)
      const seen = head.subarray(0, length)
      return knownSignature(seen, seen.subarray(0, 0)) ?? (isText(seen) ? 'text' : null)
    } finally {
      closeSync(fd)
    }
  } catch {
    return null
  }
}

/**
 * What blkid finds by probing; null if it finds nothing or is not installed. It gets the descriptor, for Node cannot
 * hand over a path that is not UTF-8.
 */
function blkidSignature(fd: number): string | null {
  for (const program of ['blkid', '/usr/sbin/blkid', '/sbin/blkid']) {
    const { error, status, stdout } = spawnSync(program, ['-p', '-o', 'export', '/proc/self/fd/3'], {
      encoding: 'utf8',
      timeout: 10_000,
      stdio: ['ignore', 'pipe', 'ignore', fd],
    })
    if (error) continue
    // 8: several signatures that contradict each other.
    if (status === 8) return 'several signatures'
    if (status !== 0) return null
    const value = (name: string): string | undefined => new RegExp(`^${name}=(.*)$`, 'm').exec(stdout)?.[1]
    const [type, table] = [value('TYPE'), value('PTTYPE')]
    if (type !== undefined) return `signature ${type} (${value('USAGE') ?? 'unknown use'})`
    return table === undefined ? null : `a partition table (${table})`
  }
  return null
}
