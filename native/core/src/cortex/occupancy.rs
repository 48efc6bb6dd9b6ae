//! How full the pages are, as far as they were looked at.
//!
//! A count is entered only under the page's pool lock, so a known count is exact. Memory grows
//! with the regions visited, not with the size the disk claims.

use std::collections::HashMap;

use parking_lot::Mutex;

use super::bucket::SLOTS;
use crate::format::layout::NEIGHBOURHOOD_PAGES;

const PAGES: usize = NEIGHBOURHOOD_PAGES as usize;
const SHARDS: usize = 64;
const UNKNOWN: u8 = u8::MAX;

/// Slots of a locality region.
pub const REGION_SLOTS: usize = PAGES * SLOTS;

/// Slots in use per page; one entry per visited region of 16 pages.
pub struct Occupancy {
    shards: [Mutex<HashMap<u64, [u8; PAGES]>>; SHARDS],
}

/// What is known of one region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegionUse {
    /// Slots in use on the pages that are known.
    pub used: usize,
    /// Bit i: page i of the region is not known.
    pub unknown: u16,
}

impl Occupancy {
    pub fn new() -> Occupancy {
        Occupancy { shards: std::array::from_fn(|_| Mutex::default()) }
    }

    /// Slots in use on a page, if known.
    pub fn page(&self, page: u64) -> Option<usize> {
        let (region, index) = split(page);
        let count = self.shard(region).lock().get(&region)?[index];
        (count != UNKNOWN).then_some(usize::from(count))
    }

    /// Enters a page's count; the caller holds the page's pool lock.
    pub fn set(&self, page: u64, used: usize) {
        let (region, index) = split(page);
        let mut shard = self.shard(region).lock();
        shard.entry(region).or_insert([UNKNOWN; PAGES])[index] = used as u8;
    }

    /// What is known of a region.
    pub fn region(&self, region: u64) -> RegionUse {
        let counts = self.shard(region).lock().get(&region).copied().unwrap_or([UNKNOWN; PAGES]);
        let mut summary = RegionUse { used: 0, unknown: 0 };
        for (index, count) in counts.into_iter().enumerate() {
            if count == UNKNOWN {
                summary.unknown |= 1 << index;
            } else {
                summary.used += usize::from(count);
            }
        }
        summary
    }

    fn shard(&self, region: u64) -> &Mutex<HashMap<u64, [u8; PAGES]>> {
        &self.shards[region as usize % SHARDS]
    }
}

fn split(page: u64) -> (u64, usize) {
    (page / NEIGHBOURHOOD_PAGES, (page % NEIGHBOURHOOD_PAGES) as usize)
}
