//! Extended attributes.

use super::acls::{ACCESS, DEFAULT};
use super::node::{APPEND, IMMUTABLE, now};
use super::state::State;
use crate::base::{Code, Ino, Result};

/// XATTR_CREATE and XATTR_REPLACE (linux/xattr.h).
const CREATE: u32 = 1;
const REPLACE: u32 = 2;
/// XATTR_SIZE_MAX and XATTR_LIST_MAX (linux/limits.h), bytes.
const VALUE_MAX: usize = 65_536;
const LIST_MAX: usize = 65_536;
const PREFIXES: [&[u8]; 3] = [b"user.", b"trusted.", b"security."];

impl State {
    pub fn setxattr(&mut self, ino: Ino, name: &[u8], value: &[u8], flags: u32) -> Result<()> {
        check(name)?;
        if flags & !(CREATE | REPLACE) != 0 {
            return Err(Code::InvalidArgument.into());
        }
        if value.len() > VALUE_MAX {
            return Err(Code::TooBig.into());
        }
        let node = self.node_mut(ino)?;
        node.refuse(IMMUTABLE | APPEND)?;
        if matches!(name, ACCESS | DEFAULT) {
            return node.set_acl(name, value);
        }
        let exists = node.xattrs.contains_key(name);
        if exists && flags & CREATE != 0 {
            return Err(Code::Exists.into());
        }
        if !exists && flags & REPLACE != 0 {
            return Err(Code::NoAttribute.into());
        }
        let listed: usize = node.xattrs.keys().map(|name| name.len() + 1).sum();
        if !exists && listed + name.len() + 1 > LIST_MAX {
            return Err(Code::NoSpace.into());
        }
        node.xattrs.insert(name.to_vec(), value.to_vec());
        node.ctime = now();
        Ok(())
    }

    pub fn getxattr(&self, ino: Ino, name: &[u8]) -> Result<Vec<u8>> {
        check(name)?;
        self.node(ino)?.xattrs.get(name).cloned().ok_or(Code::NoAttribute.into())
    }

    pub fn listxattr(&self, ino: Ino) -> Result<Vec<u8>> {
        let mut list = Vec::new();
        for name in self.node(ino)?.xattrs.keys() {
            list.extend_from_slice(name);
            list.push(0);
        }
        Ok(list)
    }

    pub fn removexattr(&mut self, ino: Ino, name: &[u8]) -> Result<()> {
        check(name)?;
        let node = self.node_mut(ino)?;
        node.refuse(IMMUTABLE | APPEND)?;
        node.xattrs.remove(name).ok_or(Code::NoAttribute)?;
        node.ctime = now();
        Ok(())
    }
}

fn check(name: &[u8]) -> Result<()> {
    if name.len() > 255 {
        return Err(Code::RangeTooSmall.into());
    }
    if matches!(name, ACCESS | DEFAULT) {
        return Ok(());
    }
    match PREFIXES.iter().any(|prefix| name.len() > prefix.len() && name.starts_with(prefix)) {
        true => Ok(()),
        false => Err(Code::NotSupported.into()),
    }
}
