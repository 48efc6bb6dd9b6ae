//! What a disk may hold after a power cut.
//!
//! Durable is what a flush covered. Of the writes after it, any subset may have arrived, each whole
//! or in part (sector by sector). That covers every order too: to arrive before another write of the
//! same sector is to be missing. A discard is otherwise: in every state from its beginning on its
//! blocks hold what the device leaves there, for a host may act on it at any time, and nobody may
//! count on what they held. (Two *durable* writes of one block that ran at the same time could be in
//! either order; here the one that began later wins. The engine never does that.)

use super::event::Event;
use super::mem::MemDevice;
use crate::base::{BLOCK_SIZE, BlockNumber};
use crate::device::Device;
use crate::testing::Rng;
use std::collections::HashMap;
use std::sync::Arc;

/// What a disk writes as a whole.
const SECTOR: usize = 512;
const BLOCK_SECTORS: u64 = (BLOCK_SIZE / SECTOR) as u64;

#[derive(Clone)]
enum Change {
    Write(Arc<[u8]>),
    Discard(u64),
}

/// A write or discard that no flush covers.
#[derive(Clone)]
struct Volatile {
    id: u64,
    at: BlockNumber,
    change: Change,
    /// Event of its end, and whether it succeeded.
    ended: Option<(usize, bool)>,
}

impl Volatile {
    fn is_discard(&self) -> bool {
        matches!(self.change, Change::Discard(_))
    }
}

/// A position in a trace: what is durable there, and what is not.
pub struct CrashCursor<'a> {
    events: &'a [Event],
    cut: usize,
    durable: MemDevice,
    volatile: Vec<Volatile>,
    /// Event at which each flush under way was called.
    flushes: HashMap<u64, usize>,
}

impl<'a> CrashCursor<'a> {
    pub(super) fn new(events: &'a [Event], base: &MemDevice) -> CrashCursor<'a> {
        let durable = base.snapshot();
        CrashCursor { events, cut: 0, durable, volatile: Vec::new(), flushes: HashMap::new() }
    }

    /// Goes forward to `cut`; a cut behind is ignored.
    pub fn advance_to(&mut self, cut: usize) {
        while self.cut < cut.min(self.events.len()) {
            match &self.events[self.cut] {
                Event::WriteBegin { id, at, data } => self.begin(*id, *at, Change::Write(Arc::clone(data))),
                Event::DiscardBegin { id, at, count } => self.begin(*id, *at, Change::Discard(*count)),
                Event::FlushBegin { id } => {
                    self.flushes.insert(*id, self.cut);
                }
                Event::End { id, ok } => self.end(*id, *ok),
                Event::Marker(_) => {}
            }
            self.cut += 1;
        }
    }

    /// Writes and discards that may or may not have arrived.
    pub fn volatile_count(&self) -> usize {
        self.volatile.len()
    }

    /// The device with the durable writes and those of the volatile ones (0 is the oldest) that
    /// `arrived` chooses: for a test that tries every subset.
    pub fn with_volatile(&self, arrived: impl Fn(usize) -> bool) -> MemDevice {
        let image = self.durable.snapshot();
        let arrived = |(i, v): &(usize, &Volatile)| arrived(*i) || v.is_discard();
        self.volatile.iter().enumerate().filter(arrived).for_each(|(_, v)| apply(&image, v));
        image
    }

    /// The device with every write on it.
    pub fn everything(&self) -> MemDevice {
        self.with_volatile(|_| true)
    }

    /// The device with nothing on it that no flush covers.
    pub fn durable(&self) -> MemDevice {
        self.durable.snapshot()
    }

    /// The states of a cut in a fixed order: 0 is everything, 1 nothing unflushed, the others are power cuts
    /// of their seed.
    pub fn sample(&self, sample: u64, seed: u64) -> MemDevice {
        match sample {
            0 => self.everything(),
            1 => self.durable(),
            _ => self.crash(seed),
        }
    }

    /// One of the devices that a power cut here may leave; the same for the same seed.
    pub fn crash(&self, seed: u64) -> MemDevice {
        let mut rng = Rng::new(seed);
        let image = self.durable.snapshot();
        let one = rng.below(self.volatile.len() as u64) as usize;
        let share = rng.below(9);
        let style = rng.below(6);
        let torn_share = [0, 0, 1, 4][rng.below(4) as usize];
        for (i, volatile) in self.volatile.iter().enumerate() {
            let arrived = match style {
                0 => i == one,
                1 => i != one,
                // As if the disk wrote in order and stopped somewhere.
                2 => i <= one,
                3 => true,
                _ => rng.chance(share, 8),
            } || volatile.is_discard();
            let torn = rng.chance(torn_share, 4) || style == 2 && i == one && rng.chance(1, 2);
            match &volatile.change {
                Change::Write(data) if arrived && torn => tear(&image, volatile.at, data, &mut rng),
                _ if arrived => apply(&image, volatile),
                _ => {}
            }
        }
        image
    }

    fn begin(&mut self, id: u64, at: BlockNumber, change: Change) {
        let volatile = Volatile { id, at, change, ended: None };
        if volatile.is_discard() {
            apply(&self.durable, &volatile);
        }
        self.volatile.push(volatile);
    }

    fn end(&mut self, id: u64, ok: bool) {
        if let Some(volatile) = self.volatile.iter_mut().find(|volatile| volatile.id == id) {
            volatile.ended = Some((self.cut, ok));
        } else if let Some(called) = self.flushes.remove(&id)
            && ok
        {
            self.settle(called);
        }
    }

    /// A flush that was called at event `called` has returned. What a failed write left is anybody's
    /// guess before this, and "nothing" after it.
    fn settle(&mut self, called: usize) {
        let covered = |v: &Volatile| v.ended.is_some_and(|(end, _)| end < called);
        for volatile in self.volatile.iter().filter(|v| covered(v) && v.ended.is_some_and(|(_, ok)| ok)) {
            apply(&self.durable, volatile);
        }
        self.volatile.retain(|volatile| !covered(volatile));
    }
}

fn apply(image: &MemDevice, volatile: &Volatile) {
    match &volatile.change {
        Change::Write(data) => image.write_sectors(volatile.at.0 * BLOCK_SECTORS, data),
        Change::Discard(count) => image.discard(volatile.at, *count).expect("was in range when recorded"),
    }
}

/// Lets a part of the sectors arrive: the first ones, the last ones, or any.
fn tear(image: &MemDevice, at: BlockNumber, data: &[u8], rng: &mut Rng) {
    let style = rng.below(4);
    let border = rng.below((data.len() / SECTOR) as u64 + 1) as usize;
    for (i, sector) in data.chunks(SECTOR).enumerate() {
        let arrived = match style {
            0 => i < border,
            1 => i >= border,
            _ => rng.chance(1, 2),
        };
        if arrived {
            image.write_sectors(at.0 * BLOCK_SECTORS + i as u64, sector);
        }
    }
}
