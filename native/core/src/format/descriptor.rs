//! Block descriptors (docs/format.md 2): who owns a data block, and what its bytes must be.

use super::layout as l;
use super::slot::NUMBER_END;

/// 16 bytes drawn for a run of blocks that is placed together; zero where the codec uses none.
pub type Random = [u8; 16];

/// What a descriptor keeps of a block's content. Descriptors of 32 bytes hold the CRC alone; the rest is
/// zero then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// CRC32C of the stored bytes.
    pub crc: u32,
    /// Of the run that the block was placed with.
    pub random: Random,
    /// Proves that a holder of the volume's key stored the content at this place.
    pub tag: [u8; 16],
}

/// Which block of which file: what a stamp binds the content to. Of a run, its first block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockPlace {
    pub owner: u64,
    /// The owner's hint.
    pub hint: u32,
    /// Logical index.
    pub index: u64,
    /// Bits 0-3 copy number, then flags.
    pub flags: u16,
    /// Stored bytes: 4096; 0 if UNWRITTEN.
    pub stored: u16,
}

/// Indices of a file have 48 bits.
const INDEX_END: u64 = 1 << 48;
const COPY_BITS: u16 = 0xf;

impl BlockPlace {
    pub fn copy(&self) -> u8 {
        (self.flags & COPY_BITS) as u8
    }
    /// Whether the block is preallocated and reads as zeros.
    pub fn is_unwritten(&self) -> bool {
        u64::from(self.flags) & l::DESCRIPTOR_UNWRITTEN != 0
    }
    /// Whether it is a block of a directory or of presence nodes.
    pub fn is_meta(&self) -> bool {
        u64::from(self.flags) & l::DESCRIPTOR_META != 0
    }
    /// The place of block `i` of the run that begins here.
    pub fn plus(&self, i: u64) -> BlockPlace {
        BlockPlace { index: self.index + i, ..*self }
    }

    /// What no descriptor on a volume with so many metadata copies may say.
    pub fn problem(&self, metadata_copies: usize) -> Option<&'static str> {
        let known = u64::from(COPY_BITS) | l::DESCRIPTOR_UNWRITTEN | l::DESCRIPTOR_META;
        if u64::from(self.flags) & !known != 0 || (self.is_unwritten() && self.is_meta()) {
            return Some("unknown or contradictory descriptor flags");
        }
        if usize::from(self.copy()) >= if self.is_meta() { metadata_copies } else { DATA_COPIES } {
            return Some("no such copy of a block");
        }
        if u64::from(self.stored) != if self.is_unwritten() { 0 } else { l::BLOCK_SIZE } {
            return Some("a wrong stored length");
        }
        if self.owner == 0 || self.owner >= NUMBER_END {
            return Some("a wrong owner");
        }
        (self.index >= INDEX_END).then_some("a wrong logical index")
    }

    /// Whether a run of `count` blocks from here on has indices.
    pub fn fits(&self, count: u64) -> bool {
        self.index < INDEX_END && count <= INDEX_END - self.index
    }
}

/// Copies of the blocks of a file's data.
pub const DATA_COPIES: usize = 1;

/// A descriptor of either size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptor {
    pub owner: u64,
    /// Logical index in the file.
    pub index: u64,
    /// Transaction that made it.
    pub txn: u64,
    /// Bits 0-3 copy number, then flags.
    pub flags: u16,
    /// Stored bytes: 4096; 0 if UNWRITTEN.
    pub stored: u16,
    /// The owner's hint.
    pub hint: u32,
    pub stamp: Stamp,
}

impl Descriptor {
    /// The descriptor of a block made by transaction `txn`.
    pub fn new(place: &BlockPlace, txn: u64, stamp: Stamp) -> Descriptor {
        let BlockPlace { owner, hint, index, flags, stored } = *place;
        Descriptor { owner, index, txn, flags, stored, hint, stamp }
    }
    pub fn place(&self) -> BlockPlace {
        let Descriptor { owner, index, flags, stored, hint, .. } = *self;
        BlockPlace { owner, hint, index, flags, stored }
    }
    pub fn copy(&self) -> u8 {
        self.place().copy()
    }
    pub fn is_unwritten(&self) -> bool {
        self.place().is_unwritten()
    }
    pub fn is_meta(&self) -> bool {
        self.place().is_meta()
    }

    /// Why it is illegal on a volume with so many metadata copies.
    pub fn problem(&self, metadata_copies: usize) -> Option<&'static str> {
        let place = self.place();
        if self.txn == 0 {
            return Some("no transaction");
        }
        if place.is_unwritten() && self.stamp != Stamp::default() {
            return Some("unwritten, but with a checksum");
        }
        place.problem(metadata_copies)
    }
}

/// How the descriptors of a volume lie in the pages of their region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DescriptorTable {
    /// Bytes of a descriptor.
    pub size: u64,
    /// Descriptors of a page: as many as its payload holds whole.
    pub per_page: u64,
}

const RANDOM_AT: usize = l::Descriptor::SIZE;
const TAG_AT: usize = RANDOM_AT + size_of::<Random>();
/// Bytes of a descriptor that keeps a whole stamp.
const WITH_STAMP: u64 = TAG_AT as u64 + 16;

impl DescriptorTable {
    /// Descriptors that keep a CRC: those of plain volumes.
    pub const PLAIN: DescriptorTable =
        DescriptorTable { size: l::DESCRIPTOR_SIZE, per_page: l::DESCRIPTORS_PER_PAGE };
    /// Descriptors that keep a whole stamp.
    pub const STAMPED: DescriptorTable =
        DescriptorTable { size: WITH_STAMP, per_page: l::PAGE_PAYLOAD / WITH_STAMP };

    /// All of them.
    pub const ALL: [DescriptorTable; 2] = [DescriptorTable::PLAIN, DescriptorTable::STAMPED];

    /// The table of descriptors of `size` bytes; none if there are no such descriptors.
    pub fn of_size(size: u64) -> Option<DescriptorTable> {
        DescriptorTable::ALL.into_iter().find(|table| table.size == size)
    }
    /// Whether the descriptors keep random part and tag.
    pub const fn has_stamps(&self) -> bool {
        self.size == WITH_STAMP
    }
    /// The page of the region that holds the descriptor of data block `data`.
    pub fn page_of(&self, data: u64) -> u64 {
        data / self.per_page
    }
    /// Its place among the descriptors of the page.
    pub fn position(&self, data: u64) -> usize {
        (data % self.per_page) as usize
    }
    /// Byte of the page at which descriptor `position` of it begins.
    pub fn offset(&self, position: usize) -> usize {
        position * self.size as usize
    }

    /// Reads descriptor `position` of a page.
    ///
    /// # Panics
    /// If the page has no such descriptor: a bug of ours.
    pub fn decode(&self, page: &[u8], position: usize) -> Descriptor {
        let at = self.offset(position);
        let bytes = &page[at..at + self.size as usize];
        // It has no reserved bytes: decoding fails for short ones only.
        let l::Descriptor { owner, index, txn, crc, flags, stored, hint } =
            l::Descriptor::decode(bytes).expect("a whole descriptor");
        let mut stamp = Stamp { crc, ..Stamp::default() };
        if self.has_stamps() {
            stamp.random.copy_from_slice(&bytes[RANDOM_AT..TAG_AT]);
            stamp.tag.copy_from_slice(&bytes[TAG_AT..]);
        }
        Descriptor { owner, index, txn, flags, stored, hint, stamp }
    }

    /// Writes descriptor `position` of a page.
    ///
    /// # Panics
    /// As [`DescriptorTable::decode`].
    pub fn encode(&self, page: &mut [u8], position: usize, descriptor: &Descriptor) {
        let at = self.offset(position);
        let bytes = &mut page[at..at + self.size as usize];
        let Descriptor { owner, index, txn, flags, stored, hint, stamp } = *descriptor;
        l::Descriptor { owner, index, txn, crc: stamp.crc, flags, stored, hint }.encode(bytes);
        if self.has_stamps() {
            bytes[RANDOM_AT..TAG_AT].copy_from_slice(&stamp.random);
            bytes[TAG_AT..].copy_from_slice(&stamp.tag);
        }
    }
}

// A page of descriptors never straddles two pages of the free map.
const _: () = assert!(l::MAP_BITS_PER_PAGE % DescriptorTable::PLAIN.per_page == 0);
const _: () = assert!(l::MAP_BITS_PER_PAGE % DescriptorTable::STAMPED.per_page == 0);
const _: () = assert!(DescriptorTable::PLAIN.size as usize == l::Descriptor::SIZE);

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = l::PAGE_PAYLOAD as usize;

    fn sample() -> Descriptor {
        Descriptor {
            owner: 4711,
            index: (1 << 40) + 5,
            txn: 9,
            flags: l::DESCRIPTOR_META as u16 | 1,
            stored: 4096,
            hint: 42,
            stamp: Stamp { crc: 7, random: [0x10; 16], tag: [0x80; 16] },
        }
    }

    #[test]
    fn a_descriptor_of_64_bytes_is_that_of_32_then_random_part_and_tag() {
        let table = DescriptorTable::of_size(64).unwrap();
        assert_eq!((table.per_page, table.page_of(63 * 5 + 62), table.position(63 * 5 + 62)), (63, 5, 62));
        let (mut long, mut short) = ([0; PAGE], [0; PAGE]);
        table.encode(&mut long, 62, &sample());
        DescriptorTable::PLAIN.encode(&mut short, 0, &sample());
        let at = 62 * 64;
        assert_eq!(long[at..at + 32], short[..32]);
        assert_eq!((&long[at + 32..at + 48], &long[at + 48..]), (&[0x10; 16][..], &[0x80; 16][..]));
        assert!(long[..at].iter().chain(&short[32..]).all(|&byte| byte == 0));
        assert_eq!(table.decode(&long, 62), sample());
        let crc_alone = Descriptor { stamp: Stamp { crc: 7, ..Stamp::default() }, ..sample() };
        assert_eq!(DescriptorTable::PLAIN.decode(&short, 0), crc_alone);
        assert!([0, 31, 33, 48, 65, 128].iter().all(|&size| DescriptorTable::of_size(size).is_none()));
    }

    #[test]
    fn what_no_descriptor_says_is_refused() {
        assert_eq!((sample().problem(2), sample().place().fits(1 << 40)), (None, true));
        let unwritten = Descriptor {
            flags: l::DESCRIPTOR_UNWRITTEN as u16,
            stored: 0,
            stamp: Stamp::default(),
            ..sample()
        };
        assert_eq!(unwritten.problem(1), None);
        type Change = (&'static str, fn(&mut Descriptor));
        let changes: [Change; 9] = [
            ("flag", |d| d.flags |= 0x40),
            ("third copy", |d| d.flags |= 2),
            ("copy of data", |d| d.flags = 1),
            ("unwritten metadata", |d| d.flags |= l::DESCRIPTOR_UNWRITTEN as u16),
            ("stored", |d| d.stored = 4095),
            ("no owner", |d| d.owner = 0),
            ("owner", |d| d.owner = NUMBER_END),
            ("index", |d| d.index = INDEX_END),
            ("transaction", |d| d.txn = 0),
        ];
        for (what, change) in changes {
            let mut descriptor = sample();
            change(&mut descriptor);
            assert!(descriptor.problem(2).is_some(), "{what}");
        }
        assert!(sample().problem(1).is_some());
        for stamp in [
            Stamp { crc: 1, ..Stamp::default() },
            Stamp { random: [1; 16], ..Stamp::default() },
            Stamp { tag: [1; 16], ..Stamp::default() },
        ] {
            assert!(Descriptor { stamp, ..unwritten }.problem(2).is_some());
        }
        assert!(Descriptor { stored: 4096, ..unwritten }.problem(2).is_some());
        let last = BlockPlace { index: INDEX_END - 2, ..sample().place() };
        assert_eq!((last.fits(2), last.fits(3), last.plus(1).fits(1)), (true, false, true));
    }
}
