//! rename, with RENAME_NOREPLACE, RENAME_EXCHANGE and RENAME_WHITEOUT.

use super::FileSystem;
use super::api::{RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT};
use super::check;
use super::locking::Locked;
use crate::base::{Code, Ino, Result, now_ns};
use crate::directory::Entry;
use crate::format::{Kind, layout};
use crate::volume::{Inode, Purpose};
use std::sync::Arc;

/// Directories above a directory: more than this is a loop on the disk.
const DEPTH_MAX: usize = 1 << 16;
const RACES_MAX: usize = 64;

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
        let known = RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT;
        let exchange = flags & RENAME_EXCHANGE != 0;
        if flags & !known != 0 || exchange && flags != RENAME_EXCHANGE {
            return Err(Code::InvalidArgument.into());
        }
        check::name(name)?;
        check::name(new_name)?;
        let whiteout = if flags & RENAME_WHITEOUT != 0 { Some(self.whiteout(parent)?) } else { None };
        let moved = self.move_named(parent, name, new_parent, new_name, flags, whiteout.as_ref());
        if let Some(whiteout) = &whiteout {
            // It may not have got its name: the rename failed, or both names are of one file.
            self.volume.reap_if_unused(whiteout);
        }
        moved
    }

    fn move_named(
        &self,
        parent: Ino,
        name: &[u8],
        new_parent: Ino,
        new_name: &[u8],
        flags: u32,
        whiteout: Option<&Arc<Inode>>,
    ) -> Result<()> {
        let exchange = flags & RENAME_EXCHANGE != 0;
        let inside = self.volume.enter()?;
        for _ in 0..RACES_MAX {
            let from = self.named(parent, name)?;
            let to = self.named(new_parent, new_name)?;
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
            if self.try_move(&from, &to, flags, whiteout)? {
                drop(inside);
                if let (false, Some((_, victim))) = (exchange, &to.found) {
                    self.volume.reap_if_unused(victim);
                }
                return Ok(());
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
        let attr = self.create(parent, None, libc::S_IFCHR, 0, None, &who)?;
        let inode = self.volume.by_ino(attr.ino)?;
        self.volume.inodes.forget(attr.ino, 1);
        Ok(inode)
    }

    /// One attempt under locks; false: a name moved meanwhile.
    fn try_move(&self, from: &Named, to: &Named, flags: u32, whiteout: Option<&Arc<Inode>>) -> Result<bool> {
        let volume = &self.volume;
        let (source_entry, source) = from.found.as_ref().ok_or(Code::NotFound)?;
        let mut files = vec![&from.dir, &to.dir, source];
        files.extend(to.found.iter().map(|(_, inode)| inode));
        files.extend(whiteout);
        let mut locked = Locked::new(&files);
        if !self.still_there(&from.dir, locked.of(&from.dir), from.name, source_entry)? {
            return Ok(false);
        }
        let there_now = {
            volume.load_table_locked(&to.dir, locked.of(&to.dir))?;
            volume.find_entry(&to.dir, locked.of(&to.dir), to.name)?.map(|entry| entry.seed.number)
        };
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
            (Some((_, target)), true) => self.exchange(from, to, source, target, &mut locked).map(|()| true),
            _ => self.replace(from, to, source, whiteout, &mut locked).map(|()| true),
        }
    }

    fn exchange(
        &self,
        from: &Named,
        to: &Named,
        source: &Arc<Inode>,
        target: &Arc<Inode>,
        locked: &mut Locked,
    ) -> Result<()> {
        let volume = &self.volume;
        check::rewritable(locked.of(target))?;
        check::rewritable(locked.of(&to.dir))?;
        for file in [source, target] {
            volume.place_with_this_commit(file, locked.of(file))?;
        }
        volume.replace_entry(&from.dir, locked.of(&from.dir), from.name, target)?;
        if let Err(error) = volume.replace_entry(&to.dir, locked.of(&to.dir), to.name, source) {
            volume.replace_entry(&from.dir, locked.of(&from.dir), from.name, source)?;
            return Err(error);
        }
        let delta = i64::from(target.is_directory()) - i64::from(source.is_directory());
        let crosses = from.dir.ino != to.dir.ino;
        volume.touch_directory(&from.dir, locked.of(&from.dir), if crosses { delta } else { 0 });
        volume.touch_directory(&to.dir, locked.of(&to.dir), if crosses { -delta } else { 0 });
        self.settle(source, &to.dir, locked);
        self.settle(target, &from.dir, locked);
        Ok(())
    }

    fn replace(
        &self,
        from: &Named,
        to: &Named,
        source: &Arc<Inode>,
        whiteout: Option<&Arc<Inode>>,
        locked: &mut Locked,
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
            self.may_lose_name(locked.of(victim), victim)?;
        }
        // A file that takes a name, another's even, must not appear empty after a crash.
        volume.place_with_this_commit(source, locked.of(source))?;
        // The new name first: it is the step that can need space.
        match victim {
            Some(_) => volume.replace_entry(&to.dir, locked.of(&to.dir), to.name, source)?,
            None => volume.insert_entry(&to.dir, locked.of(&to.dir), to.name, source, Purpose::User)?,
        }
        let old_name = match whiteout {
            Some(whiteout) => volume.replace_entry(&from.dir, locked.of(&from.dir), from.name, whiteout),
            None => volume.remove_entry(&from.dir, locked.of(&from.dir), from.name),
        };
        if let Err(error) = old_name {
            match victim {
                Some(victim) => volume.replace_entry(&to.dir, locked.of(&to.dir), to.name, victim)?,
                None => volume.remove_entry(&to.dir, locked.of(&to.dir), to.name)?,
            }
            return Err(error);
        }
        let crosses = from.dir.ino != to.dir.ino;
        let gained = i64::from(source.is_directory() && crosses);
        let lost = i64::from(victim.is_some_and(|victim| victim.is_directory()));
        volume.touch_directory(&from.dir, locked.of(&from.dir), -gained);
        volume.touch_directory(&to.dir, locked.of(&to.dir), gained - lost);
        self.settle(source, &to.dir, locked);
        if let Some(victim) = victim {
            self.lose_name(victim, locked.of(victim));
        }
        if let Some(whiteout) = whiteout {
            let state = locked.of(whiteout);
            state.slot.attributes.nlink = 1;
            state.set(layout::DATA_CLASS_TOMBSTONE, false);
            volume.reconcile_orphan(whiteout);
            self.settle(whiteout, &from.dir, locked);
        }
        Ok(())
    }

    /// The moved file: its time of change, and its way back up.
    fn settle(&self, inode: &Arc<Inode>, dir: &Arc<Inode>, locked: &mut Locked) {
        let state = locked.of(inode);
        state.slot.attributes.ctime = now_ns();
        state.slot.attributes.parent_number = dir.ino;
        state.slot.attributes.parent_hint = dir.hint;
        debug_assert!(inode.kind != Kind::Directory || state.slot.attributes.nlink >= 2);
        self.volume.mark(inode, state);
    }
}
