//! A reply's payload, built in place in the transport's buffer.

use super::seconds;
use crate::abi::*;
use hn4_core::base::Ino;
use hn4_core::vfs::api::Attr;
use zerocopy::{Immutable, IntoBytes};

/// `st_blksize` of every file, bytes.
const BLOCK: u32 = 4096;

/// How long the kernel may keep names and attributes, seconds. One mount is the only writer, so
/// its caches are right until the session says otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct Validity {
    pub entry: u64,
    pub attr: u64,
    /// Names known to be absent.
    pub negative: u64,
}

/// Lookup counts a reply gives to the kernel: taken back if it never arrives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LookedUp {
    #[default]
    None,
    One(Ino),
    /// Those of the entries in the payload of a READDIRPLUS.
    Entries,
}

/// Writer over a reply's payload.
pub struct Reply<'a> {
    buf: &'a mut [u8],
    len: usize,
    pub looked_up: LookedUp,
}

impl<'a> Reply<'a> {
    /// `buf` starts at a page border, so that READ data can be read into it directly.
    pub fn new(buf: &'a mut [u8]) -> Reply<'a> {
        Reply { buf, len: 0, looked_up: LookedUp::None }
    }

    /// Bytes written so far.
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends a record. False when it does not fit.
    #[must_use]
    pub fn put<T: IntoBytes + Immutable>(&mut self, value: &T) -> bool {
        self.put_bytes(value.as_bytes())
    }

    /// Appends bytes. False when they do not fit.
    #[must_use]
    pub fn put_bytes(&mut self, bytes: &[u8]) -> bool {
        match self.buf.get_mut(self.len..self.len + bytes.len()) {
            None => false,
            Some(room) => {
                room.copy_from_slice(bytes);
                self.len += bytes.len();
                true
            }
        }
    }

    /// The first `size` bytes of the payload, to be filled by the caller, who then tells how many
    /// with [`Reply::set_len`]. None when the buffer is smaller.
    pub fn room(&mut self, size: usize) -> Option<&mut [u8]> {
        self.buf.get_mut(..size)
    }

    /// `len` is at most what [`Reply::room`] gave.
    pub fn set_len(&mut self, len: usize) {
        self.len = len.min(self.buf.len());
    }

    /// A name found or made.
    #[must_use]
    pub fn put_entry(&mut self, attr: &Attr, valid: Validity) -> bool {
        self.looked_up = LookedUp::One(attr.ino);
        self.put(&entry(attr, valid))
    }

    /// A name known to be absent.
    #[must_use]
    pub fn put_absent(&mut self, valid: Validity) -> bool {
        self.put(&EntryOut { entry_valid: valid.negative, ..Default::default() })
    }

    #[must_use]
    pub fn put_attr(&mut self, attr: &Attr, valid: Validity) -> bool {
        self.put(&AttrOut { attr_valid: valid.attr, attr: file_attr(attr), ..Default::default() })
    }

    #[must_use]
    pub fn put_statx(&mut self, attr: &Attr, valid: Validity) -> bool {
        self.put(&StatxOut { attr_valid: valid.attr, stat: statx(attr), ..Default::default() })
    }
}

/// The record of a found name. Numbers are never reused, so the generation is always 0.
pub fn entry(attr: &Attr, valid: Validity) -> EntryOut {
    EntryOut {
        nodeid: attr.ino,
        entry_valid: valid.entry,
        attr_valid: valid.attr,
        attr: file_attr(attr),
        ..Default::default()
    }
}

/// [`Attr`] as the kernel reads it.
pub fn file_attr(attr: &Attr) -> FileAttr {
    let (atime, atimensec) = seconds(attr.atime);
    let (mtime, mtimensec) = seconds(attr.mtime);
    let (ctime, ctimensec) = seconds(attr.ctime);
    FileAttr {
        ino: attr.ino,
        size: attr.size,
        blocks: attr.blocks,
        atime: atime as u64,
        mtime: mtime as u64,
        ctime: ctime as u64,
        atimensec,
        mtimensec,
        ctimensec,
        mode: attr.mode,
        nlink: attr.nlink,
        uid: attr.uid,
        gid: attr.gid,
        rdev: attr.rdev,
        blksize: BLOCK,
        // FUSE_ATTR_*, not chattr's flags.
        flags: 0,
    }
}

fn statx(attr: &Attr) -> Statx {
    let rdev = u64::from(attr.rdev);
    Statx {
        mask: libc::STATX_BASIC_STATS | libc::STATX_BTIME,
        blksize: BLOCK,
        // STATX_ATTR_IMMUTABLE and _APPEND are the numbers of FS_IMMUTABLE_FL and FS_APPEND_FL.
        attributes: u64::from(attr.flags),
        attributes_mask: u64::from(ioctl::FS_IMMUTABLE_FL | ioctl::FS_APPEND_FL),
        nlink: attr.nlink,
        uid: attr.uid,
        gid: attr.gid,
        mode: attr.mode as u16,
        ino: attr.ino,
        size: attr.size,
        blocks: attr.blocks,
        atime: statx_time(attr.atime),
        btime: statx_time(attr.btime),
        ctime: statx_time(attr.ctime),
        mtime: statx_time(attr.mtime),
        rdev_major: libc::major(rdev),
        rdev_minor: libc::minor(rdev),
        ..Default::default()
    }
}

fn statx_time(time: i64) -> StatxTime {
    let (sec, nsec) = seconds(time);
    StatxTime { sec, nsec, reserved: 0 }
}
