//! rename, with RENAME_NOREPLACE, RENAME_EXCHANGE and RENAME_WHITEOUT.

use super::FileSystem;
use super::api::{RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT};
use super::check;
use super::create::NewFile;
use super::locking::LockedSet;
use crate::base::{Code, Ino, Result, now_ns};
use crate::directory::Entry;
use crate::format::layout;
use crate::transaction::Transaction;
use crate::volume::{Inode, Locked, Purpose};
use std::sync::Arc;

/// Directories above a directory: more than this is a loop on the disk.
const DEPTH_MAX: usize = 1 << 16;
const RACES_MAX: usize = 64;

/// What rename(2) is asked for.
struct Rename<'a> {
    parent: Ino,
    name: &'a [u8],
    new_parent: Ino,
    new_name: &'a [u8],
    flags: u32,
}

impl Rename<'_> {
    fn exchanges(&self) -> bool {
        self.flags & RENAME_EXCHANGE != 0
    }
}

/// A name and what it leads to.
struct Named<'a> {
    dir: Arc<Inode>,
    name: &'a [u8],
    found: Option<(Entry, Arc<Inode>)>,
}

impl FileSystem {
    pub(super) fn move_name(
        &self,
        parent: Ino,
        name: &[u8],
        new_parent: Ino,
        new_name: &[u8],
        flags: u32,
    ) -> Result<()> {
        let wish = Rename { parent, name, new_parent, new_name, flags };
        let known = RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT;
        if flags & !known != 0 || wish.exchanges() && flags != RENAME_EXCHANGE {
            return Err(Code::InvalidArgument.into());
        }
        check::name(name)?;
        check::name(new_name)?;
        let whiteout = if flags & RENAME_WHITEOUT != 0 { Some(self.whiteout(parent)?) } else { None };
        let moved = self.volume.change(|tx| self.move_named(tx, &wish, whiteout.as_ref()));
        // The whiteout may not have got its name: the rename failed, or both names are of one file.
        let unnamed = whiteout.into_iter().chain(moved.as_ref().ok().cloned().flatten());
        unnamed.for_each(|file| self.volume.reap_if_unused(&file));
        moved.map(drop)
    }

    /// Returns the file that lost its name to another.
    fn move_named(
        &self,
        tx: &Transaction<'_>,
        wish: &Rename<'_>,
        whiteout: Option<&Arc<Inode>>,
    ) -> Result<Option<Arc<Inode>>> {
        let exchange = wish.exchanges();
        for _ in 0..RACES_MAX {
            let from = self.named(wish.parent, wish.name)?;
            let to = self.named(wish.new_parent, wish.new_name)?;
            let (_, source) = from.found.as_ref().ok_or(Code::NotFound)?;
            // The tree's shape changes: one at a time, and never into itself.
            let target_is_dir = to.found.as_ref().is_some_and(|(_, inode)| inode.is_directory());
            let crosses = from.dir.ino != to.dir.ino;
            let _moving =
                (crosses && (source.is_directory() || exchange && target_is_dir)).then(|| self.moving.lock());
            if crosses && source.is_directory() {
                self.refuse_loop(source, &to.dir)?;
            }
            if let (true, true, Some((_, target))) = (crosses, exchange && target_is_dir, &to.found) {
                self.refuse_loop(target, &from.dir)?;
            }
            if self.try_move(tx, &from, &to, wish.flags, whiteout)? {
                return Ok(to.found.filter(|_| !exchange).map(|(_, victim)| victim));
            }
        }
        Err(Code::Busy.into())
    }

    fn named<'a>(&self, parent: Ino, name: &'a [u8]) -> Result<Named<'a>> {
        let dir = self.directory(parent)?;
        let found = match self.peek(&dir, name) {
            Ok(found) => Some(found),
            Err(error) if error.code == Code::NotFound => None,
            Err(error) => return Err(error),
        };
        if found.is_none() && self.is_reserved(parent, name) {
            return Err(Code::NotPermitted.into());
        }
        Ok(Named { dir, name, found })
    }

    /// `moved` is not `into` nor above it. Call under `moving`.
    fn refuse_loop(&self, moved: &Arc<Inode>, into: &Arc<Inode>) -> Result<()> {
        let mut at = into.clone();
        for _ in 0..DEPTH_MAX {
            if at.ino == moved.ino {
                return Err(Code::InvalidArgument.into());
            }
            if at.ino == layout::INO_ROOT {
                return Ok(());
            }
            at = self.parent_of(&at)?;
        }
        Err(Code::Corrupt.into())
    }

    /// The character device 0:0 that overlayfs leaves behind; still without a name.
    fn whiteout(&self, parent: Ino) -> Result<Arc<Inode>> {
        let who = super::api::Caller::default();
        let new = NewFile { mode: libc::S_IFCHR, ..NewFile::default() };
        let attr = self.volume.change(|tx| self.create(tx, parent, &new, &who))?;
        let inode = self.volume.by_ino(attr.ino)?;
        self.volume.inodes.forget(attr.ino, 1);
        Ok(inode)
    }

    /// One attempt under locks; false: a name moved meanwhile.
    fn try_move(
        &self,
        tx: &Transaction<'_>,
        from: &Named,
        to: &Named,
        flags: u32,
        whiteout: Option<&Arc<Inode>>,
    ) -> Result<bool> {
        let volume = &self.volume;
        let (source_entry, source) = from.found.as_ref().ok_or(Code::NotFound)?;
        let mut files = vec![&from.dir, &to.dir, source];
        files.extend(to.found.iter().map(|(_, inode)| inode));
        files.extend(whiteout);
        let mut locked = LockedSet::new(&files);
        if !self.still_there(locked.of(&from.dir), from.name, source_entry)? {
            return Ok(false);
        }
        let there_now = volume.find_entry(locked.of(&to.dir), to.name)?.map(|entry| entry.seed.number);
        if there_now != to.found.as_ref().map(|(entry, _)| entry.seed.number) {
            return Ok(false);
        }
        check::rewritable(locked.of(&from.dir))?;
        check::alive(locked.of(&to.dir))?;
        check::mutable(locked.of(&to.dir))?;
        check::rewritable(locked.of(source))?;
        match (&to.found, flags & RENAME_EXCHANGE != 0) {
            (None, true) => Err(Code::NotFound.into()),
            (Some(_), false) if flags & RENAME_NOREPLACE != 0 => Err(Code::Exists.into()),
            // Two names of one file: rename does nothing (POSIX).
            (Some((_, target)), _) if target.ino == source.ino => Ok(true),
            (Some((_, target)), true) => {
                self.exchange(tx, from, to, source, target, &mut locked).map(|()| true)
            }
            _ => self.replace(tx, from, to, source, whiteout, &mut locked).map(|()| true),
        }
    }

    fn exchange(
        &self,
        tx: &Transaction<'_>,
        from: &Named,
        to: &Named,
        source: &Arc<Inode>,
        target: &Arc<Inode>,
        locked: &mut LockedSet<'_>,
    ) -> Result<()> {
        let volume = &self.volume;
        check::rewritable(locked.of(target))?;
        check::rewritable(locked.of(&to.dir))?;
        for file in [source, target] {
            volume.place_with_this_commit(tx, locked.of(file))?;
        }
        volume.replace_entry(tx, locked.of(&from.dir), from.name, target)?;
        if let Err(error) = volume.replace_entry(tx, locked.of(&to.dir), to.name, source) {
            volume.replace_entry(tx, locked.of(&from.dir), from.name, source)?;
            return Err(error);
        }
        let delta = i64::from(target.is_directory()) - i64::from(source.is_directory());
        let crosses = from.dir.ino != to.dir.ino;
        volume.touch_directory(tx, locked.of(&from.dir), if crosses { delta } else { 0 });
        volume.touch_directory(tx, locked.of(&to.dir), if crosses { -delta } else { 0 });
        self.note_move(tx, locked.of(source), &to.dir);
        self.note_move(tx, locked.of(target), &from.dir);
        Ok(())
    }

    fn replace(
        &self,
        tx: &Transaction<'_>,
        from: &Named,
        to: &Named,
        source: &Arc<Inode>,
        whiteout: Option<&Arc<Inode>>,
        locked: &mut LockedSet<'_>,
    ) -> Result<()> {
        let volume = &self.volume;
        let victim = to.found.as_ref().map(|(_, inode)| inode);
        if let Some(victim) = victim {
            match (source.is_directory(), victim.is_directory()) {
                (true, false) => return Err(Code::NotDirectory.into()),
                (false, true) => return Err(Code::IsDirectory.into()),
                _ => {}
            }
            check::rewritable(locked.of(&to.dir))?;
            self.may_lose_name(locked.of(victim))?;
        }
        // A file that takes a name, another's even, must not appear empty after a crash.
        volume.place_with_this_commit(tx, locked.of(source))?;
        // The new name first: it is the step that can need space.
        match victim {
            Some(_) => volume.replace_entry(tx, locked.of(&to.dir), to.name, source)?,
            None => volume.insert_entry(tx, locked.of(&to.dir), to.name, source, Purpose::User)?,
        }
        let old_name = match whiteout {
            Some(whiteout) => volume.replace_entry(tx, locked.of(&from.dir), from.name, whiteout),
            None => volume.remove_entry(tx, locked.of(&from.dir), from.name).map(drop),
        };
        if let Err(error) = old_name {
            match victim {
                Some(victim) => volume.replace_entry(tx, locked.of(&to.dir), to.name, victim)?,
                None => drop(volume.remove_entry(tx, locked.of(&to.dir), to.name)?),
            }
            return Err(error);
        }
        let crosses = from.dir.ino != to.dir.ino;
        let gained = i64::from(source.is_directory() && crosses);
        let lost = i64::from(victim.is_some_and(|victim| victim.is_directory()));
        volume.touch_directory(tx, locked.of(&from.dir), -gained);
        volume.touch_directory(tx, locked.of(&to.dir), gained - lost);
        self.note_move(tx, locked.of(source), &to.dir);
        if let Some(victim) = victim {
            self.lose_name(tx, locked.of(victim), &to.dir);
        }
        if let Some(whiteout) = whiteout {
            let file = locked.of(whiteout);
            file.slot.attributes.nlink = 1;
            file.set(layout::DATA_CLASS_TOMBSTONE, false);
            volume.reconcile_orphan(tx, whiteout);
            self.note_move(tx, locked.of(whiteout), &from.dir);
        }
        Ok(())
    }

    /// The moved file: its time of change, and its way back up.
    fn note_move(&self, tx: &Transaction<'_>, file: &mut Locked<'_>, dir: &Inode) {
        file.slot.attributes.ctime = now_ns();
        file.slot.attributes.parent_number = dir.ino;
        file.slot.attributes.parent_hint = dir.hint;
        self.volume.mark(tx, file);
    }
}
