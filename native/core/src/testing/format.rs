//! Formats a volume exactly as mkfs does (docs/format.md 9), for tests of the engine.

use super::sizes::choose_sizes;
use super::system_files::{SYSTEM_DIRECTORIES, directory_slot};
use crate::base::{AlignedBuf, BLOCK_SIZE, BlockNumber, Code, Error, Result, siphash24};
use crate::cortex::{Key, Placement};
use crate::device::Device;
use crate::format::layout as l;
use crate::format::{DescriptorTable, Geometry, LOG_BLOCKS_MIN, PageBytes, Region, store_page};
use crate::log::checkpoint;
use crate::superblocks;
use std::collections::BTreeMap;

/// What mkfs is asked for. `block_count` blocks of the device become the volume.
#[derive(Clone, Debug)]
pub struct FormatOptions {
    pub block_count: u64,
    pub label: String,
    /// UUID, salt and hash key follow from it.
    pub seed: [u8; 16],
    /// Two metadata copies (`-m dup`) or one (`-m single`).
    pub dup: bool,
    /// Overrides of the size rules; multiples of 16 for the cortex.
    pub cortex_pages: Option<u64>,
    pub log_blocks: Option<u64>,
    /// Bytes of a block descriptor, 32 or 64: whoever opens the volume needs the codec for it.
    pub descriptor_size: u64,
    /// V and M of new files.
    pub stride: u64,
    pub scale: u16,
    /// ns since 1970.
    pub created: i64,
}

impl FormatOptions {
    /// The defaults of mkfs for a volume of `block_count` blocks.
    pub fn new(block_count: u64) -> FormatOptions {
        FormatOptions {
            block_count,
            label: String::new(),
            seed: [0x5e; 16],
            dup: true,
            cortex_pages: None,
            log_blocks: None,
            descriptor_size: DescriptorTable::PLAIN.size,
            stride: 1,
            scale: 0,
            created: 1_700_000_000_123_456_789,
        }
    }

    /// With the smallest log there is, so that checkpoints come often.
    pub fn smallest_log(block_count: u64) -> FormatOptions {
        FormatOptions { log_blocks: Some(LOG_BLOCKS_MIN), ..FormatOptions::new(block_count) }
    }
}

/// Writes an empty volume and flushes it. Error: `InvalidArgument`, if the sizes do not fit.
pub fn format_volume(device: &dyn Device, options: &FormatOptions) -> Result<l::Superblock> {
    let superblock = make_superblock(options)?;
    let geometry = Geometry::of(&superblock)?;
    if geometry.block_count > device.block_count() {
        return Err(Error::new(Code::InvalidArgument, "the device is smaller than the volume"));
    }
    // An old volume must not come back after a crash in the middle: its superblocks go first.
    for position in 0..4 {
        zero(device, Geometry::superblock_block(geometry.block_count, position), 1)?;
    }
    device.flush()?;
    zero(device, BlockNumber(geometry.log_start), geometry.log_blocks)?;
    zero(device, geometry.checkpoint_blocks(0)[1], l::CHECKPOINT_SLOTS)?;
    write_pages(device, &geometry, options.created)?;
    checkpoint::write(device, &geometry, &first_checkpoint())?;
    device.flush()?;
    for position in 0..4 {
        superblocks::write_place(device, &superblock, position)?;
    }
    device.flush()?;
    Ok(superblock)
}

fn zero(device: &dyn Device, first: BlockNumber, count: u64) -> Result<()> {
    let zeros = AlignedBuf::zeroed(256);
    for done in (0..count).step_by(256) {
        let blocks = (count - done).min(256) as usize;
        device.write(first.plus(done), &zeros[..blocks * BLOCK_SIZE])?;
    }
    Ok(())
}

/// 16 bytes that follow from the seed: SipHash of the name and 0, then of the name and 1.
fn derive(seed: &[u8; 16], name: &str) -> [u8; 16] {
    let half = |number: u8| siphash24(seed, &[name.as_bytes(), &[number]].concat());
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&half(0).to_le_bytes());
    bytes[8..].copy_from_slice(&half(1).to_le_bytes());
    bytes
}

pub(crate) fn make_superblock(options: &FormatOptions) -> Result<l::Superblock> {
    let copies = if options.dup { 2 } else { 1 };
    let table = DescriptorTable::of_size(options.descriptor_size)
        .ok_or_else(|| Error::new(Code::InvalidArgument, "descriptors have 32 or 64 bytes"))?;
    let sizes = choose_sizes(options.block_count, copies, table, options.cortex_pages, options.log_blocks)?;
    let mut label = [0; 64];
    if options.label.len() > l::LABEL_MAX as usize || options.label.contains('\0') {
        return Err(Error::new(Code::InvalidArgument, "the label is too long or holds a NUL"));
    }
    label[..options.label.len()].copy_from_slice(options.label.as_bytes());
    let mut uuid = derive(&options.seed, "uuid");
    uuid[6] = uuid[6] & 0x0f | 0x40;
    uuid[8] = uuid[8] & 0x3f | 0x80;
    let copy_a = l::SUPERBLOCK_SLOTS + sizes.log_blocks;
    let copy_pages = sizes.init_pages
        + sizes.free_pages
        + sizes.unit_pages
        + sizes.descriptor_pages
        + sizes.cortex_pages
        + l::STASH_PAGES
        + sizes.extension_pages
        + l::KEY_PAGES
        + l::SCRUB_PAGES;
    let window_start = copy_a + copy_pages;
    let data_end = window_start + sizes.window_blocks + sizes.area_blocks;
    Ok(l::Superblock {
        magic: l::SUPERBLOCK_MAGIC,
        format_version: l::FORMAT_VERSION as u32,
        block_size: l::BLOCK_SIZE as u32,
        generation: 1,
        uuid,
        salt: derive(&options.seed, "salt"),
        hash_key: derive(&options.seed, "hash_key"),
        label,
        compat: 0,
        ro_compat: 0,
        incompat: l::INCOMPAT_EXPERIMENTAL,
        block_count: options.block_count,
        log_start: l::SUPERBLOCK_SLOTS,
        log_blocks: sizes.log_blocks,
        copy_a,
        copy_b: if options.dup { data_end } else { 0 },
        window_start,
        window_blocks: sizes.window_blocks,
        area_blocks: sizes.area_blocks,
        init_pages: sizes.init_pages,
        free_pages: sizes.free_pages,
        unit_pages: sizes.unit_pages,
        descriptor_pages: sizes.descriptor_pages,
        cortex_pages: sizes.cortex_pages,
        stash_pages: l::STASH_PAGES,
        extension_pages: sizes.extension_pages,
        key_pages: l::KEY_PAGES,
        scrub_pages: l::SCRUB_PAGES,
        descriptor_size: table.size as u32,
        shells: l::SHELLS as u32,
        stride: options.stride,
        scale: options.scale,
        position: 0,
        reserve_blocks: sizes.reserve_blocks,
        created: options.created,
        crc: 0,
    })
}

fn write_pages(device: &dyn Device, geometry: &Geometry, created: i64) -> Result<()> {
    let mut cortex: BTreeMap<u64, (Box<PageBytes>, usize)> = BTreeMap::new();
    let placement = Placement::new(geometry.hash_key, geometry.map.pages_of(Region::Cortex))?;
    for (number, permissions) in SYSTEM_DIRECTORIES {
        let page = placement.homes(Key { number, hint: 0 }).h1;
        let (image, used) = cortex.entry(page).or_insert_with(|| (Box::new([0; BLOCK_SIZE]), 0));
        let at = Geometry::slot_offset(*used as u16);
        image[at..at + l::SLOT_SIZE as usize].copy_from_slice(&directory_slot(number, permissions, created));
        *used += 1;
    }
    let map = &geometry.map;
    for number in 0..map.pages_of(Region::Init) {
        let mut image = [0; BLOCK_SIZE];
        for &page in cortex.keys() {
            let (init_page, bit) = geometry.init_bit(map.start(Region::Cortex).plus(page));
            if init_page.0 == number {
                image[bit / 8] |= 1 << (bit % 8);
            }
        }
        write_page(device, geometry, &mut image, Region::Init, number)?;
    }
    for (number, (mut image, _)) in cortex {
        write_page(device, geometry, &mut image, Region::Cortex, number)?;
    }
    Ok(())
}

fn write_page(
    device: &dyn Device,
    geometry: &Geometry,
    image: &mut PageBytes,
    region: Region,
    number: u64,
) -> Result<()> {
    store_page(image, &geometry.map, region, number, 1);
    let page = geometry.map.start(region).plus(number);
    for copy in 0..geometry.copies() {
        let block = geometry.page_block(copy, page).expect("the page is of this copy");
        device.write(block, &image[..])?;
    }
    Ok(())
}

/// The checkpoint block of a closed, empty volume: generation 1, so it goes to slot 1.
fn first_checkpoint() -> l::Checkpoint {
    l::Checkpoint {
        magic: l::CHECKPOINT_MAGIC as u32,
        flags: l::CHECKPOINT_CLEAN as u32,
        generation: 1,
        salt: [0; 16],
        epoch: 1,
        epoch_txn: 2,
        tail: 0,
        tail_txn: 2,
        tail_crc: 0,
        proven_txn: 1,
        next_number: l::INO_FIRST,
        live_blocks: 0,
        files: SYSTEM_DIRECTORIES.len() as u64,
        units: 0,
        tail_epoch: 1,
        crc: 0,
    }
}
