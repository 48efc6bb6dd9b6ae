//! chattr: the immutable and append-only flags.

use super::FileSystem;
use crate::base::{Code, Ino, Result, now_ns};
use crate::format::{Kind, layout};

/// FS_IMMUTABLE_FL and FS_APPEND_FL of linux/fs.h.
const FS_IMMUTABLE: u32 = 0x10;
const FS_APPEND: u32 = 0x20;

impl FileSystem {
    pub(super) fn set_flags(&self, ino: Ino, flags: u32) -> Result<()> {
        if flags & !(FS_IMMUTABLE | FS_APPEND) != 0 {
            return Err(Code::NotSupported.into());
        }
        let volume = &self.volume;
        let inode = volume.by_ino(ino)?;
        if !matches!(inode.kind, Kind::Regular | Kind::Directory) {
            return Err(Code::NotSupported.into());
        }
        let _inside = volume.enter()?;
        let mut state = inode.state.write();
        let wanted = [(FS_IMMUTABLE, layout::PERMISSION_IMMUTABLE), (FS_APPEND, layout::PERMISSION_APPEND)];
        let permissions = &mut state.slot.anchor.permissions;
        for (fs, bit) in wanted {
            if flags & fs != 0 { *permissions |= bit as u32 } else { *permissions &= !(bit as u32) }
        }
        state.slot.attributes.ctime = now_ns();
        volume.mark(&inode, &mut state);
        Ok(())
    }
}
