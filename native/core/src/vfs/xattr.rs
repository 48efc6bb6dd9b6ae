//! Extended attributes, and `user.hn4.public_id` among them.

use super::FileSystem;
use super::acls::is_acl;
use super::check;
use super::identity::PUBLIC_ID;
use super::links::is_virtual;
use crate::base::{Code, Ino, Result, now_ns};
use crate::extension::xattr;
use crate::format::layout;

/// Only these namespaces exist; others have meanings that this version does not give.
fn supported(name: &[u8]) -> Result<()> {
    let known = [&b"user."[..], b"trusted.", b"security."];
    if name.len() > layout::NAME_MAX as usize {
        return Err(Code::RangeTooSmall.into());
    }
    if is_acl(name) || known.iter().any(|prefix| name.len() > prefix.len() && name.starts_with(prefix)) {
        Ok(())
    } else {
        Err(Code::NotSupported.into())
    }
}

impl FileSystem {
    pub(super) fn get_xattr(&self, ino: Ino, name: &[u8]) -> Result<Vec<u8>> {
        if is_virtual(ino) {
            return Err(Code::NoAttribute.into());
        }
        let inode = self.volume.by_ino(ino)?;
        let file = inode.share();
        if name == PUBLIC_ID {
            return Ok(super::identity::show(&file.slot.anchor.public_id).into_bytes());
        }
        supported(name)?;
        // Asked for on every write of some programs: no I/O where there is nothing.
        let payload = self.volume.xattrs(file.view())?;
        xattr::get(&payload, name).map(<[u8]>::to_vec).ok_or(Code::NoAttribute.into())
    }

    pub(super) fn list_xattr(&self, ino: Ino) -> Result<Vec<u8>> {
        if is_virtual(ino) {
            return Ok(Vec::new());
        }
        let inode = self.volume.by_ino(ino)?;
        let file = inode.share();
        Ok(xattr::list(&self.volume.xattrs(file.view())?))
    }

    pub(super) fn set_xattr(&self, ino: Ino, name: &[u8], value: &[u8], flags: u32) -> Result<()> {
        if name == PUBLIC_ID {
            return self.set_public_id(ino, value);
        }
        if is_acl(name) {
            return self.set_acl(ino, name, value);
        }
        self.change_xattr(ino, name, |payload| xattr::set(payload, name, value, flags))
    }

    pub(super) fn remove_xattr(&self, ino: Ino, name: &[u8]) -> Result<()> {
        if name == PUBLIC_ID {
            return self.reset_public_id(ino);
        }
        self.change_xattr(ino, name, |payload| xattr::remove(payload, name))
    }

    fn change_xattr(&self, ino: Ino, name: &[u8], change: impl Fn(&[u8]) -> Result<Vec<u8>>) -> Result<()> {
        supported(name)?;
        let volume = &self.volume;
        let inode = volume.by_ino(ino)?;
        volume.change(|tx| {
            let mut file = inode.lock();
            check::rewritable(&file)?;
            let new = change(&volume.xattrs(file.view())?)?;
            volume.store_xattrs(tx, &mut file, &new)?;
            file.slot.attributes.ctime = now_ns();
            volume.mark(tx, &mut file);
            Ok(())
        })
    }
}
