//! What is asked of a chain, and the units taken on the way to it.

use super::allocator::{UnitAllocator, UnitMap};
use crate::base::Result;

/// A type's new payload; empty: the type goes.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    pub kind: u32,
    pub payload: &'a [u8],
}

/// Units in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitRun {
    pub first: u64,
    pub count: u64,
}

/// The allocator during one plan: remembers what was taken.
pub(super) struct Taker<'a, M: ?Sized> {
    pub allocator: &'a mut UnitAllocator,
    pub map: &'a mut M,
    pub taken: Vec<UnitRun>,
    /// A unit in whose page small records are welcome.
    pub near: Option<u64>,
}

impl<M: UnitMap + ?Sized> Taker<'_, M> {
    pub fn take(&mut self, units: u64, kind: u32, growing: bool) -> Result<u64> {
        let first = if growing {
            self.allocator.take_in_empty_page(self.map, units, kind)?
        } else {
            self.allocator.take(self.map, units, kind, self.near)?
        };
        self.taken.push(UnitRun { first, count: units });
        Ok(first)
    }

    /// Takes up to `wanted` units behind a record that ends before unit `end`.
    pub fn extend(&mut self, end: u64, wanted: u64, kind: u32) -> Result<u64> {
        let count = self.allocator.extend(self.map, end, wanted, kind)?;
        if count > 0 {
            self.taken.push(UnitRun { first: end, count });
        }
        Ok(count)
    }

    /// Gives back everything taken since `taken` had that length.
    pub fn roll_back(&mut self, length: usize) {
        release(self.allocator, &self.taken[length..]);
        self.taken.truncate(length);
    }
}

/// Gives units back to the allocator.
pub(super) fn release(allocator: &mut UnitAllocator, runs: &[UnitRun]) {
    for run in runs {
        allocator.release(run.first, run.count);
    }
}
