//! What `stat` and `statfs` show.

use super::api::{Attr, StatFs};
use crate::format::layout;
use crate::volume::{Inode, InodeState, Volume};
use std::sync::atomic::Ordering;

impl Volume {
    pub fn attr(&self, inode: &Inode, state: &InodeState) -> Attr {
        let (anchor, attributes) = (&state.slot.anchor, &state.slot.attributes);
        let permissions = u64::from(anchor.permissions);
        let flag = |bit: u64, shown: u32| if permissions & bit != 0 { shown } else { 0 };
        Attr {
            ino: inode.ino,
            size: state.size,
            blocks: (attributes.blocks + state.new_delayed) * 8,
            atime: attributes.atime.max(inode.read_at.load(Ordering::Relaxed)),
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

    pub fn statfs(&self) -> StatFs {
        let files = self.cortex.capacity();
        StatFs {
            blocks: self.space.total,
            bfree: self.space.free(),
            bavail: self.space.available(),
            files,
            ffree: files.saturating_sub(self.cortex.used()),
        }
    }
}
