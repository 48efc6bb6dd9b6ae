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
        if flags != 0 && inode.kind == Kind::Regular {
            volume.inodes.note_marked(&inode);
            volume.freeze()?;
        }
        let wanted = [(FS_IMMUTABLE, layout::PERMISSION_IMMUTABLE), (FS_APPEND, layout::PERMISSION_APPEND)];
        volume.change(|tx| {
            let mut file = inode.lock();
            let permissions = &mut file.slot.anchor.permissions;
            for (fs, bit) in wanted {
                if flags & fs != 0 { *permissions |= bit as u32 } else { *permissions &= !(bit as u32) }
            }
            file.slot.attributes.ctime = now_ns();
            volume.mark(tx, &mut file);
            Ok(())
        })
    }
}
