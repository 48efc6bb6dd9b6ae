//! The items of a record, read without copying (docs/format.md 7).

use crate::format::layout as l;
use crate::format::{BlockPlace, Descriptor, DescriptorTable, Random, Region, Stamp};

/// Bytes of a tag.
pub(super) const TAG: usize = 16;

/// One statement of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A whole slot of cortex or stash.
    Slot {
        region: Region,
        page: u64,
        slot: u16,
        bytes: &'a [u8; SLOT],
    },
    SlotClear {
        region: Region,
        page: u64,
        slot: u16,
    },
    /// A run of descriptors; their free map bits are set.
    Descriptors(DescriptorRun<'a>),
    /// Data blocks that are free from now on.
    BlocksFree {
        first: u64,
        count: u64,
    },
    /// A whole extension unit; its unit map bit is set.
    Unit {
        number: u64,
        bytes: &'a [u8; UNIT],
    },
    UnitsFree {
        first: u64,
        count: u64,
    },
    /// Pages of the copy that replay starts from empty.
    Birth {
        first: u64,
        count: u64,
    },
    /// A whole page of the copy.
    Page {
        page: u64,
        payload: &'a [u8; PAYLOAD],
    },
}

const SLOT: usize = l::SLOT_SIZE as usize;
const UNIT: usize = l::UNIT_SIZE as usize;
const PAYLOAD: usize = l::PAGE_PAYLOAD as usize;

/// A run of descriptors: block `data + i` is that of `place.plus(i)`, for i below `count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DescriptorRun<'a> {
    pub data: u64,
    pub place: BlockPlace,
    pub count: u32,
    random: Random,
    /// `count` little-endian CRCs; empty if UNWRITTEN.
    crcs: &'a [u8],
    /// `count` tags, where descriptors keep whole stamps; empty if UNWRITTEN.
    tags: &'a [u8],
}

impl DescriptorRun<'_> {
    /// The place of block `data + i`.
    pub fn place(&self, i: u32) -> BlockPlace {
        self.place.plus(u64::from(i))
    }
    /// The stamp of block `data + i`; zero if UNWRITTEN.
    pub fn stamp(&self, i: u32) -> Stamp {
        let crc = part(self.crcs, i).map_or(0, u32::from_le_bytes);
        Stamp { crc, random: self.random, tag: part(self.tags, i).unwrap_or_default() }
    }
    /// The descriptor of block `data + i`, made by transaction `txn`.
    pub fn descriptor(&self, i: u32, txn: u64) -> Descriptor {
        Descriptor::new(&self.place(i), txn, self.stamp(i))
    }
}

/// Part `i` of equal parts.
fn part<const N: usize>(bytes: &[u8], i: u32) -> Option<[u8; N]> {
    bytes.get(i as usize * N..)?.first_chunk().copied()
}

/// Iterates over the items of a record that was checked; stops at the first malformed one.
#[derive(Clone)]
pub struct Items<'a> {
    rest: &'a [u8],
    table: DescriptorTable,
}

impl<'a> Items<'a> {
    pub(super) fn new(bytes: &'a [u8], table: DescriptorTable) -> Items<'a> {
        Items { rest: bytes, table }
    }
    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;
    fn next(&mut self) -> Option<Item<'a>> {
        let header = l::LogItem::decode(self.rest)?;
        let size = header.size as usize;
        if size < l::LogItem::SIZE || size % 8 != 0 {
            return None;
        }
        let item = parse(header.kind, self.rest.get(l::LogItem::SIZE..size)?, self.table)?;
        self.rest = &self.rest[size..];
        Some(item)
    }
}

/// The item of exactly these bytes; none if they have another size or a reserved byte is set.
fn parse(kind: u16, body: &[u8], table: DescriptorTable) -> Option<Item<'_>> {
    match kind {
        l::ITEM_TYPE_SLOT | l::ITEM_TYPE_SLOT_CLEAR => parse_slot(kind, body),
        l::ITEM_TYPE_DESCRIPTORS => parse_descriptors(body, table),
        l::ITEM_TYPE_BLOCKS_FREE | l::ITEM_TYPE_UNITS_FREE | l::ITEM_TYPE_BIRTH => {
            let l::ItemRun { first, count } = exactly(body, l::ItemRun::SIZE).and_then(l::ItemRun::decode)?;
            Some(match kind {
                l::ITEM_TYPE_BLOCKS_FREE => Item::BlocksFree { first, count },
                l::ITEM_TYPE_UNITS_FREE => Item::UnitsFree { first, count },
                _ => Item::Birth { first, count },
            })
        }
        l::ITEM_TYPE_UNIT | l::ITEM_TYPE_PAGE => {
            let (head, rest) = body.split_at_checked(l::ItemNumber::SIZE)?;
            let number = l::ItemNumber::decode(head)?.number;
            Some(if kind == l::ITEM_TYPE_UNIT {
                Item::Unit { number, bytes: rest.try_into().ok()? }
            } else {
                Item::Page { page: number, payload: rest.try_into().ok()? }
            })
        }
        _ => None,
    }
}

fn exactly(body: &[u8], size: usize) -> Option<&[u8]> {
    (body.len() == size).then_some(body)
}

fn parse_slot(kind: u16, body: &[u8]) -> Option<Item<'_>> {
    let (head, rest) = body.split_at_checked(l::ItemSlot::SIZE)?;
    let l::ItemSlot { page, slot, region } = l::ItemSlot::decode(head)?;
    let region = Region::from_number(region)?;
    if kind == l::ITEM_TYPE_SLOT {
        return Some(Item::Slot { region, page, slot, bytes: rest.try_into().ok()? });
    }
    rest.is_empty().then_some(Item::SlotClear { region, page, slot })
}

fn parse_descriptors(body: &[u8], table: DescriptorTable) -> Option<Item<'_>> {
    let (head, rest) = body.split_at_checked(l::ItemDescriptors::SIZE)?;
    let l::ItemDescriptors { data, owner, index, hint, count, flags, stored } =
        l::ItemDescriptors::decode(head)?;
    let place = BlockPlace { owner, hint, index, flags, stored };
    let stamps = if place.is_unwritten() { 0 } else { count as usize };
    let has_tags = table.has_stamps() && stamps > 0;
    let (random, rest) = rest.split_at_checked(if has_tags { size_of::<Random>() } else { 0 })?;
    let (crcs, rest) = rest.split_at_checked(stamps * 4)?;
    let (padding, tags) = rest.split_at_checked(crcs.len().next_multiple_of(8) - crcs.len())?;
    if tags.len() != if has_tags { stamps * TAG } else { 0 } || padding.iter().any(|&b| b != 0) {
        return None;
    }
    let random = random.try_into().unwrap_or_default();
    Some(Item::Descriptors(DescriptorRun { data, place, count, random, crcs, tags }))
}
