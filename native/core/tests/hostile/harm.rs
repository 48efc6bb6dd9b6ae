//! What a hostile hand may write into each structure.

use crate::base::Image;
use crate::forge::{
    descriptors, edit_meta, edit_page, edit_record, fix_extension, page, pages, put, records, write,
};
use hn4_core::base::{BLOCK_SIZE, crc32c};
use hn4_core::device::testing::MemDevice;
use hn4_core::format::layout as l;
use hn4_core::format::slot::{SLOT_SIZE, set_checksum};
use hn4_core::format::{Geometry, Region, set_bit, superblock};
use hn4_core::superblocks;
use hn4_core::testing::{Rng, read_block};

type Harm = fn(&MemDevice, &Image, &mut Rng) -> Option<String>;

const HARMS: [(u64, Harm); 9] = [
    (3, superblock_field),
    (4, checkpoint_field),
    (6, record_field),
    (14, slot_field),
    (8, descriptor_field),
    (4, map_bits),
    (4, extension_unit),
    (8, meta_bytes),
    (12, entry_number),
];

/// Harms the image in one place and says where. None: whatever was tried, there was no such place.
pub fn any(device: &MemDevice, image: &Image, rng: &mut Rng) -> Option<String> {
    (0..8).find_map(|_| some(device, image, rng))
}

fn some(device: &MemDevice, image: &Image, rng: &mut Rng) -> Option<String> {
    let all: u64 = HARMS.iter().map(|(weight, _)| weight).sum();
    let mut at = rng.below(all);
    for (weight, harm) in HARMS {
        match at.checked_sub(weight) {
            None => return harm(device, image, rng),
            Some(rest) => at = rest,
        }
    }
    None
}

/// A number that is likely to be wrong in an interesting way.
fn value(rng: &mut Rng, old: u64, image: &Image) -> u64 {
    let g = &image.geometry;
    let near = [old.wrapping_add(1), old.wrapping_sub(1), old << 1, old >> 1, !old];
    let limits = [
        0,
        1,
        2,
        3,
        4,
        15,
        16,
        17,
        g.data_blocks(),
        g.window_blocks,
        g.window_start,
        g.units(),
        g.slots(),
        g.block_count,
        g.ring_blocks(),
        u64::MAX,
        u64::MAX - 1,
        i64::MAX as u64,
        u64::from(u32::MAX),
        1 << 31,
        1 << 32,
        (1 << 47) - 1,
        1 << 47,
        1 << 48,
        (1 << 53) - 1,
        1 << 53,
        1 << 60,
        1 << 63,
    ];
    match rng.below(4) {
        0 => near[rng.below(near.len() as u64) as usize],
        1 => 16 + rng.below(image.next_number),
        2 if rng.chance(1, 4) => rng.next_u64(),
        _ => limits[rng.below(limits.len() as u64) as usize],
    }
}

/// Puts a value into 1, 2, 4 or 8 bytes at a place that such a field may have below `end`.
fn poke(bytes: &mut [u8], rng: &mut Rng, image: &Image, end: usize) -> String {
    let size = [1, 2, 4, 8, 8, 4][rng.below(6) as usize];
    let at = rng.below((end / size) as u64) as usize * size;
    let mut old = [0; 8];
    old[..size].copy_from_slice(&bytes[at..at + size]);
    let new = value(rng, u64::from_le_bytes(old), image);
    bytes[at..at + size].copy_from_slice(&new.to_le_bytes()[..size]);
    format!("{size} bytes at {at:#x} = {new:#x}")
}

fn superblock_field(device: &MemDevice, image: &Image, rng: &mut Rng) -> Option<String> {
    let found = superblocks::read(device).ok()?.superblock;
    let mut said = String::new();
    let fork = rng.next_u64();
    for position in 0..4 {
        let mut bytes = superblock::encode(&found, position);
        // The magic stays: else it is no volume at all.
        said = poke(&mut bytes[8..], &mut Rng::new(fork), image, 0x180);
        let crc = crc32c(&bytes[..l::Superblock::AT_CRC]);
        put(&mut bytes, l::Superblock::AT_CRC, crc);
        write(device, Geometry::superblock_block(found.block_count, position), &bytes);
    }
    Some(format!("superblock, from 8 on: {said}"))
}

fn checkpoint_field(device: &MemDevice, image: &Image, rng: &mut Rng) -> Option<String> {
    let found = hn4_core::log::checkpoint::read(device, &image.geometry).ok()?.checkpoint;
    let [block, _] = image.geometry.checkpoint_blocks(found.generation);
    let mut bytes = read_block(device, block);
    let said = poke(&mut bytes, rng, image, l::Checkpoint::SIZE);
    let crc = crc32c(&bytes[..l::Checkpoint::AT_CRC]);
    put(&mut bytes, l::Checkpoint::AT_CRC, crc);
    image.geometry.checkpoint_blocks(found.generation).into_iter().for_each(|at| write(device, at, &bytes));
    Some(format!("checkpoint block: {said}"))
}

fn record_field(device: &MemDevice, image: &Image, rng: &mut Rng) -> Option<String> {
    let all = records(device, &image.geometry);
    let which = rng.below(all.len() as u64 + 1) as usize;
    let length = all.get(which)?.1.length as usize;
    let mut said = String::new();
    edit_record(device, &image.geometry, which, |bytes| {
        said = poke(bytes, rng, image, length.min(bytes.len()));
        // A slot that the record holds has checksums of its own.
        if let Some(at) = (0..bytes.len() - 8).step_by(8).find(|&at| is_slot_item(&bytes[at..])) {
            let slot = at + l::LogItem::SIZE + l::ItemSlot::SIZE;
            let slot = bytes.get_mut(slot..slot + SLOT_SIZE).and_then(|slot| slot.try_into().ok());
            slot.into_iter().for_each(set_checksum);
        }
    });
    Some(format!("record {which}: {said}"))
}

fn is_slot_item(bytes: &[u8]) -> bool {
    let size = l::LogItem::SIZE + l::ItemSlot::SIZE + SLOT_SIZE;
    l::LogItem::decode(bytes).is_some_and(|item| item.kind == l::ITEM_TYPE_SLOT && item.size as usize == size)
}

fn pick<T: Clone>(rng: &mut Rng, from: &[T]) -> Option<T> {
    if from.is_empty() { None } else { Some(from[rng.below(from.len() as u64) as usize].clone()) }
}

fn slot_field(device: &MemDevice, image: &Image, rng: &mut Rng) -> Option<String> {
    let g = &image.geometry;
    let mut used = Vec::new();
    for region in [Region::Cortex, Region::Stash] {
        for number in pages(device, g, region) {
            let (bytes, _) = page(device, g, region, number)?;
            let slots = (0..l::SLOTS_PER_PAGE as usize).filter(|i| bytes[i * SLOT_SIZE] != 0);
            used.extend(slots.map(|slot| (region, number, slot)));
        }
    }
    let (region, number, slot) = pick(rng, &used)?;
    let mut said = String::new();
    edit_page(device, g, (region, number), |bytes| {
        let bytes = &mut bytes[slot * SLOT_SIZE..(slot + 1) * SLOT_SIZE];
        let of = u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes"));
        said = if rng.chance(1, 4) {
            let at = l::Anchor::AT_DATA_CLASS + rng.below(8) as usize;
            bytes[at] ^= 1 << rng.below(8);
            format!("file {of}: a flag of byte {at:#x} of its slot")
        } else {
            format!("file {of}: slot: {}", poke(bytes, rng, image, SLOT_SIZE))
        };
        set_checksum(bytes.try_into().expect("a slot"));
    });
    Some(said)
}

fn descriptor_field(device: &MemDevice, image: &Image, rng: &mut Rng) -> Option<String> {
    let g = &image.geometry;
    let (data, mut found) = pick(rng, &descriptors(device, g))?;
    match rng.below(7) {
        0 => found.owner = value(rng, found.owner, image) & ((1 << 53) - 1),
        1 => found.index = value(rng, found.index, image) & ((1 << 48) - 1),
        2 => found.txn = value(rng, found.txn, image) & ((1 << 48) - 1),
        3 => found.flags ^= 1 << rng.below(7),
        4 => found.stored = value(rng, 4096, image) as u16,
        5 => found.hint = value(rng, u64::from(found.hint), image) as u32,
        _ => found.stamp.crc ^= 1,
    }
    edit_page(device, g, (Region::Descriptor, g.descriptors.page_of(data)), |page| {
        g.descriptors.encode(page, g.descriptors.position(data), &found);
    });
    Some(format!("descriptor of data block {data}: {found:?}"))
}

fn map_bits(device: &MemDevice, image: &Image, rng: &mut Rng) -> Option<String> {
    let g = &image.geometry;
    let region = [Region::Init, Region::Free, Region::Free, Region::Unit][rng.below(4) as usize];
    let number = pick(rng, &pages(device, g, region))?;
    let end = if region == Region::Init { g.copy_pages() } else { g.data_blocks() };
    let (first, count) = (rng.below(end.min(l::MAP_BITS_PER_PAGE)), 1 + rng.below(40));
    let set = rng.chance(1, 2);
    edit_page(device, g, (region, number), |bytes| {
        (first..(first + count).min(l::MAP_BITS_PER_PAGE)).for_each(|at| set_bit(bytes, at, set));
    });
    Some(format!("{region:?} page {number}: {count} bits from {first} on = {set}"))
}

fn extension_unit(device: &MemDevice, image: &Image, rng: &mut Rng) -> Option<String> {
    let number = pick(rng, &pages(device, &image.geometry, Region::Extension))?;
    let mut said = String::new();
    edit_page(device, &image.geometry, (Region::Extension, number), |bytes| {
        let unit = rng.below(l::UNITS_PER_PAGE) as usize;
        let units = &mut bytes[unit * l::UNIT_SIZE as usize..l::PAGE_PAYLOAD as usize];
        said = poke(units, rng, image, 128.min(units.len()));
        fix_extension(units);
        said = format!("extension page {number}, unit {unit}: {said}");
    });
    Some(said)
}

fn meta_blocks(device: &MemDevice, image: &Image) -> Vec<(u64, u64)> {
    let all = descriptors(device, &image.geometry);
    all.iter().filter(|(_, found)| found.is_meta()).map(|(_, found)| (found.owner, found.index)).collect()
}

fn meta_bytes(device: &MemDevice, image: &Image, rng: &mut Rng) -> Option<String> {
    let (owner, index) = pick(rng, &meta_blocks(device, image))?;
    let fork = rng.next_u64();
    let end = [64, 512, BLOCK_SIZE][rng.below(3) as usize];
    edit_meta(device, &image.geometry, (owner, index), |bytes| {
        poke(bytes, &mut Rng::new(fork), image, end);
    });
    Some(format!("file {owner}, META block {index}: something in its first {end} bytes"))
}

/// An entry of a directory leads to another file: to a system file, its own directory, one above it, none.
fn entry_number(device: &MemDevice, image: &Image, rng: &mut Rng) -> Option<String> {
    let (owner, index) = pick(rng, &meta_blocks(device, image))?;
    let new = match rng.below(5) {
        0 | 1 => 1 + rng.below(15),
        2 => owner,
        _ => value(rng, owner, image),
    };
    let (fork, with_hint) = (rng.next_u64(), rng.chance(1, 2));
    edit_meta(device, &image.geometry, (owner, index), |bytes| {
        let entries = entries(bytes);
        if let Some(at) = pick(&mut Rng::new(fork), &entries) {
            bytes[at + l::DirEntry::AT_NUMBER..][..8].copy_from_slice(&new.to_le_bytes());
            if with_hint {
                // That of the system files.
                bytes[at + l::DirEntry::AT_HINT..][..8].fill(0);
            }
        }
    });
    Some(format!("directory {owner}, block {index}: an entry names file {new}"))
}

/// Where the entries of a leaf begin; none if it is no leaf.
fn entries(bytes: &[u8; BLOCK_SIZE]) -> Vec<usize> {
    let Some(head) = l::DirBlock::decode(bytes).filter(|head| head.kind == l::DIR_LEAF) else {
        return Vec::new();
    };
    let mut at = l::DIR_HEADER as usize;
    let mut found = Vec::new();
    for _ in 0..head.count {
        if at + l::DirEntry::SIZE > BLOCK_SIZE {
            break;
        }
        found.push(at);
        at += l::DirEntry::SIZE + usize::from(bytes[at + l::DirEntry::AT_NAME_LENGTH]);
    }
    found
}
