//! A directory: its state, its index in memory, and what can be asked of it.

use super::bytes::{At, BlockBytes, DirBlocks, DirReads, corrupt_state};
use super::edit;
use super::hash::{NameHash, Range, hash_of_cookie, name_hash, truncate_hash};
use super::index::{DirIndex, LeafRef, blocks_of_depth};
use super::leaf::{Entry, Leaf, NamedEntry, Seed, is_kind, is_name};
use super::load::load;
use crate::base::{Code, Error, Ino, Result};
use crate::format::layout::{COOKIE_FIRST, DIR_DEPTH_MAX, DirState, NAME_MAX};
use std::sync::Arc;

/// How much deeper than its number of leaves demands an insert may make a directory. 15 of n random
/// hashes share log2(n / 14) + 6 bits with probability below n * 2^-71 (15 names of 255 bytes are
/// the fewest that overflow a leaf).
const DEPTH_SLACK: u8 = 6;
/// Depth up to which the index is one block anyway.
const DEPTH_OF_ONE_BLOCK: u8 = 9;

/// One directory. Its blocks come with each call; errors of reading them pass through unchanged.
///
/// `Code::Corrupt` names directory, block and rule; whatever fails changes nothing.
pub struct DirTable {
    pub(super) number: Ino,
    key: [u8; 16],
    hash: NameHash,
    pub(super) state: DirState,
    pub(super) length: u32,
    pub(super) index: DirIndex,
}

impl DirTable {
    /// Loads directory `number` of `length` blocks; `key` is the volume's hash key. Reads the index
    /// blocks only.
    pub fn load<B: DirReads + ?Sized>(
        number: Ino,
        key: [u8; 16],
        state: DirState,
        length: u32,
        blocks: &mut B,
    ) -> Result<DirTable> {
        DirTable::load_hashed(number, key, name_hash, state, length, blocks)
    }

    /// As `load`, with another hash of names: for tests of collisions.
    pub fn load_hashed<B: DirReads + ?Sized>(
        number: Ino,
        key: [u8; 16],
        hash: NameHash,
        state: DirState,
        length: u32,
        blocks: &mut B,
    ) -> Result<DirTable> {
        let index = load(number, &state, length, blocks)?;
        Ok(DirTable { number, key, hash, state, length, index })
    }

    /// A new directory, without blocks.
    pub fn empty(number: Ino, key: [u8; 16]) -> DirTable {
        let state = DirState { gravity_1: 0, depth: 0, index_first: 0, index_blocks: 0, entries: 0 };
        DirTable { number, key, hash: name_hash, state, length: 0, index: DirIndex::empty() }
    }

    /// What the anchor holds. `gravity_1` is the caller's: operations leave it as it is.
    pub fn state(&self) -> &DirState {
        &self.state
    }
    pub fn set_gravity_1(&mut self, gravity_1: u64) {
        self.state.gravity_1 = gravity_1;
    }
    /// Blocks of the directory.
    pub fn length(&self) -> u32 {
        self.length
    }
    pub fn index(&self) -> &DirIndex {
        &self.index
    }
    pub fn is_empty(&self) -> bool {
        self.state.entries == 0
    }
    /// Names in the directory, without `.` and `..`.
    pub fn entries(&self) -> u64 {
        self.state.entries
    }

    /// The entry of `name`, if it is there. Reads one block; allocates nothing.
    pub fn lookup<B: DirReads + ?Sized>(&self, blocks: &mut B, name: &[u8]) -> Result<Option<Entry>> {
        check_length(name)?;
        let hash = self.hash_of(name);
        let Some(leaf_ref) = self.index.leaf_of(hash) else { return Ok(None) };
        let bytes = blocks.read(leaf_ref.block)?;
        let found = self.open(&bytes, leaf_ref)?.find(hash, name)?;
        found.map(|raw| raw.entry()).transpose()
    }

    /// Lets `name` lead to another file; its place and cookie stay. Returns what it led to.
    /// Errors: `NotFound`, `InvalidArgument`.
    pub fn replace<B: DirBlocks + ?Sized>(
        &mut self,
        blocks: &mut B,
        name: &[u8],
        seed: Seed,
        kind: u8,
    ) -> Result<Entry> {
        check_length(name)?;
        check_entry(seed, kind)?;
        let hash = self.hash_of(name);
        let Some(leaf_ref) = self.index.leaf_of(hash) else { return Err(Code::NotFound.into()) };
        let mut bytes = blocks.read(leaf_ref.block)?;
        let leaf = self.open(&bytes, leaf_ref)?;
        let Some(raw) = leaf.find_verified(hash, name)? else { return Err(Code::NotFound.into()) };
        let old = raw.entry()?;
        let place = raw.offset..raw.end();
        edit::write(&mut Arc::make_mut(&mut bytes)[place], name, &Entry { seed, kind, ..old });
        blocks.write(leaf_ref.block, bytes);
        Ok(old)
    }

    /// Gives the entries with cookies above `from_cookie` (0 to 63: all), in cookie order, until
    /// `take` returns false. A name that stands throughout is given once, whatever is entered or
    /// removed between two calls.
    pub fn iterate<B: DirReads + ?Sized>(
        &self,
        blocks: &mut B,
        from_cookie: u64,
        take: &mut dyn FnMut(&NamedEntry) -> bool,
    ) -> Result<()> {
        self.iterate_past(blocks, from_cookie, &mut Err, take)
    }

    /// As `iterate`; `damaged` gets the error of a leaf, which is passed over if it returns Ok.
    pub fn iterate_past<B: DirReads + ?Sized>(
        &self,
        blocks: &mut B,
        from_cookie: u64,
        damaged: &mut dyn FnMut(Error) -> Result<()>,
        take: &mut dyn FnMut(&NamedEntry) -> bool,
    ) -> Result<()> {
        let first = from_cookie.saturating_add(1).max(COOKIE_FIRST);
        let mut hash = hash_of_cookie(first);
        while hash < Range::ALL.end() {
            let Some(leaf_ref) = self.index.leaf_of(hash) else { return Ok(()) };
            match self.iterate_leaf(blocks, leaf_ref, first, take) {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) => damaged(error)?,
            }
            hash = leaf_ref.range.end();
        }
        Ok(())
    }

    /// The entries of one leaf with cookies from `first` on. False: `take` wants no more.
    fn iterate_leaf<B: DirReads + ?Sized>(
        &self,
        blocks: &mut B,
        leaf_ref: LeafRef,
        first: u64,
        take: &mut dyn FnMut(&NamedEntry) -> bool,
    ) -> Result<bool> {
        let bytes = blocks.read(leaf_ref.block)?;
        let leaf = self.open(&bytes, leaf_ref)?;
        leaf.verify()?;
        let mut walk = leaf.walk();
        while let Some(raw) = walk.next()? {
            if raw.cookie < first {
                continue;
            }
            if !take(&NamedEntry { name: raw.name(), entry: raw.entry()? }) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Upper bound of the blocks that one insert rewrites or adds, found without reading.
    pub fn worst_case_new_blocks(&self) -> u32 {
        let depth = self.depth_limit();
        // The leaf, one more for each bit by which it is split, the index.
        1 + u32::from(depth) + blocks_of_depth(depth)
    }

    /// Upper bound of the blocks that one remove rewrites: the merged leaf, each block that fills
    /// the place of a freed one, the index.
    pub fn worst_case_removed_blocks(&self) -> u32 {
        let index = self.state.index_blocks;
        1 + u32::from(self.state.depth) + 2 * index
    }

    /// Deepest index that an insert may make now.
    pub(super) fn depth_limit(&self) -> u8 {
        let leaves = self.index.leaf_count().max(1);
        let needed = leaves.next_power_of_two().trailing_zeros() as u8;
        let limit = (needed + DEPTH_SLACK).max(DEPTH_OF_ONE_BLOCK).max(self.state.depth);
        limit.min(DIR_DEPTH_MAX as u8)
    }

    pub(super) fn hash_of(&self, name: &[u8]) -> u64 {
        truncate_hash((self.hash)(&self.key, self.number, name))
    }

    pub(super) fn at(&self, block: u32) -> At {
        At { directory: self.number, block }
    }

    /// Opens a leaf that was read, and compares it with the index and the state.
    pub(super) fn open<'a>(&self, bytes: &'a BlockBytes, leaf_ref: LeafRef) -> Result<Leaf<'a>> {
        let leaf = Leaf::open(bytes, self.at(leaf_ref.block), Some(leaf_ref.range))?;
        let count = leaf.count as u64;
        if count > self.state.entries || (self.state.depth == 0 && count != self.state.entries) {
            return Err(corrupt_state(self.number, "entries contradicts the count of a leaf"));
        }
        Ok(leaf)
    }
}

/// Refuses names that can stand in no directory for their length.
pub(super) fn check_length(name: &[u8]) -> Result<()> {
    match name.len() {
        0 => Err(Code::InvalidArgument.into()),
        length if length > NAME_MAX as usize => Err(Code::NameTooLong.into()),
        _ => Ok(()),
    }
}

/// Refuses names that may not be entered.
pub(super) fn check_name(name: &[u8]) -> Result<()> {
    check_length(name)?;
    if !is_name(name) {
        return Err(Error::new(Code::InvalidArgument, "a name with NUL or '/', or '.' or '..'"));
    }
    Ok(())
}

/// Refuses what no reader would accept back.
pub(super) fn check_entry(seed: Seed, kind: u8) -> Result<()> {
    if seed.number == 0 || seed.number >= 1 << 53 || !is_kind(kind) {
        return Err(Error::new(Code::InvalidArgument, "file number or type out of range"));
    }
    Ok(())
}
