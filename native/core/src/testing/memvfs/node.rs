//! A file of the in-memory file system.

use super::content::Content;
use super::directory::Directory;
use crate::base::{BLOCK_SIZE, Code, Ino, Result};
use crate::vfs::api::{Attr, TimeNs};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::{SystemTime, UNIX_EPOCH};

/// `chattr +i` and `+a` (linux/fs.h).
pub const IMMUTABLE: u32 = 0x10;
pub const APPEND: u32 = 0x20;

/// File capabilities.
pub const CAPABILITY: &[u8] = b"security.capability";

pub enum Body {
    Regular {
        size: u64,
        content: Content,
    },
    Directory(Directory),
    Symlink(Vec<u8>),
    /// Fifo, socket, device.
    Special,
}

pub struct Node {
    pub ino: Ino,
    pub mode: u32,
    pub nlink: u32,
    pub uid: u32,
    pub gid: u32,
    pub rdev: u32,
    pub flags: u32,
    /// Moved by readers, who hold the state's lock shared.
    pub atime: AtomicI64,
    pub mtime: TimeNs,
    pub ctime: TimeNs,
    pub btime: TimeNs,
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    pub body: Body,
    pub lookups: AtomicU64,
}

/// The time of day, nanoseconds.
pub fn now() -> TimeNs {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as TimeNs)
}

impl Node {
    pub fn attr(&self) -> Attr {
        let (size, blocks) = match &self.body {
            Body::Regular { size, content } => (*size, content.block_count()),
            Body::Directory(_) => (BLOCK_SIZE as u64, 1),
            Body::Symlink(target) => (target.len() as u64, 0),
            Body::Special => (0, 0),
        };
        Attr {
            ino: self.ino,
            size,
            blocks: blocks * (BLOCK_SIZE as u64 / 512),
            atime: self.atime.load(Relaxed),
            mtime: self.mtime,
            ctime: self.ctime,
            btime: self.btime,
            mode: self.mode,
            nlink: self.nlink,
            uid: self.uid,
            gid: self.gid,
            rdev: self.rdev,
            flags: self.flags,
        }
    }

    /// The attributes, and one more lookup.
    pub fn looked_up(&self) -> Attr {
        self.lookups.fetch_add(1, Relaxed);
        self.attr()
    }

    /// `d_type`.
    pub fn kind(&self) -> u8 {
        ((self.mode & libc::S_IFMT) >> 12) as u8
    }

    pub fn is_directory(&self) -> bool {
        matches!(self.body, Body::Directory(_))
    }

    pub fn directory(&self) -> Result<&Directory> {
        match &self.body {
            Body::Directory(directory) => Ok(directory),
            _ => Err(Code::NotDirectory.into()),
        }
    }

    pub fn directory_mut(&mut self) -> Result<&mut Directory> {
        match &mut self.body {
            Body::Directory(directory) => Ok(directory),
            _ => Err(Code::NotDirectory.into()),
        }
    }

    /// Size and bytes of a regular file.
    pub fn regular(&self) -> Result<(u64, &Content)> {
        match &self.body {
            Body::Regular { size, content } => Ok((*size, content)),
            other => Err(not_regular(other)),
        }
    }

    pub fn regular_mut(&mut self) -> Result<(&mut u64, &mut Content)> {
        match &mut self.body {
            Body::Regular { size, content } => Ok((size, content)),
            other => Err(not_regular(other)),
        }
    }

    /// NotPermitted if any of these marks (IMMUTABLE, APPEND) is set.
    pub fn refuse(&self, marks: u32) -> Result<()> {
        if self.flags & marks != 0 { Err(Code::NotPermitted.into()) } else { Ok(()) }
    }

    /// Data changed: mtime and ctime, and the privileges a write takes away.
    pub fn modified(&mut self, kill_suidgid: bool) {
        self.mtime = now();
        self.ctime = self.mtime;
        self.drop_privileges(kill_suidgid);
    }

    pub fn drop_privileges(&mut self, kill_suidgid: bool) {
        if self.is_directory() {
            return;
        }
        self.xattrs.remove(CAPABILITY);
        if kill_suidgid {
            self.mode &= !libc::S_ISUID;
            if self.mode & libc::S_IXGRP != 0 {
                self.mode &= !libc::S_ISGID;
            }
        }
    }
}

fn not_regular(body: &Body) -> crate::base::Error {
    match body {
        Body::Directory(_) => Code::IsDirectory.into(),
        _ => Code::InvalidArgument.into(),
    }
}
