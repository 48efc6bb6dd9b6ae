//! Access control lists on the volume: kept as extended attributes, in step with the mode (acl.rs has
//! the rules).

use super::FileSystem;
use super::acl::Acl;
use super::check;
use crate::base::{Code, Ino, Result, now_ns};
use crate::extension::xattr;
use crate::format::{Kind, layout};
use crate::transaction::Transaction;
use crate::volume::{Locked, View};

pub const ACCESS: &[u8] = b"system.posix_acl_access";
pub const DEFAULT: &[u8] = b"system.posix_acl_default";

pub fn is_acl(name: &[u8]) -> bool {
    name == ACCESS || name == DEFAULT
}

impl FileSystem {
    /// setfacl: an access list also sets the permission bits, and goes if it says no more than these.
    pub(super) fn set_acl(&self, ino: Ino, name: &[u8], value: &[u8]) -> Result<()> {
        let acl = Acl::parse(value)?;
        let volume = &self.volume;
        let inode = volume.by_ino(ino)?;
        volume.change(|tx| {
            let mut file = inode.lock();
            check::rewritable(&file)?;
            if inode.kind == Kind::Symlink {
                return Err(Code::NotSupported.into());
            }
            if name == DEFAULT && !inode.is_directory() {
                return Err(Code::AccessDenied.into());
            }
            let old = volume.xattrs(file.view())?;
            let new = with_acl(&old, name, &acl)?;
            volume.store_xattrs(tx, &mut file, &new)?;
            if name == ACCESS {
                let permissions = &mut file.slot.anchor.permissions;
                *permissions = *permissions & !0o777 | acl.mode();
            }
            file.slot.attributes.ctime = now_ns();
            volume.mark(tx, &mut file);
            Ok(())
        })
    }

    /// chmod: a stored access list follows the new mode. chown: capabilities go. An error changes nothing.
    pub(super) fn follow_attributes(
        &self,
        tx: &Transaction<'_>,
        file: &mut Locked<'_>,
        mode: Option<u32>,
        new_owner: bool,
    ) -> Result<()> {
        if !file.has(layout::DATA_CLASS_HAS_XATTR) {
            return Ok(());
        }
        let capability = if new_owner { self.volume.without_capability(file.view())? } else { None };
        let changed = capability.is_some();
        let mut xattrs = match capability {
            Some(rest) => rest,
            None => self.volume.xattrs(file.view())?,
        };
        let acl = match (mode, xattr::get(&xattrs, ACCESS)) {
            (Some(mode), Some(value)) => {
                let mut acl = Acl::parse(value)?;
                acl.chmod(mode);
                Some(acl.encode())
            }
            _ => None,
        };
        if let Some(acl) = &acl {
            xattrs = xattr::set(&xattrs, ACCESS, acl, 0)?;
        }
        if changed || acl.is_some() { self.volume.store_xattrs(tx, file, &xattrs) } else { Ok(()) }
    }

    /// Mode (all of `st_mode`) and attributes of a new file: from the directory's default list, else by
    /// the umask.
    pub(super) fn inherit(&self, dir: View<'_>, kind: Kind, mode: u32, umask: u32) -> Result<(u32, Vec<u8>)> {
        // symlink(2): always 0777.
        if kind == Kind::Symlink {
            return Ok((mode, Vec::new()));
        }
        let plain = Ok((mode & !(umask & 0o777), Vec::new()));
        if !dir.has(layout::DATA_CLASS_HAS_XATTR) {
            return plain;
        }
        let payload = self.volume.xattrs(dir)?;
        let Some(value) = xattr::get(&payload, DEFAULT) else { return plain };
        let default = Acl::parse(value)?;
        let (access, mode) = default.inherit(mode);
        let mut inherited = with_acl(&[], ACCESS, &access)?;
        if kind == Kind::Directory {
            inherited = xattr::set(&inherited, DEFAULT, value, 0)?;
        }
        Ok((mode, inherited))
    }
}

/// The attributes with a list: an access list that permission bits can say is not stored.
fn with_acl(payload: &[u8], name: &[u8], acl: &Acl) -> Result<Vec<u8>> {
    if name == ACCESS && acl.is_minimal() {
        return Ok(xattr::remove(payload, ACCESS).unwrap_or_else(|_| payload.to_vec()));
    }
    xattr::set(payload, name, &acl.encode(), 0)
}
