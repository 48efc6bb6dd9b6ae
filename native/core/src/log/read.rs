//! Reading the ring record by record.

use super::ring::stretches;
use super::view::peek;
use super::{Counters, RecordView};
use crate::base::{AlignedBuf, BLOCK_SIZE, Result};
use crate::device::Device;
use crate::format::Geometry;
use crate::format::layout::{Checkpoint, LogRecord};

/// Blocks read ahead at a time (256 KiB): most records are one block long.
const READ_AHEAD: u64 = 64;

/// Reads ring blocks. A block that the device cannot deliver reads as zeros, and is counted: after a
/// power cut in the middle of a write, some devices cannot read what they were writing.
pub(super) struct RingReader<'a> {
    device: &'a dyn Device,
    geometry: &'a Geometry,
    ahead: AlignedBuf,
    /// Ring position and count of the blocks in `ahead`.
    held: (u64, u64),
    pub(super) unreadable: u64,
}

impl<'a> RingReader<'a> {
    pub(super) fn new(device: &'a dyn Device, geometry: &'a Geometry) -> RingReader<'a> {
        let ahead = AlignedBuf::zeroed(READ_AHEAD as usize);
        RingReader { device, geometry, ahead, held: (0, 0), unreadable: 0 }
    }

    /// The block at a ring position.
    pub(super) fn block(&mut self, position: u64) -> &[u8] {
        let (first, count) = self.held;
        if position < first || position >= first + count {
            let count = READ_AHEAD.min(self.geometry.ring_blocks() - position);
            let bytes = &mut self.ahead[..count as usize * BLOCK_SIZE];
            self.unreadable += fill(self.device, self.geometry, position, bytes);
            self.held = (position, count);
        }
        let at = (position - self.held.0) as usize * BLOCK_SIZE;
        &self.ahead[at..at + BLOCK_SIZE]
    }

    /// `buf` becomes the `count` blocks from a position on, around the end of the ring if need be.
    pub(super) fn blocks(&mut self, position: u64, count: u64, buf: &mut AlignedBuf) {
        if buf.block_count() as u64 != count {
            *buf = AlignedBuf::zeroed(count as usize);
        }
        let (first, held) = self.held;
        if position >= first && position + count <= first + held {
            let at = (position - first) as usize * BLOCK_SIZE;
            let bytes = buf.len();
            buf.copy_from_slice(&self.ahead[at..at + bytes]);
        } else {
            self.unreadable += fill(self.device, self.geometry, position, buf);
        }
    }
}

/// Fills `buf` from the ring; returns the number of blocks that could not be read.
fn fill(device: &dyn Device, geometry: &Geometry, position: u64, buf: &mut [u8]) -> u64 {
    let (mut unreadable, mut rest) = (0, buf);
    for (block, count) in stretches(geometry, position, (rest.len() / BLOCK_SIZE) as u64) {
        let (here, behind) = rest.split_at_mut(count as usize * BLOCK_SIZE);
        rest = behind;
        if device.read(block, here).is_ok() {
            continue;
        }
        for (i, single) in here.chunks_exact_mut(BLOCK_SIZE).enumerate() {
            if device.read(block.plus(i as u64), single).is_err() {
                single.fill(0);
                unreadable += 1;
            }
        }
    }
    unreadable
}

/// A record's place in the chain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub position: u64,
    pub header: LogRecord,
}

/// Walks the chain of records from a checkpoint block on.
pub(super) struct Walk<'a> {
    pub(super) reader: RingReader<'a>,
    geometry: &'a Geometry,
    checkpoint: Checkpoint,
    /// Where the next record would stand, its transaction, and the CRC it must name.
    pub(super) position: u64,
    pub(super) txn: u64,
    pub(super) previous_crc: u32,
    consumed: u64,
    buf: AlignedBuf,
}

impl<'a> Walk<'a> {
    pub(super) fn new(device: &'a dyn Device, geometry: &'a Geometry, checkpoint: &Checkpoint) -> Walk<'a> {
        Walk {
            reader: RingReader::new(device, geometry),
            geometry,
            checkpoint: *checkpoint,
            position: checkpoint.tail,
            txn: checkpoint.tail_txn,
            previous_crc: checkpoint.tail_crc,
            consumed: 0,
            buf: AlignedBuf::zeroed(0),
        }
    }

    /// The next record, if one stands there that follows every rule.
    pub(super) fn next(&mut self) -> Option<(Link, RecordView<'_>)> {
        let header = peek(self.reader.block(self.position), self.geometry)?;
        let blocks = u64::from(header.blocks);
        // While an earlier crash is still being replayed, nothing of the new epoch was written.
        let in_epoch =
            self.txn < self.checkpoint.epoch_txn || self.checkpoint.tail_txn >= self.checkpoint.epoch_txn;
        let in_sequence = in_epoch
            && header.txn == self.txn
            && header.epoch == self.checkpoint.epoch_of(self.txn)
            && header.previous_crc == self.previous_crc
            && self.consumed + blocks < self.geometry.ring_blocks();
        if !in_sequence {
            return None;
        }
        self.reader.blocks(self.position, blocks, &mut self.buf);
        let view = RecordView::open(&mut self.buf, self.geometry).ok()?;
        let link = Link { position: self.position, header };
        self.position = (self.position + blocks) % self.geometry.ring_blocks();
        self.txn += 1;
        self.previous_crc = header.crc;
        self.consumed += blocks;
        Some((link, view))
    }

    /// Reads a record again that `next` has given.
    pub(super) fn again(&mut self, link: &Link) -> Result<RecordView<'_>> {
        self.reader.blocks(link.position, u64::from(link.header.blocks), &mut self.buf);
        RecordView::open(&mut self.buf, self.geometry)
    }
}

impl Link {
    pub(super) fn counters(&self) -> Counters {
        super::view::counters(&self.header)
    }
}
