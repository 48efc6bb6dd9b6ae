//! Messages to the kernel about changes that did not come through the mount.

use crate::abi::flags::{NOTIFY_INVAL_ENTRY, NOTIFY_INVAL_INODE};
use crate::abi::{InvalEntry, InvalInode, OUT_HEADER, OutHeader};
use hn4_core::base::Ino;
use std::fs::File;
use std::io::{self, IoSlice, Write};
use zerocopy::{Immutable, IntoBytes};

/// Drops a file's cached attributes, and its cached data from byte `offset`, `length` bytes of it
/// (0: to the end; a negative offset: attributes only).
pub fn invalidate_inode(device: &File, ino: Ino, offset: i64, length: i64) -> io::Result<()> {
    notify(device, NOTIFY_INVAL_INODE, &InvalInode { ino, off: offset, len: length }, &[])
}

/// Drops what is cached about a name, its absence too.
pub fn invalidate_entry(device: &File, parent: Ino, name: &[u8]) -> io::Result<()> {
    let record = InvalEntry { parent, namelen: name.len() as u32, flags: 0 };
    notify(device, NOTIFY_INVAL_ENTRY, &record, &[name, &[0]].concat())
}

fn notify(
    mut device: &File,
    code: i32,
    record: &(impl IntoBytes + Immutable),
    tail: &[u8],
) -> io::Result<()> {
    let record = record.as_bytes();
    let len = OUT_HEADER + record.len() + tail.len();
    let head = OutHeader { len: len as u32, error: code, unique: 0 };
    let parts = [IoSlice::new(head.as_bytes()), IoSlice::new(record), IoSlice::new(tail)];
    match device.write_vectored(&parts) {
        // ENOENT: the kernel has nothing cached.
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Ok(()),
    }
}
