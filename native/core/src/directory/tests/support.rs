//! What the tests share: blocks in memory, a directory with its model.

use super::super::*;
use crate::base::{Code, Error, Result};
use std::collections::BTreeMap;

pub(crate) use crate::testing::{Rng, with_seeds};

pub const KEY: [u8; 16] = [7; 16];
pub const NUMBER: u64 = 16;

/// A name of 1 to 255 bytes, number `id` of a pool.
pub fn name_of(id: u64, longest: u64) -> Vec<u8> {
    let mut rng = Rng::new(id);
    let length = 1 + rng.below(longest) as usize;
    let mut name = format!("{id:x}.").into_bytes();
    while name.len() < length {
        name.push(match rng.next_u64() as u8 {
            0 | b'/' => 0xff,
            byte => byte,
        });
    }
    name
}

pub fn seed_of(number: u64) -> Seed {
    Seed { number, hint: number as u32 ^ 0x55, random: number as u32 ^ 0xaa }
}

/// Blocks in memory that count reads and can fail.
#[derive(Clone, Default)]
pub struct Blocks {
    pub blocks: Vec<Option<BlockBytes>>,
    pub reads: u64,
    pub writes: u64,
    /// Read number `fail_at` (from now, 0 = next) fails.
    pub fail_at: Option<u64>,
}

impl DirReads for Blocks {
    fn read(&mut self, block: u32) -> Result<BlockBytes> {
        self.reads += 1;
        match self.fail_at {
            Some(0) => {
                self.fail_at = None;
                return Err(Error::new(Code::Io, "injected"));
            }
            Some(left) => self.fail_at = Some(left - 1),
            None => {}
        }
        Ok(self.blocks[block as usize].clone().expect("read before written"))
    }
}

impl DirBlocks for Blocks {
    fn write(&mut self, block: u32, bytes: BlockBytes) {
        self.writes += 1;
        self.blocks[block as usize] = Some(bytes);
    }
    fn set_len(&mut self, blocks: u32) {
        self.blocks.resize(blocks as usize, None);
    }
}

/// A directory and what must be in it.
pub struct Subject {
    pub table: DirTable,
    pub blocks: Blocks,
    pub model: BTreeMap<Vec<u8>, Entry>,
}

impl Subject {
    pub fn new() -> Subject {
        Subject::hashed(name_hash)
    }
    pub fn hashed(hash: NameHash) -> Subject {
        let mut blocks = Blocks::default();
        let state = *DirTable::empty(NUMBER, KEY).state();
        let mut table = DirTable::load_hashed(NUMBER, KEY, hash, state, 0, &mut blocks).unwrap();
        table.set_gravity_1(99);
        Subject { table, blocks, model: BTreeMap::new() }
    }
    pub fn insert(&mut self, name: &[u8], number: u64) -> Result<()> {
        let planned = self.table.prepare_insert(&mut self.blocks, name, seed_of(number), 8);
        let bound = self.table.worst_case_new_blocks();
        let (writes, reads) = (self.blocks.writes, self.blocks.reads);
        self.table.insert(&mut self.blocks, name, seed_of(number), 8)?;
        let written = self.blocks.writes - writes;
        assert_eq!(written, u64::from(planned.unwrap().cost), "the cost is exact");
        assert!(written <= u64::from(bound), "worst case: {written} of {bound}");
        assert!(self.blocks.reads - reads <= 1, "an insert reads one block");
        let entry = self.table.lookup(&mut self.blocks, name)?.expect("just entered");
        assert_eq!((entry.seed, entry.kind), (seed_of(number), 8));
        assert!(self.model.insert(name.to_vec(), entry).is_none(), "the table took a name twice");
        Ok(())
    }
    pub fn remove(&mut self, name: &[u8]) -> Option<Entry> {
        let bound = u64::from(self.table.worst_case_removed_blocks());
        let writes = self.blocks.writes;
        let removed = self.table.remove(&mut self.blocks, name).unwrap();
        assert!(self.blocks.writes - writes <= bound);
        assert_eq!(removed, self.model.remove(name));
        removed
    }
    pub fn replace(&mut self, name: &[u8], number: u64) {
        let known = self.model.get_mut(name);
        match (self.table.replace(&mut self.blocks, name, seed_of(number), 4), known) {
            (Ok(old), Some(entry)) => {
                assert_eq!(old, *entry);
                *entry = Entry { seed: seed_of(number), kind: 4, cookie: old.cookie };
            }
            (Err(error), None) => assert_eq!(error.code, Code::NotFound),
            (result, known) => panic!("replace: {result:?}, model {known:?}"),
        }
    }
    /// All entries as an iteration gives them.
    pub fn listed(&mut self) -> Vec<(Vec<u8>, Entry)> {
        let mut all = Vec::new();
        let take = &mut |named: &NamedEntry| {
            all.push((named.name.to_vec(), named.entry));
            true
        };
        self.table.iterate(&mut self.blocks, 0, take).unwrap();
        all
    }
    /// Table, blocks and model agree in everything.
    pub fn verify(&mut self) -> CheckReport {
        let report = self.table.check(&mut self.blocks).unwrap();
        assert_eq!(report.entries, self.model.len() as u64);
        assert_eq!(self.table.entries(), report.entries);
        assert_eq!(self.table.is_empty(), self.model.is_empty());
        assert_eq!(self.blocks.blocks.len(), self.table.length() as usize);
        assert_eq!(report.leaves + report.index_blocks, self.table.length());
        assert_eq!(self.table.state().gravity_1, 99);
        let listed = self.listed();
        assert!(listed.is_sorted_by_key(|(_, entry)| entry.cookie));
        let in_model: BTreeMap<_, _> = listed.into_iter().collect();
        assert_eq!(in_model, self.model);
        for (name, entry) in &self.model {
            let reads = self.blocks.reads;
            assert_eq!(self.table.lookup(&mut self.blocks, name).unwrap(), Some(*entry));
            assert_eq!(self.blocks.reads - reads, 1);
        }
        report
    }
    /// As after a mount: state and blocks only.
    pub fn reload(&mut self, hash: NameHash) {
        let (state, length) = (*self.table.state(), self.table.length());
        let stored = DirTable::load_hashed(NUMBER, KEY, hash, state, length, &mut self.blocks).unwrap();
        assert_eq!(stored.index(), self.table.index());
        self.table = stored;
    }
}
