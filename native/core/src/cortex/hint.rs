//! The placement hint of a new anchor: near its directory, where there is room.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Cortex;
use super::locks::Held;
use super::occupancy::REGION_SLOTS;
use super::store::SlotStore;
use crate::format::Region;
use crate::format::layout::NEIGHBOURHOOD_PAGES;

/// Entries of a directory per step of its hint: three quarters of a region's 336 slots.
const ENTRIES_PER_NEIGHBOURHOOD: u64 = 250;

/// Regions looked at, from the directory's on.
const NEAR_NEIGHBOURHOODS: u64 = 8;

/// Random regions looked at when the cursor's region is full.
const CURSOR_TRIES: usize = 8;

/// A region takes new anchors by choice while fewer slots than this (75 %) are in use; above, kicks
/// become frequent.
const REGION_FULL: usize = REGION_SLOTS * 3 / 4;

/// Pages one call may bring to memory to learn how full regions are. What was learned is kept, so
/// calls that follow get further.
const LEARN_PAGES_MAX: u32 = 2 * NEIGHBOURHOOD_PAGES as u32;

/// Where anchors go that find no room near their directory: a region in which the volume fills up
/// at the moment.
pub struct Cursor {
    region: AtomicU64,
    random: AtomicU64,
}

impl Cursor {
    pub fn new(seed: u64) -> Cursor {
        Cursor { region: AtomicU64::new(seed), random: AtomicU64::new(seed) }
    }

    /// SplitMix64 (Steele, Lea, Flood 2014): hints need spread, not secrecy.
    fn random(&self) -> u64 {
        let step = 0x9e37_79b9_7f4a_7c15u64;
        let mut z = self.random.fetch_add(step, Ordering::Relaxed).wrapping_add(step);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl<S: SlotStore> Cortex<S> {
    /// The hint for a new anchor of a directory with this hint and number of entries: the
    /// directory's region, one further per 250 entries, or the next of 8 that is below 75 % full;
    /// else the volume's cursor; else random. Brings at most 32 pages to memory; pages that
    /// cannot be read count as full. Never fails: a hint is only a preference.
    pub fn choose_hint(&self, dir_hint: u32, dir_entries: u64) -> u32 {
        let regions = self.placement.neighbourhoods().min(1 << 32);
        let start =
            (self.placement.neighbourhood_of(dir_hint) + dir_entries / ENTRIES_PER_NEIGHBOURHOOD) % regions;
        let mut budget = LEARN_PAGES_MAX;
        for step in 0..NEAR_NEIGHBOURHOODS.min(regions) {
            let region = (start + step) % regions;
            if self.has_room(region, &mut budget) {
                return region as u32;
            }
        }
        let current = self.cursor.region.load(Ordering::Relaxed) % regions;
        if self.has_room(current, &mut budget) {
            return current as u32;
        }
        // On a volume above 75 % a random region is hardly worth reading: only known ones count.
        if self.used().saturating_mul(4) >= self.capacity().saturating_mul(3) {
            budget = 0;
        }
        for _ in 0..CURSOR_TRIES {
            let region = self.cursor.random() % regions;
            if self.has_room(region, &mut budget) {
                self.cursor.region.store(region, Ordering::Relaxed);
                return region as u32;
            }
        }
        (self.cursor.random() % regions) as u32
    }

    /// Is the region below 75 %? Pages not yet known are learned while `budget` (pages) lasts.
    fn has_room(&self, region: u64, budget: &mut u32) -> bool {
        let seen = self.occupancy.region(region);
        let mut used = seen.used;
        let mut unknown = seen.unknown;
        while unknown != 0 && used < REGION_FULL {
            let page = region * NEIGHBOURHOOD_PAGES + u64::from(unknown.trailing_zeros());
            unknown &= unknown - 1;
            if self.learn_blank(page) {
                continue;
            }
            if *budget == 0 {
                return false;
            }
            *budget -= 1;
            used += match self.load(page) {
                Ok(_) => self.occupancy.page(page).unwrap_or(0),
                Err(_) => REGION_FULL,
            };
        }
        used < REGION_FULL
    }

    /// Is the page known to be empty without I/O? Then its count is entered, so that the question
    /// is asked once.
    fn learn_blank(&self, page: u64) -> bool {
        let _held = Held::new(self.locks.of(page));
        let blank = self.occupancy.page(page).is_none() && self.store.is_blank(Region::Cortex, page);
        if blank {
            self.occupancy.set(page, 0);
        }
        blank
    }
}
