//! What `stat` and `statfs` show.

use super::api::{Attr, StatFs};
use crate::format::layout;
use crate::volume::{View, Volume};

/// Attributes of a file, as stat(2) shows them.
pub(super) fn attr(file: View<'_>) -> Attr {
    let (anchor, attributes) = (&file.slot.anchor, &file.slot.attributes);
    let permissions = u64::from(anchor.permissions);
    let flag = |bit: u64, shown: u32| if permissions & bit != 0 { shown } else { 0 };
    Attr {
        ino: file.inode.ino,
        size: file.size,
        blocks: (attributes.blocks + file.new_delayed) * 8,
        atime: file.inode.read_at().unwrap_or(attributes.atime),
        mtime: anchor.mod_clock,
        ctime: attributes.ctime,
        btime: i64::from(anchor.create_clock) * 1_000_000_000 + i64::from(attributes.btime_ns),
        mode: anchor.permissions & 0xffff,
        nlink: attributes.nlink,
        uid: attributes.uid,
        gid: attributes.gid,
        rdev: attributes.rdev,
        flags: flag(layout::PERMISSION_IMMUTABLE, 0x10) | flag(layout::PERMISSION_APPEND, 0x20),
    }
}

/// Blocks and files of the volume, as statfs(2) shows them.
pub fn statfs(volume: &Volume) -> StatFs {
    let files = volume.cortex.capacity();
    StatFs {
        blocks: volume.space.total(),
        bfree: volume.space.free(),
        bavail: volume.space.available(),
        files,
        ffree: files.saturating_sub(volume.cortex.used()),
    }
}
