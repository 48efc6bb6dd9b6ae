//! Both file systems side by side, and the files that both sides hold.

use super::volumes::Kind;
use hn4_core::base::{Code, Error, Result};
use hn4_core::device::testing::MemDevice;
use hn4_core::testing::{MemVfs, Rng};
use hn4_core::vfs::{Attr, Caller, FileSystem, Vfs};
use std::sync::Arc;

/// A file that is held on both sides.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// Its number on the volume.
    pub real: u64,
    /// And in the model.
    pub model: u64,
    pub lookups: u64,
    /// `st_mode`'s type.
    pub kind: u32,
}

pub struct World {
    pub kind: Kind,
    pub device: Arc<MemDevice>,
    pub fs: FileSystem,
    pub model: MemVfs,
    /// The root first.
    pub files: Vec<File>,
    pub rng: Rng,
    /// The last operations, for a failure.
    pub trail: Vec<String>,
}

pub const WHO: Caller = Caller { uid: 7, gid: 9, pid: 1, umask: 0o022 };

impl World {
    pub fn new(seed: u64, kind: Kind) -> World {
        let device = kind.format();
        let fs = kind.open(&device, false);
        let root = File { real: 1, model: 1, lookups: 1, kind: libc::S_IFDIR };
        World {
            kind,
            device,
            fs,
            model: MemVfs::new(1 << 40),
            files: vec![root],
            rng: Rng::new(seed),
            trail: Vec::new(),
        }
    }

    pub fn log(&mut self, text: String) {
        self.trail.push(text);
    }

    /// Fails with the operations that led here.
    pub fn fail(&self, text: &str) -> ! {
        let from = self.trail.len().saturating_sub(40);
        let trail = self.trail[from..].join("\n  ");
        panic!("{text}\nafter {} operations, the last:\n  {trail}\n({:?})", self.trail.len(), self.kind);
    }

    pub fn any(&mut self) -> File {
        let i = self.rng.below(self.files.len() as u64) as usize;
        self.files[i]
    }

    pub fn any_of(&mut self, kind: u32) -> Option<File> {
        let found: Vec<File> = self.files.iter().filter(|file| file.kind == kind).copied().collect();
        (!found.is_empty()).then(|| found[self.rng.below(found.len() as u64) as usize])
    }

    pub fn dir(&mut self) -> File {
        self.any_of(libc::S_IFDIR).expect("the root is held")
    }

    /// A name out of a few, so that they meet; now and then a long one.
    pub fn name(&mut self) -> Vec<u8> {
        let number = self.rng.below(14);
        match self.rng.below(12) {
            0 => format!("{number}-{}", "x".repeat(200)).into_bytes(),
            1 => format!("n{}", self.rng.below(400)).into_bytes(),
            _ => format!("n{number}").into_bytes(),
        }
    }

    /// Both sides answered: the same, or the volume was full (then the model is not asked).
    /// `None`: nothing was done.
    pub fn both<T>(
        &mut self,
        what: &str,
        real: impl FnOnce(&FileSystem) -> Result<T>,
        model: impl FnOnce(&MemVfs) -> Result<T>,
    ) -> Option<(T, T)> {
        self.log(what.to_string());
        let real = real(&self.fs);
        if let Err(error) = &real
            && matches!(error.code, Code::NoSpace | Code::CortexFull | Code::ExtensionFull)
        {
            if !self.kind.full && error.code != Code::ExtensionFull && !self.is_really_full() {
                self.fail(&format!("{what}: {error}, yet there is room: {:?}", self.fs.statfs()));
            }
            self.log(format!("  -> {error}"));
            return None;
        }
        match (real, model(&self.model)) {
            (Ok(real), Ok(model)) => Some((real, model)),
            (Err(real), Err(model)) => {
                if !alike(&real, &model) {
                    self.fail(&format!("{what}: {real}, expected {model}"));
                }
                self.log(format!("  -> {real}"));
                None
            }
            (Ok(_), Err(model)) => self.fail(&format!("{what}: done, expected {model}")),
            (Err(real), Ok(_)) => self.fail(&format!("{what}: {real}, expected success")),
        }
    }

    fn is_really_full(&self) -> bool {
        // A write of the largest size and what it needs beside.
        let needed = self.kind.write_max / 4096 + 64;
        self.fs.statfs().is_ok_and(|figures| figures.bavail < needed)
    }

    /// A file was found or made on both sides.
    pub fn hold(&mut self, real: Attr, model: Attr) {
        if real.mode & libc::S_IFMT != model.mode & libc::S_IFMT {
            self.fail(&format!("types differ: {real:?}, {model:?}"));
        }
        match self.files.iter_mut().find(|file| file.real == real.ino) {
            Some(file) if file.model == model.ino => file.lookups += 1,
            Some(_) => self.fail("one name leads to different files"),
            None => {
                let kind = real.mode & libc::S_IFMT;
                self.files.push(File { real: real.ino, model: model.ino, lookups: 1, kind });
            }
        }
        self.compare_attributes(&real, &model);
    }

    pub fn forget(&mut self, at: usize) {
        let file = self.files.swap_remove(at);
        self.fs.forget(file.real, file.lookups);
        self.model.forget(file.model, file.lookups);
    }

    /// Lets go of everything but the root.
    pub fn forget_all(&mut self) {
        while self.files.len() > 1 {
            self.forget(self.files.len() - 1);
        }
    }

    pub fn compare_attributes(&self, real: &Attr, model: &Attr) {
        let shown = |attr: &Attr| {
            let is_dir = attr.mode & libc::S_IFMT == libc::S_IFDIR;
            let size = if is_dir { 0 } else { attr.size };
            (attr.mode, attr.nlink, attr.uid, attr.gid, attr.rdev, attr.flags, size)
        };
        if shown(real) != shown(model) {
            self.fail(&format!("attributes differ: {real:?}, expected {model:?}"));
        }
    }
}

/// The same error, or two of those that one request can earn at once: which of them comes first is not
/// this test's question.
fn alike(real: &Error, model: &Error) -> bool {
    let about_request = |error: &Error| {
        matches!(
            error.errno(),
            libc::EEXIST
                | libc::ENAMETOOLONG
                | libc::EPERM
                | libc::EINVAL
                | libc::ENOENT
                | libc::EISDIR
                | libc::ENOTDIR
                | libc::ENOTEMPTY
                | libc::ENODATA
                | libc::E2BIG
                | libc::EOPNOTSUPP
        )
    };
    real.errno() == model.errno() || about_request(real) && about_request(model)
}
