//! Directories on the volume: tables over the block cache, with their space.

use crate::base::{BLOCK_SIZE, Error, Result, now_ns};
use crate::directory::{BlockBytes, DirBlocks, DirReads, DirTable, Entry, Insertion, Seed};
use crate::transaction::Transaction;
use crate::volume::Volume;
use crate::volume::blocks::lost;
use crate::volume::inode::{Inode, Locked, Shared, View};
use crate::volume::space::Purpose;
use std::sync::Arc;

/// A directory's blocks.
struct Blocks<'a> {
    volume: &'a Volume,
    dir: View<'a>,
    /// All of them will be asked for.
    all: bool,
}

impl<'a> Blocks<'a> {
    fn new(volume: &'a Volume, dir: View<'a>) -> Blocks<'a> {
        Blocks { volume, dir, all: false }
    }
}

/// A directory's blocks during a change.
struct ChangedBlocks<'a> {
    blocks: Blocks<'a>,
    tx: &'a Transaction<'a>,
}

impl DirReads for Blocks<'_> {
    fn read(&mut self, block: u32) -> Result<BlockBytes> {
        self.volume.directory_block(self.dir, u64::from(block), self.all)
    }
}

impl DirReads for ChangedBlocks<'_> {
    fn read(&mut self, block: u32) -> Result<BlockBytes> {
        self.blocks.read(block)
    }
}

impl DirBlocks for ChangedBlocks<'_> {
    fn write(&mut self, block: u32, bytes: BlockBytes) {
        self.blocks.volume.put_meta(self.tx, self.blocks.dir, u64::from(block), bytes);
    }
    fn set_len(&mut self, blocks: u32) {
        let mut meta = self.blocks.dir.meta.lock();
        let old = meta.length;
        meta.length = u64::from(blocks);
        for index in u64::from(blocks)..old {
            meta.remove(index);
        }
    }
}

/// A directory under its read lock, its table in memory.
pub struct Names<'a> {
    dir: Shared<'a>,
}

/// A name that will be entered.
pub struct NewEntry(Insertion);

impl Volume {
    /// Locks a directory for reading names.
    pub fn names<'a>(&self, dir: &'a Arc<Inode>) -> Result<Names<'a>> {
        self.trim_meta();
        loop {
            let shared = dir.share();
            if shared.table.is_some() {
                return Ok(Names { dir: shared });
            }
            drop(shared);
            self.load_table(&mut dir.lock())?;
        }
    }

    /// Brings a directory's table to memory.
    pub fn load_table(&self, dir: &mut Locked<'_>) -> Result<()> {
        if dir.table.is_some() {
            return Ok(());
        }
        let on_disk = dir.slot.dir_state()?;
        let length = u32::try_from(dir.placed_blocks()).map_err(|_| lost(dir.inode.ino, 0))?;
        {
            let mut meta = dir.meta.lock();
            meta.disk_length = u64::from(length);
            meta.length = u64::from(length);
        }
        let mut blocks = Blocks::new(self, dir.view());
        let table = DirTable::load(dir.inode.ino, self.geometry.hash_key, on_disk, length, &mut blocks)?;
        dir.table = Some(table);
        Ok(())
    }

    /// Looks a name up.
    pub fn find_name(&self, names: &Names<'_>, name: &[u8]) -> Result<Option<Entry>> {
        self.look_up(names.dir.view(), name)
    }

    /// Looks a name up in a directory that is locked for a change.
    pub fn find_entry(&self, dir: &mut Locked<'_>, name: &[u8]) -> Result<Option<Entry>> {
        self.load_table(dir)?;
        self.look_up(dir.view(), name)
    }

    fn look_up(&self, dir: View<'_>, name: &[u8]) -> Result<Option<Entry>> {
        let table = dir.table.as_ref().expect("loaded under the same lock");
        table.lookup(&mut Blocks::new(self, dir), name)
    }

    /// Entries behind `cookie` until `take` returns false.
    pub fn iterate(
        &self,
        names: &Names<'_>,
        cookie: u64,
        take: &mut dyn FnMut(&Entry, &[u8]) -> bool,
    ) -> Result<()> {
        self.iterate_past(names, cookie, &mut Err, take)
    }

    /// As `iterate`; `damaged` gets the error of a block, whose entries are left out if it returns Ok.
    pub fn iterate_past(
        &self,
        names: &Names<'_>,
        cookie: u64,
        damaged: &mut dyn FnMut(Error) -> Result<()>,
        take: &mut dyn FnMut(&Entry, &[u8]) -> bool,
    ) -> Result<()> {
        let table = names.dir.table.as_ref().expect("loaded under the same lock");
        let mut blocks = Blocks { volume: self, dir: names.dir.view(), all: true };
        table.iterate_past(&mut blocks, cookie, damaged, &mut |named| take(&named.entry, named.name))
    }

    /// Runs a change of the table and keeps state and space in step with it.
    fn change_table<R>(
        &self,
        tx: &Transaction<'_>,
        dir: &mut Locked<'_>,
        change: impl FnOnce(&mut DirTable, &mut ChangedBlocks<'_>) -> Result<R>,
    ) -> Result<R> {
        self.load_table(dir)?;
        self.change_loaded(tx, dir, change)
    }

    /// As `change_table`, of one that is in memory.
    fn change_loaded<R>(
        &self,
        tx: &Transaction<'_>,
        dir: &mut Locked<'_>,
        change: impl FnOnce(&mut DirTable, &mut ChangedBlocks<'_>) -> R,
    ) -> R {
        let mut table = dir.table.take().expect("loaded before");
        let blocks = Blocks::new(self, dir.view());
        let done = change(&mut table, &mut ChangedBlocks { blocks, tx });
        dir.size = u64::from(table.length()) * BLOCK_SIZE as u64;
        dir.table = Some(table);
        self.release_meta(dir);
        done
    }

    /// Enters a name. `to`: who pays for a directory that grows. An error changes nothing.
    pub fn insert_entry(
        &self,
        tx: &Transaction<'_>,
        dir: &mut Locked<'_>,
        name: &[u8],
        file: &Inode,
        to: Purpose,
    ) -> Result<()> {
        let entry = self.plan_entry(dir, name, file, to)?;
        self.enter_name(tx, dir, entry);
        Ok(())
    }

    /// Plans to enter a name, and reserves what the directory grows by. End with [`Volume::enter_name`] or
    /// [`Volume::forget_name`].
    pub fn plan_entry(
        &self,
        dir: &mut Locked<'_>,
        name: &[u8],
        file: &Inode,
        to: Purpose,
    ) -> Result<NewEntry> {
        self.load_table(dir)?;
        let table = dir.table.as_ref().expect("just loaded");
        let mut blocks = Blocks::new(self, dir.view());
        let insertion = table.prepare_insert(&mut blocks, name, seed_of(file), file.kind.number())?;
        let cost = insertion.cost;
        if to == Purpose::User {
            self.space.need_meta(u64::from(cost) * self.copies)?;
        }
        // One block is a leaf that is there already, except in an empty directory.
        let new = if table.length() > 0 && cost == 1 { 0 } else { u64::from(cost) };
        self.space.reserve(new * self.copies, to)?;
        dir.meta_reserved += new * self.copies;
        Ok(NewEntry(insertion))
    }

    /// Enters a planned name into a directory that has not changed since.
    pub fn enter_name(&self, tx: &Transaction<'_>, dir: &mut Locked<'_>, entry: NewEntry) {
        self.change_loaded(tx, dir, |table, blocks| table.carry_out_insert(blocks, entry.0));
    }

    /// A planned name is not entered.
    pub fn forget_name(&self, dir: &mut Locked<'_>, _: NewEntry) {
        self.release_meta(dir);
    }

    /// Takes a name away. False: it was not there.
    pub fn remove_entry(&self, tx: &Transaction<'_>, dir: &mut Locked<'_>, name: &[u8]) -> Result<bool> {
        self.change_table(tx, dir, |table, blocks| table.remove(blocks, name).map(|entry| entry.is_some()))
    }

    /// Lets a name lead to another file.
    pub fn replace_entry(
        &self,
        tx: &Transaction<'_>,
        dir: &mut Locked<'_>,
        name: &[u8],
        file: &Inode,
    ) -> Result<()> {
        self.change_table(tx, dir, |table, blocks| {
            table.replace(blocks, name, seed_of(file), file.kind.number()).map(drop)
        })
    }

    /// After a change of names: times, and the link count if a subdirectory came or went.
    pub fn touch_directory(&self, tx: &Transaction<'_>, dir: &mut Locked<'_>, subdirectories: i64) {
        let now = now_ns();
        dir.slot.anchor.mod_clock = now;
        let attributes = &mut dir.slot.attributes;
        attributes.ctime = now;
        let nlink = i64::from(attributes.nlink) + subdirectories;
        attributes.nlink = u32::try_from(nlink.max(2)).unwrap_or(u32::MAX);
        self.mark(tx, dir);
    }
}

fn seed_of(file: &Inode) -> Seed {
    Seed { number: file.ino, hint: file.hint, random: file.random }
}
