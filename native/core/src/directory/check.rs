//! Verifies a whole directory: every rule of docs/format.md section 5.

use super::bytes::{DirReads, corrupt_state};
use super::hash::{Range, hash_of_cookie};
use super::load::load;
use super::table::DirTable;
use crate::base::Result;

/// What a directory is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    pub leaves: u32,
    pub index_blocks: u32,
    pub entries: u64,
    /// Bytes of all entries.
    pub used_bytes: u64,
}

impl DirTable {
    /// Reads every block of the directory and checks it. The error names the first rule broken.
    pub fn check<B: DirReads + ?Sized>(&self, blocks: &mut B) -> Result<CheckReport> {
        let stored = load(self.number, &self.state, self.length, blocks)?;
        if stored != self.index {
            return Err(corrupt_state(self.number, "the index in memory is not the one on disk"));
        }
        let mut report = CheckReport { index_blocks: self.state.index_blocks, ..CheckReport::default() };
        let mut hash = 0;
        while hash < Range::ALL.end() {
            let Some(leaf_ref) = stored.leaf_of(hash) else { break };
            let bytes = blocks.read(leaf_ref.block)?;
            let leaf = self.open(&bytes, leaf_ref)?;
            leaf.verify()?;
            let mut names_of_hash: Vec<&[u8]> = Vec::new();
            let mut last_hash = None;
            let mut walk = leaf.walk();
            while let Some(raw) = walk.next()? {
                raw.entry()?;
                let hash = hash_of_cookie(raw.cookie);
                if hash != self.hash_of(raw.name()) {
                    return Err(self.at(leaf_ref.block).corrupt("cookie of an entry is not of its name"));
                }
                if last_hash.replace(hash) != Some(hash) {
                    names_of_hash.clear();
                }
                if names_of_hash.contains(&raw.name()) {
                    return Err(self.at(leaf_ref.block).corrupt("a name stands twice"));
                }
                names_of_hash.push(raw.name());
            }
            report.leaves += 1;
            report.entries += leaf.count as u64;
            report.used_bytes += leaf.used as u64;
            hash = leaf_ref.range.end();
        }
        if report.entries != self.state.entries {
            return Err(corrupt_state(self.number, "entries is not the number of names"));
        }
        Ok(report)
    }
}
