//! The items of a record, read without copying (docs/format.md 7).

use crate::format::Region;
use crate::format::layout as l;

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

/// A run of descriptors: block `data + i` holds (owner, index + i) for i below `count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DescriptorRun<'a> {
    pub data: u64,
    pub owner: u64,
    pub index: u64,
    pub hint: u32,
    pub count: u32,
    pub flags: u16,
    pub stored: u16,
    /// `count` little-endian CRCs; empty if UNWRITTEN.
    crcs: &'a [u8],
}

impl DescriptorRun<'_> {
    pub fn is_unwritten(&self) -> bool {
        u64::from(self.flags) & l::DESCRIPTOR_UNWRITTEN != 0
    }
    pub fn is_meta(&self) -> bool {
        u64::from(self.flags) & l::DESCRIPTOR_META != 0
    }
    /// Copy number: 0 or 1.
    pub fn copy(&self) -> u16 {
        self.flags & 0xf
    }
    /// CRC32C of block `data + i`; 0 if UNWRITTEN.
    pub fn crc(&self, i: u32) -> u32 {
        match self.crcs.get(i as usize * 4..i as usize * 4 + 4) {
            Some(bytes) => u32::from_le_bytes(std::array::from_fn(|at| bytes[at])),
            None => 0,
        }
    }
    /// The descriptor of block `data + i`, made by transaction `txn`.
    pub fn descriptor(&self, i: u32, txn: u64) -> l::Descriptor {
        l::Descriptor {
            owner: self.owner,
            index: self.index + u64::from(i),
            txn,
            crc: self.crc(i),
            flags: self.flags,
            stored: self.stored,
            hint: self.hint,
        }
    }
}

/// Iterates over the items of a record that was checked; stops at the first malformed one.
#[derive(Clone)]
pub struct Items<'a> {
    rest: &'a [u8],
}

impl<'a> Items<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Items<'a> {
        Items { rest: bytes }
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
        let item = parse(header.kind, self.rest.get(l::LogItem::SIZE..size)?)?;
        self.rest = &self.rest[size..];
        Some(item)
    }
}

/// The item of exactly these bytes; none if they have another size or a reserved byte is set.
fn parse(kind: u16, body: &[u8]) -> Option<Item<'_>> {
    match kind {
        l::ITEM_TYPE_SLOT | l::ITEM_TYPE_SLOT_CLEAR => parse_slot(kind, body),
        l::ITEM_TYPE_DESCRIPTORS => parse_descriptors(body),
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

fn parse_descriptors(body: &[u8]) -> Option<Item<'_>> {
    let (head, rest) = body.split_at_checked(l::ItemDescriptors::SIZE)?;
    let head = l::ItemDescriptors::decode(head)?;
    let unwritten = u64::from(head.flags) & l::DESCRIPTOR_UNWRITTEN != 0;
    let bytes = if unwritten { 0 } else { head.count as usize * 4 };
    let (crcs, padding) = rest.split_at_checked(bytes)?;
    if rest.len() != bytes.next_multiple_of(8) || padding.iter().any(|&b| b != 0) {
        return None;
    }
    Some(Item::Descriptors(DescriptorRun {
        data: head.data,
        owner: head.owner,
        index: head.index,
        hint: head.hint,
        count: head.count,
        flags: head.flags,
        stored: head.stored,
        crcs,
    }))
}
