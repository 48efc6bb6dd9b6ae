//! Reading a log record: hostile bytes in, checked items out.

use super::codec::load_record;
use super::item::Items;
use super::rules::check_items;
use super::{Counters, TXN_MAX};
use crate::base::{BLOCK_SIZE, Code, Error, Result};
use crate::format::layout::{LogRecord, RECORD_MAGIC};
use crate::format::{DescriptorTable, Geometry};

/// A record all of whose rules hold (docs/format.md 7), except its place in the chain.
#[derive(Clone)]
pub struct RecordView<'a> {
    pub header: LogRecord,
    items: &'a [u8],
    table: DescriptorTable,
}

impl<'a> RecordView<'a> {
    /// Turns the bytes that the ring holds into the record, in place, and checks them. Error: `Corrupt`,
    /// saying which rule is broken.
    pub fn open(bytes: &'a mut [u8], geometry: &Geometry) -> Result<RecordView<'a>> {
        let Some(header) = peek(bytes, geometry) else {
            return Err(Error::new(Code::Corrupt, "no record header"));
        };
        let length = header.length as usize;
        if bytes.len() != header.blocks as usize * BLOCK_SIZE {
            return Err(Error::new(Code::Corrupt, "the record is cut short"));
        }
        load_record(bytes, &header)?;
        if bytes[length..].iter().any(|&b| b != 0) {
            return Err(Error::new(Code::Corrupt, "bytes behind the record's items"));
        }
        RecordView::of(header, &bytes[LogRecord::SIZE..length], geometry)
    }

    /// The record of a header that [`peek`] takes and of the bytes of its items.
    fn of(header: LogRecord, items: &'a [u8], geometry: &Geometry) -> Result<RecordView<'a>> {
        let view = RecordView { header, items, table: geometry.descriptors };
        check_items(&header, view.items(), geometry)?;
        Ok(view)
    }

    /// The items, in the order they are to be applied.
    pub fn items(&self) -> Items<'a> {
        Items::new(self.items, self.table)
    }
    pub fn txn(&self) -> u64 {
        self.header.txn
    }
    /// The volume's numbers after this transaction.
    pub fn counters(&self) -> Counters {
        counters(&self.header)
    }
}

/// Whether recovery would take a record that is about to be written: the rules of [`RecordView::open`] except
/// its checksum, which it has not got yet. Error: `Corrupt`, saying which rule is broken.
pub(super) fn check_before_write(bytes: &[u8], geometry: &Geometry) -> Result<()> {
    let not_written = |why: String| Error::new(Code::Corrupt, format!("a record is not written: {why}"));
    let (blocks, counters) = match LogRecord::decode(bytes) {
        Some(header) => (u64::from(header.blocks), counters(&header)),
        None => return Err(not_written("no record header".into())),
    };
    let header = peek(bytes, geometry).ok_or_else(|| {
        not_written(if blocks > geometry.record_blocks_max() {
            format!("{blocks} blocks are too large for the log")
        } else if !counters.possible(geometry) {
            format!("this volume cannot have {counters:?}")
        } else {
            "its header breaks a rule".into()
        })
    })?;
    let items = &bytes[LogRecord::SIZE..header.length as usize];
    RecordView::of(header, items, geometry).map(drop).map_err(|error| not_written(error.detail().into()))
}

pub(super) fn counters(header: &LogRecord) -> Counters {
    Counters {
        next_number: header.next_number,
        live_blocks: header.live_blocks,
        files: header.files,
        units: header.units,
    }
}

/// The header of a record of this volume, if the block begins like one. Its size is then at most a
/// quarter of the ring; nothing else is proven before the CRC.
pub(super) fn peek(block: &[u8], geometry: &Geometry) -> Option<LogRecord> {
    let header = LogRecord::decode(block)?;
    let length = header.length as usize;
    let sized = u64::from(header.blocks) <= geometry.record_blocks_max()
        && length >= LogRecord::SIZE
        && length.div_ceil(BLOCK_SIZE) == header.blocks as usize
        && length % 8 == 0;
    let ours = header.magic == RECORD_MAGIC as u32 && header.salt == geometry.map.salt;
    let numbered = header.epoch > 0 && (1..=TXN_MAX).contains(&header.txn);
    (ours && sized && numbered && counters(&header).possible(geometry)).then_some(header)
}
