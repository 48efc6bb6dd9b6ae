//! GETATTR, STATX, SETATTR, STATFS.

use super::{Handled, Handler, fits};
use crate::abi::flags::fattr;
use crate::abi::{SetattrIn, StatfsOut};
use crate::wire::{Reply, nanoseconds};
use hn4_core::base::{BLOCK_SIZE, Ino};
use hn4_core::vfs::api::{Caller, SetAttr, SetTime, Vfs};

/// Longest name, bytes.
const NAME_MAX: u32 = 255;

impl<V: Vfs> Handler<V> {
    pub(super) fn getattr(&self, ino: Ino, reply: &mut Reply) -> Handled {
        let attr = self.vfs.getattr(ino)?;
        fits(reply.put_attr(&attr, self.validity(ino)))
    }

    pub(super) fn statx(&self, ino: Ino, reply: &mut Reply) -> Handled {
        let attr = self.vfs.getattr(ino)?;
        fits(reply.put_statx(&attr, self.validity(ino)))
    }

    pub(super) fn setattr(&self, ino: Ino, args: &SetattrIn, who: &Caller, reply: &mut Reply) -> Handled {
        let set = self.with_loss(ino, changes(args), who)?;
        let attr = self.vfs.setattr(ino, &set, who)?;
        fits(reply.put_attr(&attr, self.validity(ino)))
    }

    pub(super) fn statfs(&self, reply: &mut Reply) -> Handled {
        let figures = self.vfs.statfs()?;
        fits(reply.put(&StatfsOut {
            blocks: figures.blocks,
            bfree: figures.bfree,
            bavail: figures.bavail,
            files: figures.files,
            ffree: figures.ffree,
            bsize: BLOCK_SIZE as u32,
            frsize: BLOCK_SIZE as u32,
            namelen: NAME_MAX,
            ..Default::default()
        }))
    }
}

/// What a SETATTR changes.
fn changes(args: &SetattrIn) -> SetAttr {
    let has = |bit| args.valid & bit != 0;
    let time = |bit, now, sec: u64, nsec| match () {
        () if has(now) => Some(SetTime::Now),
        () if has(bit) => Some(SetTime::At(nanoseconds(sec as i64, nsec))),
        () => None,
    };
    let owner_changes = has(fattr::UID) || has(fattr::GID);
    SetAttr {
        mode: has(fattr::MODE).then_some(args.mode & 0o7777),
        uid: has(fattr::UID).then_some(args.uid),
        gid: has(fattr::GID).then_some(args.gid),
        size: has(fattr::SIZE).then_some(args.size),
        atime: time(fattr::ATIME, fattr::ATIME_NOW, args.atime, args.atimensec),
        mtime: time(fattr::MTIME, fattr::MTIME_NOW, args.mtime, args.mtimensec),
        ctime: has(fattr::CTIME).then(|| nanoseconds(args.ctime as i64, args.ctimensec)),
        // With HANDLE_KILLPRIV_V2 the bits also go at every chown, which carries no flag for it.
        kill_suidgid: has(fattr::KILL_SUIDGID) || (owner_changes && !has(fattr::MODE)),
        kill_sgid: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_marked_fields_change() {
        let args = SetattrIn { mode: 0o644, uid: 5, size: 9, atime: 1, ..Default::default() };
        let none = changes(&args);
        assert!(none.mode.is_none() && none.uid.is_none() && none.size.is_none() && none.atime.is_none());
        assert!(!none.kill_suidgid);
    }

    #[test]
    fn times_before_1970_arrive_as_negative_numbers() {
        let args = SetattrIn {
            valid: fattr::MTIME | fattr::ATIME | fattr::ATIME_NOW,
            mtime: -2i64 as u64,
            mtimensec: 500_000_000,
            ..Default::default()
        };
        let set = changes(&args);
        assert_eq!(set.mtime, Some(SetTime::At(-1_500_000_000)));
        assert_eq!(set.atime, Some(SetTime::Now));
    }

    #[test]
    fn a_change_of_owner_drops_the_set_id_bits() {
        let args = SetattrIn { valid: fattr::GID, gid: 3, ..Default::default() };
        assert!(changes(&args).kill_suidgid);
        let args = SetattrIn { valid: fattr::MODE, mode: 0o104755, ..Default::default() };
        assert_eq!(changes(&args).mode, Some(0o4755));
        assert!(!changes(&args).kill_suidgid);
    }
}
