//! The segments of one file, ordered in memory, with stable slots on disk.
//!
//! Invariants:
//! - segments of one copy do not overlap;
//! - slot i of the SEGMENTS payload (bytes 16 i to 16 i + 15) holds exactly one segment, slots have no gap;
//! - a change touches few slots: a trimmed or merged segment stays where it is, a removed one is
//!   replaced by the last.

use std::collections::{BTreeMap, BTreeSet};

use super::segment::{SEGMENT_SIZE, Segment};
use super::trajectory::Window;
use crate::base::{Code, DataNumber, Error, Result};

/// Ordered map of a file's segments. Memory: about 60 bytes a segment.
#[derive(Clone, Debug)]
pub struct SegmentMap {
    /// phi(0): where a segment wraps.
    window_blocks: u64,
    /// Per copy: first index -> (segment, its slot).
    by_index: [BTreeMap<u64, (Segment, u32)>; 2],
    /// Slot -> (copy, first index).
    slots: Vec<(u8, u64)>,
    /// Slots whose bytes differ from those last written.
    changed: BTreeSet<u32>,
}

impl SegmentMap {
    /// The map of a file without segments.
    pub fn new(window: &Window) -> SegmentMap {
        SegmentMap {
            window_blocks: window.blocks(),
            by_index: [BTreeMap::new(), BTreeMap::new()],
            slots: Vec::new(),
            changed: BTreeSet::new(),
        }
    }

    /// The map of a SEGMENTS payload.
    ///
    /// # Errors
    /// `Corrupt`: a length that is no multiple of 16, an illegal segment, or two that overlap.
    pub fn load(window: &Window, payload: &[u8]) -> Result<SegmentMap> {
        let mut map = SegmentMap::new(window);
        let records = payload.chunks_exact(SEGMENT_SIZE);
        if !records.remainder().is_empty() {
            let text = format!("segments of {} bytes: no multiple of {SEGMENT_SIZE}", payload.len());
            return Err(Error::new(Code::Corrupt, text));
        }
        for record in records {
            let mut bytes = [0; SEGMENT_SIZE];
            bytes.copy_from_slice(record);
            let segment = Segment::decode(window, &bytes)?;
            if map.overlaps(&segment) {
                let text =
                    format!("segment at index {}, copy {} overlaps another", segment.first, segment.copy);
                return Err(Error::new(Code::Corrupt, text));
            }
            map.push(segment);
        }
        map.changed.clear();
        Ok(map)
    }

    /// Number of segments, of both copies.
    pub fn len(&self) -> usize {
        self.slots.len()
    }
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
    /// Segments of one copy in ascending order of indices.
    pub fn iter(&self, copy: u8) -> impl Iterator<Item = &Segment> {
        self.by_index[usize::from(copy)].values().map(|(segment, _)| segment)
    }
    /// The segment in a slot.
    pub fn slot(&self, slot: u32) -> Option<&Segment> {
        let &(copy, first) = self.slots.get(slot as usize)?;
        self.by_index[usize::from(copy)].get(&first).map(|(segment, _)| segment)
    }
    /// The whole payload, slot by slot.
    pub fn encode(&self, window: &Window) -> Vec<u8> {
        let all = (0..self.slots.len() as u32).filter_map(|slot| self.slot(slot));
        all.flat_map(|segment| segment.encode(window)).collect()
    }
    /// Slots to write since the last call, ascending, all below [`SegmentMap::len`]. (A payload
    /// that shrank needs its new length written besides.)
    pub fn take_changed(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.changed).into_iter().collect()
    }

    /// The segment that covers an index.
    pub fn lookup(&self, index: u64, copy: u8) -> Option<&Segment> {
        let (_, (segment, _)) = self.by_index[usize::from(copy)].range(..=index).next_back()?;
        segment.contains(index).then_some(segment)
    }
    /// First index of the next segment behind `index`.
    pub fn next_first(&self, index: u64, copy: u8) -> Option<u64> {
        self.by_index[usize::from(copy)].range(index + 1..).next().map(|(&first, _)| first)
    }

    /// Makes `segment` the equation of its indices: what covered them is trimmed, split or
    /// removed; neighbours that it continues become one with it.
    pub fn insert(&mut self, segment: Segment) {
        self.remove_range(segment.first, segment.end(), segment.copy);
        let mut segment = segment;
        if let Some(next) = self.at(segment.end(), segment.copy)
            && self.continues(&segment, &next)
        {
            segment.len += next.len;
            self.remove(&next);
        }
        let previous =
            segment.first.checked_sub(1).and_then(|index| self.lookup(index, segment.copy).copied());
        match previous {
            Some(previous) if self.continues(&previous, &segment) => {
                self.replace(&previous, Segment { len: previous.len + segment.len, ..previous });
            }
            _ => self.push(segment),
        }
    }

    /// Takes indices `first` to `end - 1` of a copy out: what is left of a segment keeps its addresses.
    pub fn remove_range(&mut self, first: u64, end: u64, copy: u8) {
        if let Some(head) = self.before(first, copy).filter(|head| head.end() > first) {
            self.replace(&head, Segment { len: (first - head.first) as u32, ..head });
            if head.end() > end {
                self.push(self.tail(&head, end));
            }
        }
        while let Some(&segment) = self.first_in(first, end, copy) {
            if segment.end() > end {
                let tail = self.tail(&segment, end);
                self.replace(&segment, tail);
            } else {
                self.remove(&segment);
            }
        }
    }

    /// Removes every segment of a copy.
    pub fn clear(&mut self, copy: u8) {
        self.remove_range(0, u64::MAX, copy);
    }

    fn first_in(&self, first: u64, end: u64, copy: u8) -> Option<&Segment> {
        let mut inside = self.by_index[usize::from(copy)].range(first..end);
        inside.next().map(|(_, (segment, _))| segment)
    }
    fn at(&self, first: u64, copy: u8) -> Option<Segment> {
        self.by_index[usize::from(copy)].get(&first).map(|(segment, _)| *segment)
    }
    /// The segment that covers the index before `index`.
    fn before(&self, index: u64, copy: u8) -> Option<Segment> {
        self.lookup(index.checked_sub(1)?, copy).copied()
    }
    fn overlaps(&self, segment: &Segment) -> bool {
        self.lookup(segment.first, segment.copy).is_some()
            || self.first_in(segment.first, segment.end(), segment.copy).is_some()
    }
    /// Whether `next` lies behind `segment` in index and on disk, and both fit one record.
    fn continues(&self, segment: &Segment, next: &Segment) -> bool {
        let behind = (segment.gravity.0 + u64::from(segment.len)) % self.window_blocks;
        segment.end() == next.first && behind == next.gravity.0 && segment.len.checked_add(next.len).is_some()
    }
    /// What is left of a segment from index `first` on.
    fn tail(&self, segment: &Segment, first: u64) -> Segment {
        let skipped = first - segment.first;
        let gravity = DataNumber((segment.gravity.0 + skipped) % self.window_blocks);
        Segment { first, len: (u64::from(segment.len) - skipped) as u32, gravity, copy: segment.copy }
    }

    fn push(&mut self, segment: Segment) {
        let slot = self.slots.len() as u32;
        self.slots.push((segment.copy, segment.first));
        self.by_index[usize::from(segment.copy)].insert(segment.first, (segment, slot));
        self.changed.insert(slot);
    }
    /// Puts `new` (of the same copy) into the slot of `old`.
    fn replace(&mut self, old: &Segment, new: Segment) {
        let by_index = &mut self.by_index[usize::from(old.copy)];
        if let Some((_, slot)) = by_index.remove(&old.first) {
            by_index.insert(new.first, (new, slot));
            self.slots[slot as usize] = (new.copy, new.first);
            self.changed.insert(slot);
        }
    }
    fn remove(&mut self, segment: &Segment) {
        let Some((_, slot)) = self.by_index[usize::from(segment.copy)].remove(&segment.first) else { return };
        self.slots.swap_remove(slot as usize);
        self.changed.remove(&(self.slots.len() as u32));
        let Some(&(copy, first)) = self.slots.get(slot as usize) else { return };
        if let Some((_, moved)) = self.by_index[usize::from(copy)].get_mut(&first) {
            *moved = slot;
            self.changed.insert(slot);
        }
    }
}

#[cfg(test)]
#[path = "segment_test.rs"]
mod tests;
