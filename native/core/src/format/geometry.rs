//! Where everything of a volume stands (docs/format.md 1 and 2), checked once when it is opened.

use super::descriptor::DescriptorTable;
use super::layout as l;
use super::layout::Superblock;
use super::prime::{is_prime, prime_at_most};
use super::region::{PageMap, Region};
use crate::base::{BLOCK_SIZE, BlockNumber, Code, CopyPage, Error, Result};

/// Fewest and most blocks of a log, with its two head checkpoint blocks. The upper limit bounds what a
/// reader spends on a hostile log.
pub const LOG_BLOCKS_MIN: u64 = 256;
pub const LOG_BLOCKS_MAX: u64 = 65_536;
/// Fewest blocks of the window and of the overwrite area.
pub const WINDOW_BLOCKS_MIN: u64 = 1024;
pub const AREA_BLOCKS_MIN: u64 = 256;

/// The geometry and the fixed identity of a volume.
///
/// Invariant: it passed [`Geometry::of`], so no arithmetic below overflows and every place named
/// lies inside the volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Geometry {
    pub block_count: u64,
    pub log_start: u64,
    /// Blocks of the log with its two head checkpoint blocks.
    pub log_blocks: u64,
    /// The metadata copies, and the salt.
    pub map: PageMap,
    pub window_start: u64,
    /// phi(0).
    pub window_blocks: u64,
    pub area_blocks: u64,
    pub reserve_blocks: u64,
    pub hash_key: [u8; 16],
    /// V and M of new files.
    pub stride: u64,
    pub scale: u16,
    pub descriptors: DescriptorTable,
}

fn wrong(what: &str, found: u64, expected: impl std::fmt::Display) -> Error {
    Error::new(Code::Corrupt, format!("superblock: {what} is {found}, expected {expected}"))
}

fn at_least(what: &str, found: u64, least: u64) -> Result<()> {
    if found < least { Err(wrong(what, found, format_args!("at least {least}"))) } else { Ok(()) }
}

fn exactly(what: &str, found: u64, expected: u64) -> Result<()> {
    if found != expected { Err(wrong(what, found, expected)) } else { Ok(()) }
}

/// The error for a volume whose blocks need a codec that is not there.
pub fn unknown_descriptors(size: u64) -> Error {
    let text = format!("the volume has block descriptors of {size} bytes; this version knows those of 32");
    Error::new(Code::NotSupported, text)
}

impl Geometry {
    /// Checks every rule of docs/format.md 1 about sizes and places. Errors: `Corrupt`, naming the field;
    /// `NotSupported`, if no descriptors of that size are known.
    pub fn of(s: &Superblock) -> Result<Geometry> {
        let size = u64::from(s.descriptor_size);
        let descriptors = DescriptorTable::of_size(size).ok_or_else(|| unknown_descriptors(size))?;
        if s.block_count < l::VOLUME_BLOCKS_MIN || s.block_count > l::VOLUME_BLOCKS_MAX {
            return Err(wrong("block_count", s.block_count, "4096 to 2^44"));
        }
        let pages = [
            s.init_pages,
            s.free_pages,
            s.unit_pages,
            s.descriptor_pages,
            s.cortex_pages,
            s.stash_pages,
            s.extension_pages,
            s.key_pages,
            s.scrub_pages,
        ];
        // With every part at most the volume, no sum below overflows.
        let parts = [s.log_blocks, s.window_blocks, s.area_blocks].into_iter().chain(pages);
        for part in parts {
            if part > s.block_count {
                return Err(wrong("the size of a part", part, format_args!("at most {}", s.block_count)));
            }
        }
        let data_blocks = s.window_blocks + s.area_blocks;
        let copy_pages: u64 = pages.iter().sum();
        let copies = if s.copy_b == 0 { 1 } else { 2 };
        at_least("log_blocks", s.log_blocks, LOG_BLOCKS_MIN)?;
        if s.log_blocks > LOG_BLOCKS_MAX {
            return Err(wrong("log_blocks", s.log_blocks, format_args!("at most {LOG_BLOCKS_MAX}")));
        }
        at_least("window_blocks", s.window_blocks, WINDOW_BLOCKS_MIN)?;
        at_least("area_blocks", s.area_blocks, AREA_BLOCKS_MIN)?;
        at_least("cortex_pages", s.cortex_pages, l::NEIGHBOURHOOD_PAGES)?;
        at_least("extension_pages", s.extension_pages, 1)?;
        exactly("stash_pages", s.stash_pages, l::STASH_PAGES)?;
        exactly("key_pages", s.key_pages, l::KEY_PAGES)?;
        exactly("scrub_pages", s.scrub_pages, l::SCRUB_PAGES)?;
        exactly("cortex_pages mod 16", s.cortex_pages % l::NEIGHBOURHOOD_PAGES, 0)?;
        exactly("free_pages", s.free_pages, data_blocks.div_ceil(l::MAP_BITS_PER_PAGE))?;
        exactly("descriptor_pages", s.descriptor_pages, data_blocks.div_ceil(descriptors.per_page))?;
        let units = l::UNITS_PER_PAGE * s.extension_pages;
        exactly("unit_pages", s.unit_pages, units.div_ceil(l::MAP_BITS_PER_PAGE))?;
        exactly("init_pages", s.init_pages, copy_pages.div_ceil(l::MAP_BITS_PER_PAGE))?;
        exactly("log_start", s.log_start, l::SUPERBLOCK_SLOTS)?;
        exactly("copy_a", s.copy_a, s.log_start + s.log_blocks)?;
        exactly("window_start", s.window_start, s.copy_a + copy_pages)?;
        let data_end = s.window_start + data_blocks;
        if copies == 2 {
            exactly("copy_b", s.copy_b, data_end)?;
        }
        let tail = data_end + (copies - 1) * copy_pages;
        exactly("block_count", s.block_count, tail + l::CHECKPOINT_SLOTS + l::SUPERBLOCK_SLOTS)?;
        if !is_prime(s.window_blocks) {
            return Err(wrong("window_blocks", s.window_blocks, "a prime"));
        }
        let phi = prime_at_most(s.window_blocks >> s.scale.min(63)).unwrap_or(0);
        if u64::from(s.scale) > l::SCALE_MAX || s.stride == 0 || s.stride >= phi {
            return Err(wrong("stride", s.stride, format_args!("1 to phi({}) - 1", s.scale)));
        }
        if s.reserve_blocks >= s.window_blocks {
            return Err(wrong("reserve_blocks", s.reserve_blocks, "less than the window"));
        }
        let copy_b = (copies == 2).then_some(BlockNumber(s.copy_b));
        Ok(Geometry {
            block_count: s.block_count,
            log_start: s.log_start,
            log_blocks: s.log_blocks,
            map: PageMap { copy_a: BlockNumber(s.copy_a), copy_b, pages, salt: s.salt },
            window_start: s.window_start,
            window_blocks: s.window_blocks,
            area_blocks: s.area_blocks,
            reserve_blocks: s.reserve_blocks,
            hash_key: s.hash_key,
            stride: s.stride,
            scale: s.scale,
            descriptors,
        })
    }

    /// Metadata copies: 1 or 2.
    pub fn copies(&self) -> usize {
        if self.map.copy_b.is_none() { 1 } else { 2 }
    }
    /// Pages of one metadata copy.
    pub fn copy_pages(&self) -> u64 {
        self.map.total()
    }
    pub fn salt(&self) -> &[u8; 16] {
        &self.map.salt
    }
    /// Data blocks: window and overwrite area.
    pub fn data_blocks(&self) -> u64 {
        self.window_blocks + self.area_blocks
    }
    /// Slots of cortex and stash.
    pub fn slots(&self) -> u64 {
        (self.map.pages_of(Region::Cortex) + self.map.pages_of(Region::Stash)) * l::SLOTS_PER_PAGE
    }
    /// Extension units, with unit 0, which is never used.
    pub fn units(&self) -> u64 {
        self.map.pages_of(Region::Extension) * l::UNITS_PER_PAGE
    }

    /// The block of a page in copy 0 (A) or 1 (B); none if the volume has no such copy or page.
    pub fn page_block(&self, copy: usize, page: CopyPage) -> Option<BlockNumber> {
        let start = [Some(self.map.copy_a), self.map.copy_b].get(copy).copied().flatten()?;
        (page.0 < self.copy_pages()).then(|| start.plus(page.0))
    }

    /// The block of data number `data` (0 = first block of the window).
    pub fn data_block(&self, data: u64) -> BlockNumber {
        debug_assert!(data < self.data_blocks());
        BlockNumber(self.window_start + data)
    }
    /// The data number of a block of window or overwrite area.
    pub fn data_number(&self, block: BlockNumber) -> Option<u64> {
        block.0.checked_sub(self.window_start).filter(|&data| data < self.data_blocks())
    }

    /// Blocks of the ring of records.
    pub fn ring_blocks(&self) -> u64 {
        self.log_blocks - l::CHECKPOINT_SLOTS
    }
    /// Most blocks of a record: a quarter of the ring.
    pub fn record_blocks_max(&self) -> u64 {
        self.ring_blocks() / 4
    }
    /// The device block of ring position `position`, which is below `ring_blocks`.
    pub fn ring_block(&self, position: u64) -> BlockNumber {
        debug_assert!(position < self.ring_blocks());
        BlockNumber(self.log_start + l::CHECKPOINT_SLOTS + position)
    }
    /// The two places of checkpoint slot 0 or 1: at the head of the log, at the tail of the volume.
    pub fn checkpoint_blocks(&self, slot: u64) -> [BlockNumber; 2] {
        let slot = slot % l::CHECKPOINT_SLOTS;
        let tail = self.block_count - l::SUPERBLOCK_SLOTS - l::CHECKPOINT_SLOTS;
        [BlockNumber(self.log_start + slot), BlockNumber(tail + slot)]
    }
    /// The block of superblock 0 to 3 in a volume of `block_count` blocks.
    pub fn superblock_block(block_count: u64, position: u16) -> BlockNumber {
        let position = u64::from(position % 4);
        if position < 2 { BlockNumber(position) } else { BlockNumber(block_count - 4 + position) }
    }

    /// The page of the copy and the bit in it that say whether page `page` was ever written.
    pub fn init_bit(&self, page: CopyPage) -> (CopyPage, usize) {
        self.map_bit(Region::Init, page.0)
    }
    /// The page of the copy and the bit in it of data block `data`.
    pub fn free_bit(&self, data: u64) -> (CopyPage, usize) {
        self.map_bit(Region::Free, data)
    }
    /// The page of the copy and the bit in it of extension unit `unit`.
    pub fn unit_bit(&self, unit: u64) -> (CopyPage, usize) {
        self.map_bit(Region::Unit, unit)
    }
    fn map_bit(&self, region: Region, bit: u64) -> (CopyPage, usize) {
        let page = self.map.start(region).plus(bit / l::MAP_BITS_PER_PAGE);
        (page, (bit % l::MAP_BITS_PER_PAGE) as usize)
    }
    /// The page of the copy that holds the descriptor of data block `data`, and its number in the page.
    pub fn descriptor_place(&self, data: u64) -> (CopyPage, usize) {
        let page = self.map.start(Region::Descriptor).plus(self.descriptors.page_of(data));
        (page, self.descriptors.position(data))
    }
    /// The page of the copy and the byte offset in it of extension unit `unit`.
    pub fn unit_place(&self, unit: u64) -> (CopyPage, usize) {
        let page = self.map.start(Region::Extension).plus(unit / l::UNITS_PER_PAGE);
        (page, (unit % l::UNITS_PER_PAGE * l::UNIT_SIZE) as usize)
    }
    /// Byte offset of slot 0 to 20 in a page of cortex or stash.
    pub fn slot_offset(slot: u16) -> usize {
        debug_assert!(u64::from(slot) < l::SLOTS_PER_PAGE);
        usize::from(slot) * l::SLOT_SIZE as usize
    }
}

const _: () = assert!(l::BLOCK_SIZE == BLOCK_SIZE as u64);
