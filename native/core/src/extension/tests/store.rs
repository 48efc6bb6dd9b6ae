//! An extension region in memory.

use super::super::*;
use crate::base::{Code, Error, Result};
use crate::format::layout::{MAP_BITS_PER_PAGE, PAGE_PAYLOAD};

pub(crate) use crate::testing::{Rng, with_seeds};

#[derive(Clone)]
pub struct Store {
    pub pages: u64,
    pub units: Vec<Unit>,
    pub used: Vec<bool>,
    /// The next reads of the unit map fail.
    pub map_fails: bool,
}

impl Store {
    pub fn new(pages: u64) -> Store {
        let units = pages as usize * 15;
        Store { pages, units: vec![[0; 256]; units], used: vec![false; units], map_fails: false }
    }
    pub fn used_count(&self) -> u64 {
        self.used.iter().filter(|used| **used).count() as u64
    }
    /// Carries a plan out, as the log does; checks that no write is idle.
    pub fn apply(&mut self, plan: &Plan) {
        for (unit, bytes) in &plan.writes {
            let unit = *unit as usize;
            assert!(unit != 0 && (!self.used[unit] || self.units[unit] != *bytes), "unit {unit} unchanged");
            self.units[unit] = *bytes;
            self.used[unit] = true;
        }
        for run in &plan.freed {
            for unit in run.first..run.first + run.count {
                assert!(std::mem::replace(&mut self.used[unit as usize], false), "unit {unit} was free");
                assert!(!plan.writes.iter().any(|(written, _)| *written == unit), "written and freed");
            }
        }
    }
}

impl Units for Store {
    fn unit(&mut self, unit: u64) -> Result<Unit> {
        Ok(self.units[unit as usize])
    }
    fn in_use(&mut self, unit: u64) -> Result<bool> {
        Ok(self.used[unit as usize])
    }
}

impl UnitMap for Store {
    fn read_page(&mut self, page: u64, bits: &mut [u8; PAGE_PAYLOAD as usize]) -> Result<()> {
        if self.map_fails {
            return Err(Error::new(Code::Io, "injected"));
        }
        bits.fill(0);
        for (bit, used) in self.used.iter().skip((page * MAP_BITS_PER_PAGE) as usize).enumerate() {
            if *used && bit < MAP_BITS_PER_PAGE as usize {
                bits[bit / 8] |= 1 << (bit % 8);
            }
        }
        Ok(())
    }
}

/// A region with its allocator and one file's chain.
pub struct File {
    pub store: Store,
    pub allocator: UnitAllocator,
    pub chain: Chain,
    /// Of the last change.
    pub generation: u32,
}

impl File {
    pub fn new(pages: u64) -> File {
        File {
            store: Store::new(pages),
            allocator: UnitAllocator::new(pages, 0),
            chain: Chain::empty(17),
            generation: 0,
        }
    }
    /// Changes one payload; returns the units written and freed.
    pub fn change(&mut self, kind: u32, payload: &[u8]) -> Result<(usize, u64)> {
        self.generation += 1;
        let changes = [Change { kind, payload }];
        let plan = self.chain.plan(&changes, self.generation, &mut self.allocator, &mut self.store)?;
        self.store.apply(&plan);
        let cost = (plan.writes.len(), plan.freed.iter().map(|run| run.count).sum());
        self.chain = plan.keep(&mut self.allocator);
        let pages = self.store.pages;
        let read = Chain::read(&mut self.store, 17, self.chain.head(), pages).unwrap();
        assert_eq!(read, self.chain);
        assert_eq!(self.allocator.used(), self.store.used_count());
        Ok(cost)
    }
}
