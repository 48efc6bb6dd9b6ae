//! Checkpoint blocks (docs/format.md 7): where the log begins and what is proven.
//!
//! Two slots, each in two places; a generation overwrites the one before the last. The caller flushes,
//! and writes the next generation only after that flush.

use super::{Counters, LogPoint, Recovered, TXN_MAX};
use crate::base::{AlignedBuf, BLOCK_SIZE, Code, Error, Result, crc32c};
use crate::device::Device;
use crate::format::Geometry;
use crate::format::layout::{CHECKPOINT_CLEAN, CHECKPOINT_MAGIC, CHECKPOINT_SLOTS, Checkpoint};

impl Checkpoint {
    pub fn is_clean(&self) -> bool {
        u64::from(self.flags) & CHECKPOINT_CLEAN != 0
    }
    /// Epoch of the record of transaction `txn`.
    pub fn epoch_of(&self, txn: u64) -> u64 {
        if txn < self.epoch_txn { self.tail_epoch } else { self.epoch }
    }
    pub fn counters(&self) -> Counters {
        Counters {
            next_number: self.next_number,
            live_blocks: self.live_blocks,
            files: self.files,
            units: self.units,
        }
    }
    /// First block of a recovery: same tail, the recovered transactions proven, a new epoch behind them.
    pub fn recovery_chosen(&self, recovered: &Recovered) -> Checkpoint {
        let next = recovered.next.txn;
        let epoch = self.epoch + 1;
        Checkpoint {
            flags: 0,
            generation: self.generation + 1,
            epoch,
            epoch_txn: next,
            tail_epoch: if self.tail_txn < next { self.epoch_of(self.tail_txn) } else { epoch },
            proven_txn: next - 1,
            ..*self
        }
    }
    /// The tail moves to `tail`, a place in the present epoch; everything before it is home, flushed,
    /// and proven up to `proven_txn`.
    pub fn with_tail(&self, tail: &LogPoint, proven_txn: u64) -> Checkpoint {
        Checkpoint {
            flags: 0,
            generation: self.generation + 1,
            tail: tail.position,
            tail_txn: tail.txn,
            tail_crc: tail.previous_crc,
            tail_epoch: self.epoch,
            proven_txn,
            next_number: tail.counters.next_number,
            live_blocks: tail.counters.live_blocks,
            files: tail.counters.files,
            units: tail.counters.units,
            ..*self
        }
    }
    /// Same tail; transactions up to `proven_txn` are proven.
    pub fn with_proven(&self, proven_txn: u64) -> Checkpoint {
        Checkpoint { flags: 0, generation: self.generation + 1, proven_txn, ..*self }
    }
    /// Everything is home: the volume is closed with `tail` as the place of the next record.
    pub fn closed(&self, tail: &LogPoint) -> Checkpoint {
        Checkpoint { flags: CHECKPOINT_CLEAN as u32, ..self.with_tail(tail, tail.txn - 1) }
    }
}

/// The checkpoint block in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    pub checkpoint: Checkpoint,
    /// Valid blocks among the four places: fewer than four after damage, or on a young volume.
    pub valid_blocks: u32,
}

/// Reads the four places; invalid ones do not count, the highest generation wins. Error: `Corrupt`, if
/// none is valid.
pub fn read(device: &dyn Device, geometry: &Geometry) -> Result<Found> {
    let mut best: Option<Checkpoint> = None;
    let mut valid_blocks = 0;
    let mut buf = AlignedBuf::zeroed(1);
    for slot in 0..CHECKPOINT_SLOTS {
        for block in geometry.checkpoint_blocks(slot) {
            if device.read(block, &mut buf).is_err() {
                continue;
            }
            if let Some(found) = decode(&buf, geometry, slot) {
                valid_blocks += 1;
                if best.is_none_or(|best| found.generation > best.generation) {
                    best = Some(found);
                }
            }
        }
    }
    match best {
        Some(checkpoint) => Ok(Found { checkpoint, valid_blocks }),
        None => Err(Error::new(Code::Corrupt, "no valid checkpoint block in any of its four places")),
    }
}

/// Writes the block to both places of its slot, without a flush. Corrupt: recovery would not take it; nothing
/// was written.
pub fn write(device: &dyn Device, geometry: &Geometry, checkpoint: &Checkpoint) -> Result<()> {
    if !follows_rules(checkpoint, geometry) {
        let text = format!("a checkpoint block is not written, no recovery would take it: {checkpoint:?}");
        return Err(Error::new(Code::Corrupt, text));
    }
    let bytes = encode(checkpoint, geometry);
    for block in geometry.checkpoint_blocks(checkpoint.generation) {
        device.write(block, &bytes)?;
    }
    Ok(())
}

/// The block with magic, salt and CRC.
pub fn encode(checkpoint: &Checkpoint, geometry: &Geometry) -> AlignedBuf {
    let mut bytes = AlignedBuf::zeroed(1);
    let checksummed =
        Checkpoint { magic: CHECKPOINT_MAGIC as u32, salt: geometry.map.salt, crc: 0, ..*checkpoint };
    checksummed.encode(&mut bytes);
    let crc = crc32c(&bytes[..Checkpoint::AT_CRC]);
    bytes[Checkpoint::AT_CRC..BLOCK_SIZE].copy_from_slice(&crc.to_le_bytes());
    bytes
}

fn decode(bytes: &[u8], geometry: &Geometry, slot: u64) -> Option<Checkpoint> {
    if bytes[Checkpoint::AT_CRC..] != crc32c(&bytes[..Checkpoint::AT_CRC]).to_le_bytes() {
        return None;
    }
    let found = Checkpoint::decode(bytes)?;
    let ours = found.magic == CHECKPOINT_MAGIC as u32 && found.salt == geometry.map.salt;
    let here = found.generation % CHECKPOINT_SLOTS == slot;
    (ours && here && follows_rules(&found, geometry)).then_some(found)
}

/// The rules for the fields of a checkpoint block. Margins below the limits of the numbers keep what
/// is computed from them (next generation, next epoch) in range.
fn follows_rules(c: &Checkpoint, geometry: &Geometry) -> bool {
    const COUNT_MAX: u64 = 1 << 60;
    let numbers = (1..COUNT_MAX).contains(&c.generation)
        && (1..COUNT_MAX).contains(&c.epoch)
        && (2..TXN_MAX).contains(&c.epoch_txn)
        && (2..TXN_MAX).contains(&c.tail_txn)
        && c.proven_txn < TXN_MAX;
    let epochs =
        if c.tail_txn < c.epoch_txn { (1..c.epoch).contains(&c.tail_epoch) } else { c.tail_epoch == c.epoch };
    numbers
        && epochs
        && u64::from(c.flags) & !CHECKPOINT_CLEAN == 0
        && c.tail < geometry.ring_blocks()
        && c.proven_txn + 1 >= c.epoch_txn.max(c.tail_txn)
        && (!c.is_clean() || (c.proven_txn + 1 == c.tail_txn && c.tail_txn >= c.epoch_txn))
        && c.counters().possible(geometry)
}

#[cfg(test)]
#[path = "checkpoint_tests.rs"]
mod tests;
