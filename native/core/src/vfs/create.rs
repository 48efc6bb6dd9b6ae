//! mknod, mkdir, symlink, tmpfile: everything that makes a file.

use super::FileSystem;
use super::api::{Attr, Caller};
use super::check;
use super::stat::attr;
use crate::base::{Code, Ino, Result, birth_time, now_ns};
use crate::extension::Change;
use crate::format::{Kind, Slot, layout};
use crate::transaction::Transaction;
use crate::volume::{ExtensionChange, Locked, Purpose, View};
use std::sync::Arc;

/// A file to be made.
#[derive(Clone, Copy, Default)]
pub(super) struct NewFile<'a> {
    /// Without a name: O_TMPFILE.
    pub name: Option<&'a [u8]>,
    /// Type and permission bits.
    pub mode: u32,
    /// Of a device.
    pub rdev: u32,
    /// Of a symbolic link.
    pub target: Option<&'a [u8]>,
}

impl FileSystem {
    /// Makes a file and adds a lookup to it.
    pub(super) fn create(
        &self,
        tx: &Transaction<'_>,
        parent: Ino,
        new: &NewFile<'_>,
        who: &Caller,
    ) -> Result<Attr> {
        let name = new.name;
        name.map_or(Ok(()), check::name)?;
        let kind = Kind::from_mode(new.mode & libc::S_IFMT).ok_or(Code::InvalidArgument)?;
        let volume = &self.volume;
        let dir = self.directory(parent)?;
        let mut dir = dir.lock();
        check::alive(&dir)?;
        check::mutable(&dir)?;
        volume.load_table(&mut dir)?;
        if let Some(name) = name {
            if self.is_reserved(parent, name) || volume.find_entry(&mut dir, name)?.is_some() {
                return Err(Code::Exists.into());
            }
            if kind == Kind::Directory && u64::from(dir.slot.attributes.nlink) >= layout::LINK_MAX {
                return Err(Code::TooManyLinks.into());
            }
        }

        // Before a number is given and a place is searched for: many may be refused.
        if volume.cortex.used() >= volume.cortex.capacity() {
            return Err(Code::CortexFull.into());
        }
        let (mode, xattrs) = self.inherit(dir.view(), kind, new.mode, who.umask)?;
        let slot = self.new_slot(tx, dir.view(), kind, &NewFile { mode, ..*new }, who)?;
        let inode = Arc::new(volume.new_inode(slot, kind));
        let mut made = inode.lock();
        let extension = self.plan_extensions(tx, &mut made, new.target, &xattrs)?;
        let slot = volume.encode_slot(&made.slot)?;
        let entry = name.map(|name| volume.plan_entry(&mut dir, name, &inode, Purpose::User)).transpose()?;
        if let Err(error) = volume.cortex.insert(&slot, tx) {
            if let Some(entry) = entry {
                volume.forget_name(&mut dir, entry);
            }
            return Err(error);
        }
        // Nothing from here on can fail.
        if let Some(change) = extension {
            volume.change_extension(tx, &mut made, change);
            // The slot was entered with all this.
            made.slot_dirty = false;
        }
        if let Some(entry) = entry {
            volume.enter_name(tx, &mut dir, entry);
        }
        volume.inodes.publish(&inode);
        volume.inodes.add_lookups(&inode, 1);
        if name.is_some() {
            volume.touch_directory(tx, &mut dir, i64::from(kind == Kind::Directory));
        } else {
            volume.reconcile_orphan(tx, &inode);
        }
        Ok(attr(made.view()))
    }

    /// The slot of a new file.
    fn new_slot(
        &self,
        tx: &Transaction<'_>,
        dir: View<'_>,
        kind: Kind,
        new: &NewFile<'_>,
        who: &Caller,
    ) -> Result<Slot> {
        let &NewFile { name, mode, rdev, target } = new;
        let named = name.is_some();
        let volume = &self.volume;
        let now = now_ns();
        let entries = dir.table.as_ref().map_or(0, |table| table.entries());
        let mut slot =
            volume.blank_slot(tx, volume.numbers.give()?, volume.cortex.choose_hint(dir.inode.hint, entries));
        let mut bits = mode & 0o7777;
        let mut gid = who.gid;
        if dir.slot.anchor.permissions & libc::S_ISGID != 0 {
            // A set-group-id directory hands its group down, and the bit to its subdirectories.
            gid = dir.slot.attributes.gid;
            if kind == Kind::Directory {
                bits |= libc::S_ISGID;
            }
        }
        slot.anchor.permissions = bits | u32::from(kind.number()) << 12;
        slot.anchor.mod_clock = now;
        (slot.anchor.create_clock, slot.attributes.btime_ns) = birth_time(now);
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
        slot.attributes.parent_number = dir.inode.ino;
        slot.attributes.parent_hint = dir.inode.hint;
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

    /// What a new file has beside its anchor, and what its slot says of it: a symlink target too long for it,
    /// inherited lists.
    fn plan_extensions<'a>(
        &'a self,
        tx: &Transaction<'_>,
        made: &mut Locked<'_>,
        target: Option<&[u8]>,
        xattrs: &[u8],
    ) -> Result<Option<ExtensionChange<'a>>> {
        let long = target.filter(|target| target.len() > layout::INLINE_MAX as usize);
        let mut changes = Vec::new();
        if let Some(payload) = long {
            changes.push(Change { kind: layout::EXTENSION_SYMLINK, payload });
            made.slot.anchor.mass = payload.len() as u64;
            made.size = payload.len() as u64;
        }
        if !xattrs.is_empty() {
            changes.push(Change { kind: layout::EXTENSION_XATTR, payload: xattrs });
        }
        let planned = self.volume.plan_extension(tx, made.view(), &changes)?;
        if let Some(change) = &planned {
            change.announce(&mut made.slot);
        }
        Ok(planned)
    }
}
