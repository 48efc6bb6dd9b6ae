//! Access control lists, kept as extended attributes.

use super::node::{Node, now};
use crate::base::{Code, Result};
use crate::vfs::acl::Acl;

pub const ACCESS: &[u8] = b"system.posix_acl_access";
pub const DEFAULT: &[u8] = b"system.posix_acl_default";

impl Node {
    fn acl(&self, name: &[u8]) -> Option<Acl> {
        self.xattrs.get(name).and_then(|value| Acl::parse(value).ok())
    }

    fn store_acl(&mut self, name: &[u8], acl: &Acl) {
        self.xattrs.insert(name.to_vec(), acl.encode());
    }

    pub fn set_acl(&mut self, name: &[u8], value: &[u8]) -> Result<()> {
        let acl = Acl::parse(value)?;
        if self.mode & libc::S_IFMT == libc::S_IFLNK {
            return Err(Code::NotSupported.into());
        }
        if name == DEFAULT {
            if !self.is_directory() {
                return Err(Code::AccessDenied.into());
            }
            self.store_acl(name, &acl);
        } else {
            self.mode = self.mode & !0o777 | acl.mode();
            self.set_access(&acl);
        }
        self.ctime = now();
        Ok(())
    }

    /// Permission bits alone need no list.
    fn set_access(&mut self, acl: &Acl) {
        if acl.is_minimal() {
            self.xattrs.remove(ACCESS);
        } else {
            self.store_acl(ACCESS, acl);
        }
    }

    /// The new permission bits go into the list too.
    pub fn chmod_acl(&mut self) {
        if let Some(mut acl) = self.acl(ACCESS) {
            acl.chmod(self.mode);
            self.store_acl(ACCESS, &acl);
        }
    }

    /// Mode and lists of this new file in `home`: from its default list, else by the umask.
    pub fn inherit_acl(&mut self, home: &Node, umask: u32) {
        if self.mode & libc::S_IFMT == libc::S_IFLNK {
            return;
        }
        let Some(default) = home.acl(DEFAULT) else {
            self.mode &= !(umask & 0o777);
            return;
        };
        let (access, mode) = default.inherit(self.mode);
        self.mode = mode;
        self.set_access(&access);
        if self.is_directory() {
            self.store_acl(DEFAULT, &default);
        }
    }
}
