//! Building a log record (docs/format.md 7).

use super::Counters;
use super::codec::store_record;
use super::item::TAG;
use super::view::check_before_write;
use crate::base::{AlignedBuf, BLOCK_SIZE, Result};
use crate::format::layout as l;
use crate::format::{BlockPlace, DescriptorTable, Geometry, Random, Region, Stamp};

/// Log bytes of a SLOT item.
pub const fn slot_bytes() -> usize {
    l::LogItem::SIZE + l::ItemSlot::SIZE + l::SLOT_SIZE as usize
}
/// Log bytes of a SLOT_CLEAR item.
pub const fn slot_clear_bytes() -> usize {
    l::LogItem::SIZE + l::ItemSlot::SIZE
}
/// Log bytes of a DESCRIPTORS item with `stamps` stamps (0 if UNWRITTEN). The worst case of a transaction
/// is one item for each block.
pub const fn descriptors_bytes(table: DescriptorTable, stamps: usize) -> usize {
    let plain = l::LogItem::SIZE + l::ItemDescriptors::SIZE + (stamps * 4).next_multiple_of(8);
    if !table.has_stamps() || stamps == 0 { plain } else { plain + size_of::<Random>() + stamps * TAG }
}
/// Log bytes of a BLOCKS_FREE, UNITS_FREE or BIRTH item.
pub const fn run_bytes() -> usize {
    l::LogItem::SIZE + l::ItemRun::SIZE
}
/// Log bytes of a UNIT item.
pub const fn unit_bytes() -> usize {
    l::LogItem::SIZE + l::ItemNumber::SIZE + l::UNIT_SIZE as usize
}
/// Log bytes of a PAGE item.
pub const fn page_bytes() -> usize {
    l::LogItem::SIZE + l::ItemNumber::SIZE + l::PAGE_PAYLOAD as usize
}
/// Log blocks of a record whose items take `item_bytes`.
pub const fn blocks_of(item_bytes: usize) -> usize {
    (l::LogRecord::SIZE + item_bytes).div_ceil(BLOCK_SIZE)
}

/// What a record says about its transaction beside the items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit {
    pub epoch: u64,
    pub txn: u64,
    /// CRC of the record before.
    pub previous_crc: u32,
    /// Time of the commit, ns since 1970.
    pub time: i64,
    /// After this transaction.
    pub counters: Counters,
}

/// Collects the items of a transaction. PAGE and BIRTH items may come at any time; they are written
/// before all others. The caller keeps the rules of docs/format.md (each thing once).
pub struct RecordBuilder {
    table: DescriptorTable,
    pages: Vec<u8>,
    births: Vec<u8>,
    others: Vec<u8>,
    items: u32,
}

impl RecordBuilder {
    /// An empty record of a volume whose descriptors are those of `table`.
    pub fn new(table: DescriptorTable) -> RecordBuilder {
        RecordBuilder { table, pages: Vec::new(), births: Vec::new(), others: Vec::new(), items: 0 }
    }
    /// Forgets all items, keeps the memory.
    pub fn clear(&mut self) {
        self.pages.clear();
        self.births.clear();
        self.others.clear();
        self.items = 0;
    }
    pub fn items(&self) -> u32 {
        self.items
    }
    pub fn is_empty(&self) -> bool {
        self.items == 0
    }
    /// Bytes of header and items.
    pub fn byte_count(&self) -> usize {
        l::LogRecord::SIZE + self.pages.len() + self.births.len() + self.others.len()
    }
    /// Log blocks of the record as it is now.
    pub fn block_count(&self) -> usize {
        self.byte_count().div_ceil(BLOCK_SIZE)
    }

    /// Slot 0 to 20 of a page of cortex or stash has these bytes.
    pub fn slot(&mut self, region: Region, page: u64, slot: u16, bytes: &[u8; l::SLOT_SIZE as usize]) {
        self.items += 1;
        start(&mut self.others, l::ITEM_TYPE_SLOT, slot_bytes());
        self.slot_place(region, page, slot);
        self.others.extend_from_slice(bytes);
    }
    pub fn slot_clear(&mut self, region: Region, page: u64, slot: u16) {
        self.items += 1;
        start(&mut self.others, l::ITEM_TYPE_SLOT_CLEAR, slot_clear_bytes());
        self.slot_place(region, page, slot);
    }
    fn slot_place(&mut self, region: Region, page: u64, slot: u16) {
        let mut head = [0; l::ItemSlot::SIZE];
        l::ItemSlot { page, slot, region: region as u16 }.encode(&mut head);
        self.others.extend_from_slice(&head);
    }

    /// A run of written blocks from data block `data` on, the first of which is `place`, with their
    /// stamps. An item for each stretch of one random part; an empty run adds nothing.
    pub fn descriptors(&mut self, data: u64, place: &BlockPlace, stamps: &[Stamp]) {
        let mut done = 0;
        for part in stamps.chunk_by(|a, b| a.random == b.random) {
            self.run_head(data + done, &place.plus(done), part.len() as u32, part.len());
            if self.table.has_stamps() {
                self.others.extend_from_slice(&part[0].random);
            }
            for stamp in part {
                self.others.extend_from_slice(&stamp.crc.to_le_bytes());
            }
            if part.len() % 2 == 1 {
                self.others.extend_from_slice(&[0; 4]);
            }
            if self.table.has_stamps() {
                part.iter().for_each(|stamp| self.others.extend_from_slice(&stamp.tag));
            }
            done += part.len() as u64;
        }
    }
    /// A run of preallocated blocks. An empty run adds nothing.
    pub fn unwritten(&mut self, data: u64, place: &BlockPlace, count: u32) {
        if count > 0 {
            self.run_head(data, place, count, 0);
        }
    }
    fn run_head(&mut self, data: u64, place: &BlockPlace, count: u32, stamps: usize) {
        self.items += 1;
        start(&mut self.others, l::ITEM_TYPE_DESCRIPTORS, descriptors_bytes(self.table, stamps));
        let mut head = [0; l::ItemDescriptors::SIZE];
        let BlockPlace { owner, hint, index, flags, stored } = *place;
        l::ItemDescriptors { data, owner, index, hint, count, flags, stored }.encode(&mut head);
        self.others.extend_from_slice(&head);
    }

    /// Data blocks that are free from now on. An empty run adds nothing.
    pub fn blocks_free(&mut self, first: u64, count: u64) {
        self.items += append_run(&mut self.others, l::ITEM_TYPE_BLOCKS_FREE, first, count);
    }
    /// Extension units that are free from now on. An empty run adds nothing.
    pub fn units_free(&mut self, first: u64, count: u64) {
        self.items += append_run(&mut self.others, l::ITEM_TYPE_UNITS_FREE, first, count);
    }
    /// Pages of the copy that are written for the first time. An empty run adds nothing.
    pub fn birth(&mut self, first: u64, count: u64) {
        self.items += append_run(&mut self.births, l::ITEM_TYPE_BIRTH, first, count);
    }

    /// Extension unit `number` has these bytes and is in use.
    pub fn unit(&mut self, number: u64, bytes: &[u8; l::UNIT_SIZE as usize]) {
        self.items += 1;
        start(&mut self.others, l::ITEM_TYPE_UNIT, unit_bytes());
        self.others.extend_from_slice(&number.to_le_bytes());
        self.others.extend_from_slice(bytes);
    }
    /// Page `page` of the copy has this payload, before the items of this record are applied to it.
    pub fn page(&mut self, page: u64, payload: &[u8; l::PAGE_PAYLOAD as usize]) {
        self.items += 1;
        start(&mut self.pages, l::ITEM_TYPE_PAGE, page_bytes());
        self.pages.extend_from_slice(&page.to_le_bytes());
        self.pages.extend_from_slice(payload);
    }

    /// The record in whole blocks, ready for the log, and its CRC for the record after it. Nothing is checked:
    /// who writes a volume calls [`RecordBuilder::finish_checked`].
    pub fn finish(&self, commit: &Commit, salt: &[u8; 16]) -> (AlignedBuf, u32) {
        let mut blocks = AlignedBuf::zeroed(self.block_count());
        self.fill(commit, salt, &mut blocks);
        let crc = store_record(&mut blocks);
        (blocks, crc)
    }

    /// As [`RecordBuilder::finish`], of a record that recovery takes. Error: `Corrupt`, saying which rule it
    /// breaks: it must not be written.
    pub fn finish_checked(&self, commit: &Commit, geometry: &Geometry) -> Result<(AlignedBuf, u32)> {
        let mut blocks = AlignedBuf::zeroed(self.block_count());
        self.fill(commit, &geometry.map.salt, &mut blocks);
        check_before_write(&blocks, geometry)?;
        let crc = store_record(&mut blocks);
        Ok((blocks, crc))
    }

    /// Header without a checksum, items and zeros, into a buffer of `block_count` blocks.
    fn fill(&self, commit: &Commit, salt: &[u8; 16], out: &mut [u8]) {
        let header = l::LogRecord {
            magic: l::RECORD_MAGIC as u32,
            blocks: self.block_count() as u32,
            epoch: commit.epoch,
            txn: commit.txn,
            length: self.byte_count() as u32,
            items: self.items,
            salt: *salt,
            time: commit.time,
            next_number: commit.counters.next_number,
            live_blocks: commit.counters.live_blocks,
            files: commit.counters.files,
            units: commit.counters.units,
            previous_crc: commit.previous_crc,
            crc: 0,
        };
        header.encode(out);
        let mut at = l::LogRecord::SIZE;
        for part in [&self.pages, &self.births, &self.others] {
            out[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        out[at..].fill(0);
    }
}

fn start(out: &mut Vec<u8>, kind: u16, size: usize) {
    let mut head = [0; l::LogItem::SIZE];
    l::LogItem { kind, size: size as u32 }.encode(&mut head);
    out.extend_from_slice(&head);
}

fn append_run(out: &mut Vec<u8>, kind: u16, first: u64, count: u64) -> u32 {
    if count == 0 {
        return 0;
    }
    start(out, kind, run_bytes());
    let mut body = [0; l::ItemRun::SIZE];
    l::ItemRun { first, count }.encode(&mut body);
    out.extend_from_slice(&body);
    1
}
