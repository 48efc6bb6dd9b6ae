//! One thread: random operations in a directory of its own, which it knows exactly, and in one that
//! all share, where only the manner of failing is known.

use hn4_core::base::Result;
use hn4_core::testing::Rng;
use hn4_core::vfs::{Caller, FileSystem, SetAttr, Vfs};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const FILE: u32 = libc::S_IFREG | 0o644;

pub struct Worker {
    fs: Arc<FileSystem>,
    name: String,
    dir: u64,
    shared: u64,
    rng: Rng,
    write_max: u64,
    /// What the files of its directory hold.
    files: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// The outcome, unless the volume is full.
fn done<T>(result: Result<T>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) if error.errno() == libc::ENOSPC => None,
        Err(error) => panic!("{error}"),
    }
}

impl Worker {
    pub fn new(fs: Arc<FileSystem>, number: u64, shared: u64, seed: u64, write_max: u64) -> Worker {
        let name = format!("own-{number}");
        let dir = fs.mkdir(1, name.as_bytes(), 0o755, &Caller::default()).expect("a new directory").ino;
        Worker { fs, name, dir, shared, rng: Rng::new(seed), write_max, files: BTreeMap::new() }
    }

    pub fn reopen(&mut self, fs: Arc<FileSystem>) {
        self.dir = fs.lookup(1, self.name.as_bytes()).expect("the directory is there").ino;
        self.fs = fs;
    }

    pub fn run(&mut self, steps: u64, progress: &AtomicU64) {
        for _ in 0..steps {
            match self.rng.below(20) {
                0..4 => self.in_shared(),
                4 => drop(done(self.fs.syncfs())),
                5 => self.remove(),
                6 => self.rename(),
                7 => self.truncate(),
                8 => self.read(),
                _ => self.write(),
            }
            progress.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn any(&mut self) -> Vec<u8> {
        format!("file-{}", self.rng.below(12)).into_bytes()
    }

    fn held(&self, name: &[u8]) -> u64 {
        self.fs.lookup(self.dir, name).expect("own files are there").ino
    }

    fn write(&mut self) {
        let name = self.any();
        let ino = match self.files.contains_key(&name) {
            true => self.held(&name),
            false => {
                let made = self.fs.mknod(self.dir, &name, FILE, 0, &Caller::default());
                let Some(made) = done(made) else { return };
                self.files.insert(name.clone(), Vec::new());
                made.ino
            }
        };
        let content = self.files.get_mut(&name).expect("just entered");
        let offset = self.rng.below(content.len() as u64 + 5000) as usize;
        let length = 1 + self.rng.below(self.write_max);
        let data = self.rng.repeating(length, 509);
        if done(self.fs.write(ino, offset as u64, &data, false)).is_some() {
            let end = offset + data.len();
            content.resize(content.len().max(end), 0);
            content[offset..end].copy_from_slice(&data);
        }
        if self.rng.chance(15, 100) {
            self.fs.fsync(ino, false).expect("fsync works");
        }
        self.fs.forget(ino, 1);
    }

    fn read(&mut self) {
        let name = self.any();
        if self.files.contains_key(&name) {
            self.compare(&name);
        }
    }

    fn truncate(&mut self) {
        let name = self.any();
        let Some(content) = self.files.get_mut(&name) else { return };
        let size = self.rng.below(content.len() as u64 + 3000);
        let ino = self.fs.lookup(self.dir, &name).expect("own files are there").ino;
        let set = SetAttr { size: Some(size), ..SetAttr::default() };
        if done(self.fs.setattr(ino, &set, &Caller::default())).is_some() {
            content.resize(size as usize, 0);
        }
        self.fs.forget(ino, 1);
    }

    fn remove(&mut self) {
        let name = self.any();
        if self.files.remove(&name).is_some() {
            self.fs.unlink(self.dir, &name).expect("unlink works on a full volume too");
        }
    }

    fn rename(&mut self) {
        let (from, to) = (self.any(), self.any());
        if from != to
            && self.files.contains_key(&from)
            && done(self.fs.rename(self.dir, &from, self.dir, &to, 0)).is_some()
            && let Some(content) = self.files.remove(&from)
        {
            self.files.insert(to, content);
        }
    }

    /// Others do the same to the same names: anything may be there or not.
    fn in_shared(&mut self) {
        let (a, b) = (self.any(), self.any());
        let shared = self.shared;
        let outcome = match self.rng.below(7) {
            0 | 1 => self.fs.mknod(shared, &a, FILE, 0, &Caller::default()).map(|made| {
                let written = self.fs.write(made.ino, self.rng.below(100_000), b"shared", false);
                done(written);
                self.fs.forget(made.ino, 1);
            }),
            2 => self.fs.unlink(shared, &a),
            3 => self.fs.rename(shared, &a, shared, &b, self.rng.below(3) as u32),
            4 => self.fs.mkdir(shared, &a, 0o755, &Caller::default()).map(|made| self.fs.forget(made.ino, 1)),
            5 => self.fs.rmdir(shared, &a),
            _ => self.fs.lookup(shared, &a).and_then(|found| {
                let read = self.fs.fsync(found.ino, false);
                self.fs.forget(found.ino, 1);
                read
            }),
        };
        let usual = [
            libc::ENOENT,
            libc::EEXIST,
            libc::EISDIR,
            libc::ENOTDIR,
            libc::ENOTEMPTY,
            libc::ENOSPC,
            libc::EINVAL,
        ];
        if let Err(error) = outcome
            && !usual.contains(&error.errno())
        {
            panic!("shared: {error}");
        }
    }

    fn compare(&self, name: &[u8]) {
        let content = &self.files[name];
        let ino = self.held(name);
        let mut bytes = vec![1; content.len() + 1];
        let count = self.fs.read(ino, 0, &mut bytes).expect("reading works");
        let shown = String::from_utf8_lossy(name);
        assert_eq!(count, content.len(), "{}/{shown}", self.name);
        let differs = (0..count).find(|&i| bytes[i] != content[i]);
        assert_eq!(differs, None, "{}/{shown}: first byte that differs", self.name);
        self.fs.forget(ino, 1);
    }

    /// Exactly its files, with exactly their bytes.
    pub fn verify(&mut self) {
        let mut names = Vec::new();
        self.fs
            .readdir(self.dir, 2, false, &mut |entry| {
                names.push(entry.name.to_vec());
                true
            })
            .expect("readdir works");
        names.sort();
        assert!(names.iter().eq(self.files.keys()), "{}: {names:?}", self.name);
        for name in self.files.keys() {
            self.compare(name);
        }
    }
}
