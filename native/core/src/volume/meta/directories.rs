//! Directories on the volume: tables over the block cache, with their space.

use super::blocks::MetaBlock;
use crate::base::{BLOCK_SIZE, Result, now_ns};
use crate::directory::{BlockBytes, DirBlocks, DirTable, Entry, Seed};
use crate::volume::Volume;
use crate::volume::inode::{Inode, InodeState};
use crate::volume::space::Purpose;
use std::sync::Arc;

/// Log bytes of a META block placed alone: descriptor, the old block's end, a change of a segment.
const COST_META: u64 = 128;

/// A directory's blocks during one operation.
pub struct Access<'a> {
    volume: &'a Volume,
    inode: &'a Inode,
    state: &'a InodeState,
}

impl DirBlocks for Access<'_> {
    fn read(&mut self, block: u32) -> Result<BlockBytes> {
        self.volume.meta_block(self.inode, self.state, u64::from(block))
    }
    fn write(&mut self, block: u32, bytes: BlockBytes) {
        self.volume.put_meta(self.state, u64::from(block), bytes);
    }
    fn set_len(&mut self, blocks: u32) {
        let mut meta = self.state.meta.lock();
        let old = meta.length;
        meta.length = u64::from(blocks);
        for index in u64::from(blocks)..old {
            meta.remove(index);
        }
    }
}

impl Volume {
    /// Loads a directory's table before it is used under a read lock.
    pub fn load_table(&self, dir: &Inode) -> Result<()> {
        if dir.state.read().table.is_some() {
            return Ok(());
        }
        self.load_table_locked(dir, &mut dir.state.write())
    }

    pub fn load_table_locked(&self, dir: &Inode, state: &mut InodeState) -> Result<()> {
        if state.table.is_some() {
            return Ok(());
        }
        let on_disk = state.slot.dir_state()?;
        let length = u32::try_from(state.placed_blocks()).map_err(|_| self.lost(dir, 0))?;
        {
            let mut meta = state.meta.lock();
            meta.disk_length = u64::from(length);
            meta.length = u64::from(length);
        }
        let mut access = Access { volume: self, inode: dir, state };
        let table = DirTable::load(dir.ino, self.geometry.hash_key, on_disk, length, &mut access)?;
        state.table = Some(table);
        Ok(())
    }

    /// Looks a name up. The table must be loaded.
    pub fn find_entry(&self, dir: &Inode, state: &InodeState, name: &[u8]) -> Result<Option<Entry>> {
        let table = state.table.as_ref().expect("callers load the table first");
        table.lookup(&mut Access { volume: self, inode: dir, state }, name)
    }

    /// Entries behind `cookie` until `take` returns false. The table must be loaded.
    pub fn iterate(
        &self,
        dir: &Inode,
        state: &InodeState,
        cookie: u64,
        take: &mut dyn FnMut(&Entry, &[u8]) -> bool,
    ) -> Result<()> {
        let table = state.table.as_ref().expect("callers load the table first");
        let mut access = Access { volume: self, inode: dir, state };
        table.iterate(&mut access, cookie, &mut |named| take(&named.entry, named.name))
    }

    /// Runs a change of the table and keeps state and space in step with it.
    fn change_table<R>(
        &self,
        dir: &Inode,
        state: &mut InodeState,
        change: impl FnOnce(&mut DirTable, &mut Access) -> Result<R>,
    ) -> Result<R> {
        self.load_table_locked(dir, state)?;
        let mut table = state.table.take().expect("just loaded");
        let done = change(&mut table, &mut Access { volume: self, inode: dir, state });
        state.size = u64::from(table.length()) * BLOCK_SIZE as u64;
        state.table = Some(table);
        self.release_meta(state);
        done
    }

    /// Brings the reservation for META blocks to what is really new.
    pub(in crate::volume) fn release_meta(&self, state: &mut InodeState) {
        let needed = state.meta.lock().new_blocks * self.copies;
        if state.meta_reserved > needed {
            self.space.release(state.meta_reserved - needed);
            state.meta_reserved = needed;
        }
    }

    /// Enters a name. `to`: who pays for a directory that grows.
    pub fn insert_entry(
        &self,
        dir: &Inode,
        state: &mut InodeState,
        name: &[u8],
        file: &Inode,
        to: Purpose,
    ) -> Result<()> {
        self.load_table_locked(dir, state)?;
        let table = state.table.as_ref().expect("just loaded");
        let cost = table.insert_cost(&mut Access { volume: self, inode: dir, state }, name)?;
        if to == Purpose::User {
            self.need_meta(u64::from(cost) * self.copies)?;
        }
        // One block is a leaf that is there already, except in an empty directory.
        let new = if table.length() > 0 && cost == 1 { 0 } else { u64::from(cost) };
        self.space.reserve(new * self.copies, to)?;
        state.meta_reserved += new * self.copies;
        self.change_table(dir, state, |table, access| {
            table.insert(access, name, seed_of(file), file.kind.number())
        })
    }

    pub fn remove_entry(&self, dir: &Inode, state: &mut InodeState, name: &[u8]) -> Result<()> {
        self.change_table(dir, state, |table, access| table.remove(access, name).map(drop))
    }

    /// Lets a name lead to another file.
    pub fn replace_entry(
        &self,
        dir: &Inode,
        state: &mut InodeState,
        name: &[u8],
        file: &Inode,
    ) -> Result<()> {
        self.change_table(dir, state, |table, access| {
            table.replace(access, name, seed_of(file), file.kind.number()).map(drop)
        })
    }

    /// After a change of names: times, and the link count if a subdirectory came or went.
    pub fn touch_directory(&self, dir: &Arc<Inode>, state: &mut InodeState, subdirectories: i64) {
        let now = now_ns();
        state.slot.anchor.mod_clock = now;
        let attributes = &mut state.slot.attributes;
        attributes.ctime = now;
        let nlink = i64::from(attributes.nlink) + subdirectories;
        attributes.nlink = u32::try_from(nlink.max(2)).unwrap_or(u32::MAX);
        self.mark(dir, state);
    }

    /// Changes or makes a META block; the transaction's end will need blocks and log for it.
    pub(in crate::volume) fn put_meta(&self, state: &InodeState, index: u64, bytes: MetaBlock) {
        if state.meta.lock().put(index, bytes) {
            self.room.add_meta(self.copies);
            self.pages.charge(COST_META * self.copies);
        }
    }

    /// A META block: from memory, else from the disk, where either copy will do.
    pub fn meta_block(&self, inode: &Inode, state: &InodeState, index: u64) -> Result<MetaBlock> {
        if let Some(block) = state.meta.lock().loaded.get(&index) {
            return Ok(block.clone());
        }
        let block = self.read_meta(inode, state, index)?;
        let mut meta = state.meta.lock();
        meta.on_disk.insert(index);
        Ok(meta.loaded.entry(index).or_insert(block).clone())
    }
}

fn seed_of(file: &Inode) -> Seed {
    Seed { number: file.ino, hint: file.hint, random: file.random }
}
