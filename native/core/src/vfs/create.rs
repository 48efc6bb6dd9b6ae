//! mknod, mkdir, symlink, tmpfile: everything that makes a file.

use super::FileSystem;
use super::api::{Attr, Caller};
use super::check;
use crate::base::{Code, Ino, Result, now_ns};
use crate::format::{Kind, Slot, layout};
use crate::volume::{Inode, InodeState, Purpose};
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl FileSystem {
    /// Makes a file of the type in `mode`; without a name: O_TMPFILE.
    pub(super) fn create(
        &self,
        parent: Ino,
        name: Option<&[u8]>,
        mode: u32,
        rdev: u32,
        target: Option<&[u8]>,
        who: &Caller,
    ) -> Result<Attr> {
        name.map_or(Ok(()), check::name)?;
        let kind = Kind::from_mode(mode & libc::S_IFMT).ok_or(Code::InvalidArgument)?;
        let volume = &self.volume;
        let _inside = volume.enter()?;
        let dir = self.directory(parent)?;
        let mut state = dir.state.write();
        let state = &mut *state;
        check::alive(state)?;
        check::mutable(state)?;
        volume.load_table_locked(&dir, state)?;
        if let Some(name) = name {
            if self.is_reserved(parent, name) || volume.find_entry(&dir, state, name)?.is_some() {
                return Err(Code::Exists.into());
            }
            if kind == Kind::Directory && u64::from(state.slot.attributes.nlink) >= layout::LINK_MAX {
                return Err(Code::TooManyLinks.into());
            }
        }

        let (mode, xattrs) = self.inherit(&dir, state, kind, mode, who.umask)?;
        let slot = self.new_slot(&dir, state, kind, mode, rdev, target, name.is_some(), who)?;
        let inode = Arc::new(volume.new_inode(slot, kind));
        let long = target.filter(|target| target.len() > layout::INLINE_MAX as usize);
        let entered = self
            .store_extensions(&inode, long, &xattrs)
            .and_then(|()| self.enter_slot_and_name(&dir, state, name, &inode));
        if let Err(error) = entered {
            volume.drop_chain(&inode, &mut inode.state.write())?;
            return Err(error);
        }
        volume.inodes.publish(&inode);
        volume.inodes.add_lookups(&inode, 1);
        if name.is_some() {
            volume.touch_directory(&dir, state, i64::from(kind == Kind::Directory));
        } else {
            volume.reconcile_orphan(&inode);
        }
        let made = inode.state.read();
        Ok(volume.attr(&inode, &made))
    }

    /// The slot of a new file.
    #[allow(clippy::too_many_arguments)]
    fn new_slot(
        &self,
        dir: &Inode,
        state: &InodeState,
        kind: Kind,
        mode: u32,
        rdev: u32,
        target: Option<&[u8]>,
        named: bool,
        who: &Caller,
    ) -> Result<Slot> {
        let volume = &self.volume;
        let now = now_ns();
        let entries = state.table.as_ref().map_or(0, |table| table.entries());
        let mut slot =
            volume.blank_slot(volume.numbers.give()?, volume.cortex.choose_hint(dir.hint, entries));
        let mut bits = mode & 0o7777;
        let mut gid = who.gid;
        if state.slot.anchor.permissions & libc::S_ISGID != 0 {
            // A set-group-id directory hands its group down, and the bit to its subdirectories.
            gid = state.slot.attributes.gid;
            if kind == Kind::Directory {
                bits |= libc::S_ISGID;
            }
        }
        slot.anchor.permissions = bits | u32::from(kind.number()) << 12;
        slot.anchor.mod_clock = now;
        slot.anchor.create_clock = u32::try_from(now / 1_000_000_000).unwrap_or(0);
        slot.attributes.btime_ns = (now.rem_euclid(1_000_000_000)) as u32;
        slot.attributes.atime = now;
        slot.attributes.ctime = now;
        slot.attributes.uid = who.uid;
        slot.attributes.gid = gid;
        slot.attributes.nlink = if !named {
            0
        } else if kind == Kind::Directory {
            2
        } else {
            1
        };
        slot.attributes.rdev = if kind.is_device() { rdev } else { 0 };
        slot.attributes.parent_number = dir.ino;
        slot.attributes.parent_hint = dir.hint;
        if !named {
            slot.anchor.data_class |= layout::DATA_CLASS_TOMBSTONE;
        }
        if let Some(target) = target {
            if target.is_empty() {
                return Err(Code::NotFound.into());
            }
            if target.len() > layout::SYMLINK_MAX as usize {
                return Err(Code::NameTooLong.into());
            }
            if target.len() <= layout::INLINE_MAX as usize {
                slot.anchor.mass = target.len() as u64;
                slot.anchor.data_class |= layout::DATA_CLASS_INLINE;
                slot.anchor.inline_buffer[..target.len()].copy_from_slice(target);
            }
        }
        Ok(slot)
    }

    /// What a new file has beside its anchor: a symlink target too long for it, inherited lists.
    fn store_extensions(&self, inode: &Inode, target: Option<&[u8]>, xattrs: &[u8]) -> Result<()> {
        let mut made = inode.state.write();
        if let Some(target) = target {
            self.volume.store_extension(inode, &mut made, layout::EXTENSION_SYMLINK, target)?;
            made.slot.anchor.mass = target.len() as u64;
            made.size = target.len() as u64;
            made.set(layout::DATA_CLASS_LONG_SYMLINK, true);
        }
        if !xattrs.is_empty() {
            self.volume.store_xattrs(inode, &mut made, xattrs)?;
        }
        // The slot is about to be entered with all this.
        made.slot_dirty = false;
        Ok(())
    }

    fn enter_slot_and_name(
        &self,
        dir: &Arc<Inode>,
        state: &mut InodeState,
        name: Option<&[u8]>,
        inode: &Arc<Inode>,
    ) -> Result<()> {
        let volume = &self.volume;
        volume.cortex.insert(&inode.state.read().slot.encode())?;
        if let Some(name) = name
            && let Err(error) = volume.insert_entry(dir, state, name, inode, Purpose::User)
        {
            volume.cortex.remove(inode.ino, inode.hint)?;
            return Err(error);
        }
        inode.changed.store(volume.pages.running(), Ordering::Release);
        Ok(())
    }
}
