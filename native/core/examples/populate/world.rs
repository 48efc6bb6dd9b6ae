//! The volume and its model side by side: every operation is done to both.

use crate::listing::{Manifest, read_entry};
use hn4_core::base::{Ino, Result};
use hn4_core::testing::{MemVfs, Rng};
use hn4_core::vfs::{Attr, Caller, FileSystem, SetAttr, SetTime, Vfs};
use std::collections::BTreeMap;

/// Blocks of the model: it is never full.
const PLENTY: u64 = 1 << 40;

pub struct World {
    pub fs: FileSystem,
    model: MemVfs,
    pub rng: Rng,
    /// Content repeats itself, so that an image packs well.
    pub repeats: bool,
    /// Number on the volume by path, `/a/b`; the root is not among them.
    pub paths: BTreeMap<Vec<u8>, Ino>,
    /// By number on the volume.
    twins: BTreeMap<Ino, Twin>,
}

/// A file's other side.
struct Twin {
    /// Its number in the model.
    ino: Ino,
    /// `st_mode`'s type.
    kind: u32,
    /// The time of change, while it is one that was set.
    mtime: Option<i64>,
}

/// A refusal for want of room changes neither volume nor model.
fn fits<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.errno() == libc::ENOSPC => Ok(None),
        Err(error) => Err(error),
    }
}

fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let at = path.iter().rposition(|&b| b == b'/').expect("paths are absolute");
    (&path[..at], &path[at + 1..])
}

impl World {
    pub fn new(fs: FileSystem, seed: u64) -> World {
        World {
            fs,
            model: MemVfs::new(PLENTY),
            rng: Rng::new(seed),
            repeats: false,
            paths: BTreeMap::new(),
            twins: BTreeMap::new(),
        }
    }

    /// Does the same to volume and model; `act` gets the side and what turns a number of the volume into one
    /// of that side. None: the volume had no room, the model was not asked.
    fn both<T>(&self, act: impl Fn(&dyn Vfs, &dyn Fn(Ino) -> Ino) -> Result<T>) -> Result<Option<(T, T)>> {
        let Some(real) = fits(act(&self.fs, &|ino| ino))? else { return Ok(None) };
        match act(&self.model, &|ino| self.twins.get(&ino).map_or(ino, |twin| twin.ino)) {
            Ok(model) => Ok(Some((real, model))),
            Err(error) => panic!("the model refuses what the volume did: {error}"),
        }
    }

    fn caller(&mut self) -> Caller {
        let ids = [(0, 0), (1000, 1000), (65_534, 100), (u32::MAX - 1, 7)];
        let (uid, gid) = ids[self.rng.below(4) as usize];
        Caller { uid, gid, ..Caller::default() }
    }

    fn bytes(&mut self, length: u64) -> Vec<u8> {
        if !self.repeats {
            return self.rng.bytes(length);
        }
        // 32 bytes of the sequence for any length: the images of the project were made so.
        self.rng.bytes(32).into_iter().cycle().take(length as usize).collect()
    }

    pub fn ino(&self, path: &[u8]) -> Ino {
        if path.is_empty() { 1 } else { self.paths[path] }
    }

    /// Whether a file is of that type (S_IF*).
    pub fn is(&self, ino: Ino, kind: u32) -> bool {
        self.twins[&ino].kind == kind
    }

    pub fn size(&self, ino: Ino) -> u64 {
        self.model.getattr(self.twins[&ino].ino).map_or(0, |attr| attr.size)
    }

    fn changed(&mut self, ino: Ino) {
        self.twins.get_mut(&ino).expect("a file of the model").mtime = None;
    }

    /// A file of any type (`mode` with type bits); `target` for symlinks. None: no room.
    pub fn make(&mut self, path: &[u8], mode: u32, rdev: u32, target: Option<&[u8]>) -> Result<Option<Ino>> {
        let who = self.caller();
        let (parent, name) = split(path);
        let parent = self.ino(parent);
        let made = self.both(|fs, of| match (mode & libc::S_IFMT, target) {
            (libc::S_IFDIR, _) => fs.mkdir(of(parent), name, mode, &who),
            (_, Some(target)) => fs.symlink(of(parent), name, target, &who),
            _ => fs.mknod(of(parent), name, mode, rdev, &who),
        })?;
        let Some((Attr { ino, .. }, twin)) = made else { return Ok(None) };
        self.forget(ino, twin.ino);
        self.twins.insert(ino, Twin { ino: twin.ino, kind: twin.mode & libc::S_IFMT, mtime: None });
        self.paths.insert(path.to_vec(), ino);
        Ok(Some(ino))
    }

    fn forget(&self, real: Ino, model: Ino) {
        self.fs.forget(real, 1);
        self.model.forget(model, 1);
    }

    pub fn file(&mut self, path: &[u8]) -> Result<Option<Ino>> {
        self.make(path, libc::S_IFREG | 0o644, 0, None)
    }

    /// A regular file with random content.
    pub fn file_of(&mut self, path: &[u8], length: u64) -> Result<()> {
        if let Some(ino) = self.file(path)? {
            self.write(ino, 0, length)?;
        }
        Ok(())
    }

    pub fn write(&mut self, ino: Ino, offset: u64, length: u64) -> Result<()> {
        let data = self.bytes(length);
        for (i, piece) in data.chunks(1 << 20).enumerate() {
            let at = offset + ((i as u64) << 20);
            if self.both(|fs, of| fs.write(of(ino), at, piece, false))?.is_none() {
                return Ok(());
            }
            self.changed(ino);
        }
        Ok(())
    }

    pub fn truncate(&mut self, ino: Ino, size: u64) -> Result<()> {
        let set = SetAttr { size: Some(size), ..SetAttr::default() };
        if self.both(|fs, of| fs.setattr(of(ino), &set, &Caller::default()))?.is_some() {
            self.changed(ino);
        }
        Ok(())
    }

    /// `mode` as in [`Vfs::fallocate`].
    pub fn fallocate(&mut self, ino: Ino, mode: u32, offset: u64, length: u64) -> Result<()> {
        if self.both(|fs, of| fs.fallocate(of(ino), mode, offset, length))?.is_some() {
            self.changed(ino);
        }
        Ok(())
    }

    pub fn set_attributes(&mut self, ino: Ino) -> Result<()> {
        let mode = self.rng.below(0o10000) as u32;
        let who = self.caller();
        let mtime = self.rng.next_u64() as i64 >> self.rng.below(8);
        let set = SetAttr {
            mode: Some(mode),
            uid: Some(who.uid),
            gid: Some(who.gid),
            mtime: Some(SetTime::At(mtime)),
            ..SetAttr::default()
        };
        let done = self.both(|fs, of| fs.setattr(of(ino), &set, &Caller::default()))?;
        // A directory's changes with its names.
        if done.is_some() && !self.is(ino, libc::S_IFDIR) {
            self.twins.get_mut(&ino).expect("a file of the model").mtime = Some(mtime);
        }
        Ok(())
    }

    pub fn set_xattr(&mut self, ino: Ino, name: &[u8], length: u64) -> Result<()> {
        let value = self.bytes(length);
        match self.both(|fs, of| fs.setxattr(of(ino), name, &value, 0)) {
            // All attributes of a file together have at most 1 MiB.
            Err(error) if error.errno() == libc::E2BIG => Ok(()),
            other => other.map(drop),
        }
    }

    pub fn remove_xattr(&mut self, ino: Ino, name: &[u8]) -> Result<()> {
        if self.model.getxattr(self.twins[&ino].ino, name).is_ok() {
            self.both(|fs, of| fs.removexattr(of(ino), name))?;
        }
        Ok(())
    }

    pub fn link(&mut self, from: &[u8], to: &[u8]) -> Result<()> {
        let ino = self.ino(from);
        let (parent, name) = split(to);
        let parent = self.ino(parent);
        if let Some((real, model)) = self.both(|fs, of| fs.link(of(ino), of(parent), name))? {
            self.forget(real.ino, model.ino);
            self.paths.insert(to.to_vec(), ino);
        }
        Ok(())
    }

    /// Takes a name away; a directory's must be empty.
    pub fn remove(&mut self, path: &[u8]) -> Result<()> {
        let ino = self.ino(path);
        let (parent, name) = split(path);
        let parent = self.ino(parent);
        let is_dir = self.is(ino, libc::S_IFDIR);
        let removed = self
            .both(|fs, of| if is_dir { fs.rmdir(of(parent), name) } else { fs.unlink(of(parent), name) })?;
        if removed.is_some() {
            self.paths.remove(path);
            self.drop_unnamed(ino);
        }
        Ok(())
    }

    /// Moves a file that is no directory, over another such one if `to` exists.
    pub fn rename(&mut self, from: &[u8], to: &[u8]) -> Result<()> {
        let (old, name) = split(from);
        let (new, new_name) = split(to);
        let (old, new) = (self.ino(old), self.ino(new));
        if self.both(|fs, of| fs.rename(of(old), name, of(new), new_name, 0))?.is_none() {
            return Ok(());
        }
        let ino = self.ino(from);
        if self.paths.get(to) == Some(&ino) {
            return Ok(()); // Two names of one file: POSIX leaves both.
        }
        self.paths.remove(from);
        if let Some(replaced) = self.paths.insert(to.to_vec(), ino) {
            self.drop_unnamed(replaced);
        }
        Ok(())
    }

    fn drop_unnamed(&mut self, ino: Ino) {
        if !self.paths.values().any(|&named| named == ino) {
            self.twins.remove(&ino);
        }
    }

    /// What a reader must find: all of it from the model, but for times that nobody set.
    pub fn manifest(&self) -> Result<Manifest> {
        let entry = |(path, ino): (&Vec<u8>, &Ino)| {
            let twin = &self.twins[ino];
            let mtime = twin.mtime.map_or_else(|| self.fs.getattr(*ino).map(|attr| attr.mtime), Ok)?;
            read_entry(&self.model, path, &Attr { mtime, ..self.model.getattr(twin.ino)? })
        };
        self.paths.iter().map(entry).collect::<Result<_>>().map(Manifest::new)
    }
}
