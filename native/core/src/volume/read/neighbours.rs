//! Small files that lie beside each other: a second one from the same part of the device brings the part with it.
//!
//! What is held is what the device had, and it is checked as anything read from it. It is let go of when writes have
//! arrived, before their blocks leave memory ([`Neighbours::forget`]): so what is held of a block that is asked for
//! is never older than the block.

use crate::base::{BLOCK_SIZE, DataNumber, PooledBuf};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A part of the device, in blocks (256 KiB).
pub(super) const PART: u64 = 64;
/// Parts held at most (16 MiB).
const HELD_MAX: usize = 64;
/// Parts remembered from which one file was read.
const SEEN_MAX: usize = 64;
/// What a part costs, and what there is to spend at most. A file found in one is worth 1.
const COST: u64 = 8;
const CREDIT_MAX: u64 = HELD_MAX as u64 * COST;
/// So many files read alone are worth another try.
const ALONE: u64 = 64;

/// See above. Callable from many threads.
#[derive(Default)]
pub(in crate::volume) struct Neighbours {
    state: Mutex<State>,
    /// Files whose bytes in a part were not theirs.
    refused: AtomicU64,
}

struct State {
    /// Number and bytes.
    held: Vec<(u64, Arc<PooledBuf>)>,
    /// Parts from which a file was read alone.
    seen: VecDeque<u64>,
    /// How often all was forgotten.
    generation: u64,
    credit: u64,
    alone: u64,
    /// Nobody has asked since the last look.
    idle: bool,
    draw: u64,
}

impl Default for State {
    fn default() -> State {
        State {
            held: Vec::new(),
            seen: VecDeque::new(),
            generation: 0,
            credit: CREDIT_MAX,
            alone: 0,
            idle: true,
            draw: 0,
        }
    }
}

impl State {
    /// One at random goes where all have a turn: whoever comes by in rounds would find none of the last used.
    fn make_room(&mut self) {
        if self.held.len() == HELD_MAX {
            // Knuth's MMIX; the upper bits are the good ones.
            self.draw =
                self.draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            self.held.swap_remove((self.draw >> 33) as usize % HELD_MAX);
        }
    }
}

/// What is to be done for a file of few blocks.
pub(super) enum Advice {
    /// Its bytes are in this part.
    Held(Held),
    /// Read the part, then [`Neighbours::keep`] it.
    ReadPart(Wanted),
    ReadAlone,
}

pub(super) struct Held {
    part: u64,
    bytes: Arc<PooledBuf>,
}

/// A part that is worth reading.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    part: u64,
    generation: u64,
}

impl Wanted {
    pub(super) fn first(self) -> DataNumber {
        DataNumber(self.part * PART)
    }
}

impl Held {
    /// The bytes of blocks that lie in the part.
    pub(super) fn blocks(&self, first: DataNumber, count: u64) -> &[u8] {
        let start = (first.0 - self.part * PART) as usize * BLOCK_SIZE;
        &self.bytes[start..start + count as usize * BLOCK_SIZE]
    }
}

impl Neighbours {
    /// For `count` blocks from `first` on, of a device of `all`.
    pub(super) fn advise(&self, first: DataNumber, count: u64, all: u64) -> Advice {
        let part = first.0 / PART;
        let is_inside = (first.0 + count - 1) / PART == part && (part + 1) * PART <= all;
        if !is_inside {
            return Advice::ReadAlone;
        }
        let state = &mut *self.state.lock();
        state.idle = false;
        if let Some((_, bytes)) = state.held.iter().find(|(held, _)| *held == part) {
            state.credit = (state.credit + 1).min(CREDIT_MAX);
            return Advice::Held(Held { part, bytes: Arc::clone(bytes) });
        }
        if state.credit >= COST
            && let Some(at) = state.seen.iter().position(|seen| *seen == part)
        {
            state.seen.remove(at);
            state.credit -= COST;
            return Advice::ReadPart(Wanted { part, generation: state.generation });
        }
        state.alone += 1;
        if state.alone % ALONE == 0 {
            state.credit = (state.credit + COST).min(CREDIT_MAX);
        }
        if !state.seen.contains(&part) {
            state.seen.truncate(SEEN_MAX - 1);
            state.seen.push_front(part);
        }
        Advice::ReadAlone
    }

    /// Holds what was read of a part, unless all was forgotten since it was advised.
    pub(super) fn keep(&self, wanted: Wanted, bytes: PooledBuf) -> Held {
        let bytes = Arc::new(bytes);
        let mut state = self.state.lock();
        if state.generation == wanted.generation && state.held.iter().all(|(held, _)| *held != wanted.part) {
            state.make_room();
            state.held.push((wanted.part, Arc::clone(&bytes)));
        }
        Held { part: wanted.part, bytes }
    }

    /// What was held for a file failed its check: damage.
    pub(super) fn refuse(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    #[cfg(test)]
    pub(super) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Lets go of everything if nobody has asked since the last call.
    pub(in crate::volume) fn rest(&self) {
        let mut state = self.state.lock();
        if std::mem::replace(&mut state.idle, true) {
            state.held.clear();
        }
    }

    /// Writes have arrived: nothing that was read before counts.
    pub(in crate::volume) fn forget(&self) {
        let mut state = self.state.lock();
        state.generation += 1;
        state.held.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::BufPool;

    /// Parts and files that are read for a sequence of one-block files; everything lies on a large device.
    fn read_all(neighbours: &Neighbours, blocks: impl IntoIterator<Item = u64>) -> (u64, u64) {
        let pool = BufPool::new(0);
        let (mut parts, mut alone) = (0, 0);
        for block in blocks {
            match neighbours.advise(DataNumber(block), 1, 1 << 30) {
                Advice::Held(held) => assert_eq!(held.blocks(DataNumber(block), 1).len(), BLOCK_SIZE),
                Advice::ReadAlone => alone += 1,
                Advice::ReadPart(wanted) => {
                    parts += 1;
                    neighbours.keep(wanted, pool.take(PART as usize));
                }
            }
        }
        (parts, alone)
    }

    #[test]
    fn files_in_their_order_bring_their_neighbours() {
        assert_eq!(read_all(&Neighbours::default(), 0..6400), (100, 100));
        // Two readers in two places, and one that goes backwards.
        let two = (0..640).flat_map(|n| [n, 64_000 + n]);
        assert_eq!(read_all(&Neighbours::default(), two), (20, 20));
        assert_eq!(read_all(&Neighbours::default(), (0..640).rev()), (10, 10));
    }

    #[test]
    fn files_in_no_order_cost_at_most_a_part_in_a_while() {
        let neighbours = Neighbours::default();
        // Far more parts than are held, and often two of one part: 65,537 is a prime.
        let (parts, alone) = read_all(&neighbours, (0..60_000u64).map(|n| n * 7919 % 65_537));
        assert!(parts <= CREDIT_MAX / COST + alone / ALONE + 1, "{parts} parts, {alone} alone");
        assert!(read_all(&neighbours, 1_000_000..1_006_400).0 > 50, "it tries again");
    }

    #[test]
    fn files_in_no_order_of_few_parts_are_all_found() {
        // 5,003 is a prime: all blocks once, as a listing in the order of hashes has them.
        let (parts, alone) = read_all(&Neighbours::default(), (0..5003).map(|n| n * 2003 % 5003));
        assert!(parts < 400 && alone < 400, "{parts} parts, {alone} alone");
    }

    #[test]
    fn what_nobody_asks_for_is_let_go() {
        let neighbours = Neighbours::default();
        read_all(&neighbours, 0..3);
        neighbours.rest();
        assert_eq!(read_all(&neighbours, 3..4), (0, 0));
        neighbours.rest();
        neighbours.rest();
        assert_eq!(read_all(&neighbours, 3..4), (0, 1));
    }

    #[test]
    fn what_was_read_before_writes_arrived_is_not_held() {
        let (neighbours, pool) = (Neighbours::default(), BufPool::new(0));
        let advise = || neighbours.advise(DataNumber(5), 1, 1000);
        assert!(matches!(advise(), Advice::ReadAlone));
        let Advice::ReadPart(wanted) = advise() else { panic!("not the second of its part") };
        neighbours.forget();
        neighbours.keep(wanted, pool.take(PART as usize));
        assert!(matches!(advise(), Advice::ReadAlone), "kept what was read before");
        let Advice::ReadPart(wanted) = advise() else { panic!("not the second of its part") };
        neighbours.keep(wanted, pool.take(PART as usize));
        assert!(matches!(advise(), Advice::Held(_)));
        neighbours.forget();
        assert!(matches!(advise(), Advice::ReadAlone), "held what was read before");
    }

    #[test]
    fn a_part_that_the_device_cuts_or_a_file_leaves_is_not_read() {
        let neighbours = Neighbours::default();
        for _ in 0..3 {
            assert!(matches!(neighbours.advise(DataNumber(990), 1, 1000), Advice::ReadAlone));
            assert!(matches!(neighbours.advise(DataNumber(63), 2, 1000), Advice::ReadAlone));
        }
    }
}
