//! The cortex: a bucketised cuckoo hash table of anchors (docs/format.md 3, anchor protocol 3).
//! An anchor is hn4's inode; its key is (number, hint), its bucket a page of 21 slots.
//!
//! Invariants:
//! - a key stands on its page H1, on its page H2, or in the stash, and (moves apart) only once;
//! - during a move it stands on both pages, never on none;
//! - a failed insert leaves every slot as it was;
//! - a damaged slot is occupied: it never matches, never moves, is never reused;
//! - pool locks are never held across I/O (locks.rs has their order).
//!
//! The caller gives each number once (a counter of the volume) and changes a file's slot under that
//! file's own lock; everything else may run at the same time.

mod bucket;
mod hint;
mod homes;
mod insert;
mod locks;
mod lookup;
mod occupancy;
mod path;
pub mod ram;
mod stash;
mod store;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::base::{Result, siphash24};
use crate::format::Region;
use crate::format::layout::SLOTS_PER_PAGE;
use crate::format::slot::{SlotBytes, checksum_holds, is_empty};

pub use homes::{Homes, Key, Placement};
pub use lookup::Removal;
pub use store::{In, Location, SlotPage, SlotStore};

/// Pages one insert brings to memory at most while it looks for a free slot (1 MiB). Beyond that
/// the anchor goes to the stash. Only a table within a hair of full searches so far.
const SEARCH_PAGES_MAX: usize = 256;

/// How often an operation is tried on what it saw without locks. Should others change that each
/// time, it takes every lock it may need first, and cannot be overtaken again.
const OPTIMISTIC_TRIES: usize = 4;

/// What the cortex must know of the volume (superblock and counters).
#[derive(Clone, Copy, Debug)]
pub struct Geometry {
    /// Pages of the cortex, a multiple of 16.
    pub cortex_pages: u64,
    /// Pages of the stash.
    pub stash_pages: u64,
    /// Key of the placement hash.
    pub hash_key: [u8; 16],
    /// Slots in use, as the log counts them.
    pub used: u64,
}

/// The table. All methods may be called from many threads at once.
pub struct Cortex<S: SlotStore> {
    store: S,
    placement: Placement,
    locks: locks::LockPool,
    stash: stash::Stash<S::Page>,
    occupancy: occupancy::Occupancy,
    cursor: hint::Cursor,
    used: AtomicU64,
    /// `used` was wrong: it would have left its range.
    miscounted: AtomicBool,
    /// See [`OPTIMISTIC_TRIES`]; tests set it to 0 to take the other way always.
    optimistic_tries: usize,
}

/// What an iteration finds in a slot that is not empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occupant {
    /// An anchor with valid checksums on a page of its own.
    Anchor,
    /// An anchor with valid checksums on a page that is neither its H1 nor its H2: invalid.
    Misplaced,
    /// A checksum fails.
    Damaged,
}

impl<S: SlotStore> Cortex<S> {
    /// Opens the table and brings the stash to memory; no page of the cortex is read. An
    /// unreadable page of the stash is no error here: lookups that could have ended there report
    /// it. Error: `Corrupt` for an impossible geometry.
    pub fn open(store: S, geometry: Geometry) -> Result<Cortex<S>> {
        let placement = Placement::new(geometry.hash_key, geometry.cortex_pages)?;
        let stash = stash::Stash::open(&store, geometry.stash_pages, &placement)?;
        // The sequence differs between mounts and is the same for the same volume state.
        let seed = siphash24(&geometry.hash_key, &geometry.used.to_le_bytes());
        Ok(Cortex {
            store,
            placement,
            locks: locks::LockPool::new(),
            stash,
            occupancy: occupancy::Occupancy::new(),
            cursor: hint::Cursor::new(seed),
            used: AtomicU64::new(geometry.used),
            miscounted: AtomicBool::new(false),
            optimistic_tries: OPTIMISTIC_TRIES,
        })
    }

    /// The two pages on which an anchor may stand.
    pub fn homes(&self, number: u64, hint: u32) -> Homes {
        self.placement.homes(Key { number, hint })
    }

    /// Slots in use, of cortex and stash.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Slots of cortex and stash.
    pub fn capacity(&self) -> u64 {
        (self.placement.pages() + self.stash.page_count()) * SLOTS_PER_PAGE
    }

    /// Anchors in the stash.
    pub fn stash_used(&self) -> usize {
        self.stash.len()
    }

    /// Calls `f` for every slot in use, page by page, the stash last. Pages without any are not
    /// read. Slots that move meanwhile may be seen twice or not at all. Errors: those of the
    /// store and of `f`.
    pub fn for_each(&self, mut f: impl FnMut(Location, Occupant, &SlotBytes) -> Result<()>) -> Result<()> {
        let regions = [(Region::Cortex, self.placement.pages()), (Region::Stash, self.stash.page_count())];
        for (region, pages) in regions {
            for page in 0..pages {
                if self.store.is_blank(region, page) {
                    continue;
                }
                let payload = bucket::snapshot(&self.store.page(region, page)?);
                for slot in 0..bucket::SLOTS {
                    let bytes = bucket::slot(&payload, slot);
                    if !is_empty(bytes) {
                        let at = Location { region, page, slot: slot as u16 };
                        f(at, self.judge(at, bytes), bytes)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn judge(&self, at: Location, bytes: &SlotBytes) -> Occupant {
        if !checksum_holds(bytes) {
            Occupant::Damaged
        } else if at.region == Region::Stash || self.placement.homes(Key::of(bytes)).contains(at.page) {
            Occupant::Anchor
        } else {
            Occupant::Misplaced
        }
    }

    /// Counts a slot more or less. A counter from a hostile disk must neither wrap nor become one that no volume
    /// can have.
    fn count_used(&self, change: i64) {
        let step = |used: u64| used.checked_add_signed(change).filter(|&used| used <= self.capacity());
        if self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).is_err() {
            self.miscounted.store(true, Ordering::Relaxed);
        }
    }

    /// Whether the count of slots in use turned out to be wrong, since this was last asked.
    pub fn miscounted(&self) -> bool {
        self.miscounted.swap(false, Ordering::Relaxed)
    }
}
