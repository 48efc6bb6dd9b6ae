//! The ring of log blocks: where the next record goes, and which blocks may be written again.

use crate::base::{BLOCK_SIZE, BlockNumber, Code, Error, Result};
use crate::device::Device;
use crate::format::Geometry;

/// Space of the ring. Positions count ring blocks and wrap at its end.
///
/// Invariants: the blocks from `oldest` on, `held` of them, may be needed by a replay; all others may
/// be written. `released` of them wait for the flush of the checkpoint block that gave them up.
/// `held` < `blocks`: one block stays free, so that head = tail always means an empty log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring {
    blocks: u64,
    oldest: u64,
    held: u64,
    released: Option<u64>,
}

impl Ring {
    /// A ring of `blocks` blocks whose log goes from position `tail` up to `head`. Equal positions mean
    /// an empty log, so this is for a volume whose recovery is complete.
    pub fn new(blocks: u64, tail: u64, head: u64) -> Ring {
        debug_assert!(tail < blocks && head < blocks);
        Ring { blocks, oldest: tail, held: distance(blocks, tail, head), released: None }
    }
    /// Position of the next record.
    pub fn head(&self) -> u64 {
        (self.oldest + self.held) % self.blocks
    }
    /// Blocks that may be written now.
    pub fn free(&self) -> u64 {
        self.blocks - 1 - self.held
    }
    /// Blocks that the log takes, with those that wait for a flush.
    pub fn held(&self) -> u64 {
        self.held
    }
    /// Takes the next `count` blocks for a record; gives their position. None if so many are not free:
    /// the tail has to move first.
    pub fn append(&mut self, count: u64) -> Option<u64> {
        if count > self.free() {
            return None;
        }
        let position = self.head();
        self.held += count;
        Some(position)
    }
    /// The checkpoint block that moves the tail to `tail` is about to be written. Error:
    /// `InvalidArgument`, if the one before is not flushed yet or `tail` is not a place in the log.
    pub fn tail_moves(&mut self, tail: u64) -> Result<()> {
        let count = distance(self.blocks, self.oldest, tail % self.blocks);
        if self.released.is_some() || count > self.held {
            return Err(Error::new(Code::InvalidArgument, "the log's tail cannot move there now"));
        }
        self.released = Some(count);
        Ok(())
    }
    /// That checkpoint block is flushed: what lies before its tail may be written again.
    pub fn tail_moved(&mut self) {
        if let Some(count) = self.released.take() {
            self.oldest = (self.oldest + count) % self.blocks;
            self.held -= count;
        }
    }
}

fn distance(blocks: u64, from: u64, to: u64) -> u64 {
    if to >= from { to - from } else { blocks - from + to }
}

/// The one or two stretches of device blocks that `count` ring blocks from `position` on are.
pub(super) fn stretches(
    geometry: &Geometry,
    position: u64,
    count: u64,
) -> impl Iterator<Item = (BlockNumber, u64)> {
    let before_end = count.min(geometry.ring_blocks() - position);
    let start = geometry.ring_block(position);
    let wrapped = (count > before_end).then(|| (geometry.ring_block(0), count - before_end));
    std::iter::once((start, before_end)).chain(wrapped)
}

/// Writes a finished record at a ring position, without a flush.
pub fn write_record(device: &dyn Device, geometry: &Geometry, position: u64, record: &[u8]) -> Result<()> {
    let mut rest = record;
    for (block, count) in stretches(geometry, position, (record.len() / BLOCK_SIZE) as u64) {
        let (here, behind) = rest.split_at(count as usize * BLOCK_SIZE);
        device.write(block, here)?;
        rest = behind;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Rng;

    #[test]
    fn blocks_are_free_again_only_after_the_flush() {
        let mut ring = Ring::new(10, 8, 8);
        assert_eq!((ring.append(4), ring.append(3)), (Some(8), Some(2)));
        assert_eq!((ring.free(), ring.append(3)), (2, None));
        ring.tail_moves(2).unwrap();
        assert_eq!(ring.append(3), None);
        assert!(ring.tail_moves(5).is_err());
        ring.tail_moved();
        assert_eq!((ring.free(), ring.append(6), ring.free()), (6, Some(5), 0));
        assert_eq!(ring.head(), 1);
        ring.tail_moves(5).unwrap();
        ring.tail_moved();
        assert_eq!((ring.free(), ring.head()), (3, 1));
        assert!(ring.tail_moves(4).is_err());
        ring.tail_moves(1).unwrap();
        ring.tail_moved();
        assert_eq!((ring.free(), ring.held()), (9, 0));
    }

    #[test]
    fn random_use_agrees_with_a_queue() {
        use std::collections::VecDeque;
        let mut rng = Rng::new(1);
        let mut ring = Ring::new(64, 0, 0);
        let mut queue: VecDeque<u64> = VecDeque::new();
        let (mut next, mut held) = (0, 0);
        for _ in 0..20_000 {
            let count = 1 + rng.below(15);
            if let Some(position) = ring.append(count) {
                assert!(held + count < 64);
                assert_eq!(position, next);
                queue.push_back(count);
                held += count;
                next = (next + count) % 64;
            } else {
                assert!(held + count >= 64);
            }
            if rng.chance(1, 3) {
                let keep = rng.below(queue.len() as u64 + 1) as usize;
                while queue.len() > keep {
                    held -= queue.pop_front().unwrap();
                }
                ring.tail_moves((next + 64 - held) % 64).unwrap();
                ring.tail_moved();
            }
            assert_eq!((ring.held(), ring.head()), (held, next));
        }
    }
}
