//! Operations on names and attributes.

use super::world::{WHO, World};
use hn4_core::vfs::{RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT, SetAttr, SetTime, Vfs};

impl World {
    pub fn create(&mut self) {
        let (dir, name) = (self.dir(), self.name());
        let mode = [0o644, 0o600, 0o4755, 0o2755][self.rng.below(4) as usize];
        let kind = match self.rng.below(12) {
            0 => libc::S_IFIFO,
            1 => libc::S_IFSOCK,
            2 => libc::S_IFCHR,
            3 => libc::S_IFBLK,
            _ => libc::S_IFREG,
        };
        let what = format!("mknod {}/{} {kind:o}", dir.real, String::from_utf8_lossy(&name));
        let made = self.both(
            &what,
            |fs| fs.mknod(dir.real, &name, kind | mode, 0x501, &WHO),
            |fs| fs.mknod(dir.model, &name, kind | mode, 0x501, &WHO),
        );
        self.hold_made(made);
    }

    fn hold_made(&mut self, made: Option<(hn4_core::vfs::Attr, hn4_core::vfs::Attr)>) {
        if let Some((real, model)) = made {
            self.log(format!("  -> {}", real.ino));
            self.hold(real, model);
        }
    }

    pub fn mkdir(&mut self) {
        let (dir, name) = (self.dir(), self.name());
        let mode = if self.rng.chance(10, 100) { 0o2775 } else { 0o755 };
        let what = format!("mkdir {}/{}", dir.real, String::from_utf8_lossy(&name));
        let made = self.both(
            &what,
            |fs| fs.mkdir(dir.real, &name, mode, &WHO),
            |fs| fs.mkdir(dir.model, &name, mode, &WHO),
        );
        self.hold_made(made);
    }

    /// Many names at once, so that directories split and merge.
    pub fn crowd(&mut self) {
        let dir = self.dir();
        let (from, count) = (self.rng.below(300), 1 + self.rng.below(120));
        let remove = self.rng.chance(45, 100);
        let trail = self.trail.len();
        for i in from..from + count {
            let name = format!("crowd-{i}-{}", "y".repeat((i * 7 % 60) as usize)).into_bytes();
            let what = format!("crowd {}/{i} remove {remove}", dir.real);
            if remove {
                self.both(&what, |fs| fs.unlink(dir.real, &name), |fs| fs.unlink(dir.model, &name));
                continue;
            }
            let made = self.both(
                &what,
                |fs| fs.mknod(dir.real, &name, libc::S_IFREG | 0o644, 0, &WHO),
                |fs| fs.mknod(dir.model, &name, libc::S_IFREG | 0o644, 0, &WHO),
            );
            let Some((real, model)) = made else { continue };
            self.fs.forget(real.ino, 1);
            self.model.forget(model.ino, 1);
        }
        self.trail.truncate(trail);
        self.log(format!("crowd {}, {count} from {from}, remove: {remove}", dir.real));
    }

    pub fn symlink(&mut self) {
        let (dir, name) = (self.dir(), self.name());
        let length = [1, 28, 29, 100, 3000, 4095, 4096][self.rng.below(7) as usize];
        let target = vec![b'a' + (length % 26) as u8; length];
        let what = format!("symlink {}/{} of {length}", dir.real, String::from_utf8_lossy(&name));
        let made = self.both(
            &what,
            |fs| fs.symlink(dir.real, &name, &target, &WHO),
            |fs| fs.symlink(dir.model, &name, &target, &WHO),
        );
        self.hold_made(made);
    }

    pub fn tmpfile(&mut self) {
        let dir = self.dir();
        if self.fs.getattr(dir.real).is_ok_and(|attr| attr.nlink == 0 || attr.flags != 0) {
            return;
        }
        let what = format!("tmpfile in {}", dir.real);
        let made =
            self.both(&what, |fs| fs.tmpfile(dir.real, 0o600, &WHO), |fs| fs.tmpfile(dir.model, 0o600, &WHO));
        self.hold_made(made);
    }

    pub fn link(&mut self) {
        let (file, dir, name) = (self.any(), self.dir(), self.name());
        let what = format!("link {} {}/{}", file.real, dir.real, String::from_utf8_lossy(&name));
        let made = self.both(
            &what,
            |fs| fs.link(file.real, dir.real, &name),
            |fs| fs.link(file.model, dir.model, &name),
        );
        self.hold_made(made);
    }

    pub fn lookup(&mut self) {
        let (dir, name) = (self.dir(), self.name());
        let what = format!("lookup {}/{}", dir.real, String::from_utf8_lossy(&name));
        let found = self.both(&what, |fs| fs.lookup(dir.real, &name), |fs| fs.lookup(dir.model, &name));
        self.hold_made(found);
    }

    pub fn unlink(&mut self) {
        let (dir, name) = (self.dir(), self.name());
        let what = format!("unlink {}/{}", dir.real, String::from_utf8_lossy(&name));
        self.both(&what, |fs| fs.unlink(dir.real, &name), |fs| fs.unlink(dir.model, &name));
    }

    pub fn rmdir(&mut self) {
        let (dir, name) = (self.dir(), self.name());
        let what = format!("rmdir {}/{}", dir.real, String::from_utf8_lossy(&name));
        self.both(&what, |fs| fs.rmdir(dir.real, &name), |fs| fs.rmdir(dir.model, &name));
    }

    pub fn rename(&mut self) {
        let (dir, name) = (self.dir(), self.name());
        let (to, new_name) = (self.dir(), self.name());
        let flags = match self.rng.below(8) {
            0 => RENAME_NOREPLACE,
            1 | 2 => RENAME_EXCHANGE,
            3 => RENAME_WHITEOUT,
            4 => RENAME_WHITEOUT | RENAME_NOREPLACE,
            _ => 0,
        };
        let what = format!(
            "rename {}/{} {}/{} {flags}",
            dir.real,
            String::from_utf8_lossy(&name),
            to.real,
            String::from_utf8_lossy(&new_name)
        );
        self.both(
            &what,
            |fs| fs.rename(dir.real, &name, to.real, &new_name, flags),
            |fs| fs.rename(dir.model, &name, to.model, &new_name, flags),
        );
    }

    pub fn setattr(&mut self) {
        let file = self.any();
        let mut set = SetAttr::default();
        match self.rng.below(4) {
            0 => set.mode = Some(0o640 + self.rng.below(8) as u32),
            1 => (set.uid, set.gid) = (Some(self.rng.below(5) as u32), Some(3)),
            2 => set.mtime = Some(SetTime::At(self.rng.below(1 << 60) as i64 - (1 << 59))),
            _ => set.atime = Some(SetTime::At(self.rng.below(1 << 60) as i64)),
        }
        let what = format!("setattr {} {set:?}", file.real);
        let done =
            self.both(&what, |fs| fs.setattr(file.real, &set, &WHO), |fs| fs.setattr(file.model, &set, &WHO));
        let Some((real, model)) = done else { return };
        self.compare_attributes(&real, &model);
        if let Some(SetTime::At(time)) = set.mtime
            && real.mtime != time
        {
            self.fail("mtime is not what was set");
        }
    }

    pub fn setflags(&mut self) {
        let file = self.any();
        if !matches!(file.kind, libc::S_IFREG | libc::S_IFDIR) || file.real == 1 {
            return;
        }
        // Mostly off again: a protected tree changes no more.
        let flags = [0, 0, 0x10, 0x20][self.rng.below(4) as usize];
        let what = format!("setflags {} {flags:#x}", file.real);
        self.both(&what, |fs| fs.setflags(file.real, flags), |fs| fs.setflags(file.model, flags));
    }

    pub fn xattr(&mut self) {
        let file = self.any();
        let prefix = ["user.", "trusted.", "security.", "nonsense."][self.rng.below(4) as usize];
        let name = format!("{prefix}a{}", self.rng.below(5)).into_bytes();
        let shown = format!("{} {}", file.real, String::from_utf8_lossy(&name));
        match self.rng.below(4) {
            0 => {
                let what = format!("removexattr {shown}");
                self.both(
                    &what,
                    |fs| fs.removexattr(file.real, &name),
                    |fs| fs.removexattr(file.model, &name),
                );
            }
            1 => {
                let what = format!("getxattr {shown}");
                let got =
                    self.both(&what, |fs| fs.getxattr(file.real, &name), |fs| fs.getxattr(file.model, &name));
                if let Some((real, model)) = got
                    && real != model
                {
                    self.fail("values differ");
                }
            }
            _ => {
                let length = [0, 10, 200, 3000, 20_000, 65_536, 65_537][self.rng.below(7) as usize];
                let value = self.rng.bytes(length);
                let flags = self.rng.below(3) as u32;
                let what = format!("setxattr {shown} {length} bytes, flags {flags}");
                self.both(
                    &what,
                    |fs| fs.setxattr(file.real, &name, &value, flags),
                    |fs| fs.setxattr(file.model, &name, &value, flags),
                );
            }
        }
    }
}
