//! Which equation holds for an index of a file, and the addresses it gives (docs/format.md 4).

use super::segment_map::SegmentMap;
use super::trajectory::{Equation, Window};
use crate::base::DataNumber;

/// All equations of one file.
#[derive(Clone, Debug)]
pub struct Equations {
    /// The anchor's; `None` while the file owns no block.
    pub anchor: Option<Equation>,
    /// G of copy 1, under the anchor's V and M; `None`: no copy 1.
    pub gravity_1: Option<DataNumber>,
    pub segments: SegmentMap,
    /// [`super::seed_hash`] of the file.
    pub seed_hash: u64,
}

/// The equation that holds for an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    pub equation: Equation,
    /// The index as argument of the equation (a segment counts from its first).
    pub n: u64,
    /// First index for which another equation may hold; `u64::MAX`: none.
    pub until: u64,
    /// It is a segment's.
    pub segment: bool,
}

impl Equations {
    /// A file that owns no block.
    pub fn empty(window: &Window, seed_hash: u64) -> Equations {
        Equations { anchor: None, gravity_1: None, segments: SegmentMap::new(window), seed_hash }
    }

    /// The anchor's equation for a copy.
    pub fn anchor_of(&self, copy: u8) -> Option<Equation> {
        match copy {
            0 => self.anchor,
            _ => Some(Equation { gravity: self.gravity_1?, ..self.anchor? }),
        }
    }

    /// The equation that holds for (index, copy); `None`: no segment covers it and there is no anchor's.
    pub fn held(&self, index: u64, copy: u8) -> Option<Held> {
        if let Some(segment) = self.segments.lookup(index, copy) {
            let (equation, n) = (segment.equation(), index - segment.first);
            return Some(Held { equation, n, until: segment.end(), segment: true });
        }
        let until = self.segments.next_first(index, copy).unwrap_or(u64::MAX);
        Some(Held { equation: self.anchor_of(copy)?, n: index, until, segment: false })
    }

    /// The data block of (index, copy) at shell `k`, and how many indices from there on lie behind
    /// each other at that shell (at least 1, at most `max`).
    pub fn run(&self, window: &Window, index: u64, copy: u8, k: u8, max: u64) -> Option<(DataNumber, u64)> {
        let held = self.held(index, copy)?;
        let data = window.address(held.equation, held.n, k, self.seed_hash);
        let contiguous = window.contiguous(held.equation, held.n, k, self.seed_hash);
        Some((data, contiguous.min(held.until - index).min(max)))
    }
}
