//! The volume and its model side by side: every operation is done to both.

use crate::listing::Manifest;
use crate::manifest::Entry;
use crate::model::Node;
use hn4_core::base::Result;
use hn4_core::testing::Rng;
use hn4_core::vfs::{Attr, Caller, FileSystem, SetAttr, SetTime, Vfs};
use std::collections::BTreeMap;

pub struct World {
    pub fs: FileSystem,
    pub rng: Rng,
    /// Content repeats itself, so that an image packs well.
    pub repeats: bool,
    /// Number by path, `/a/b`; the root is not among them.
    pub paths: BTreeMap<Vec<u8>, u64>,
    pub nodes: BTreeMap<u64, Node>,
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
        World { fs, rng: Rng::new(seed), repeats: false, paths: BTreeMap::new(), nodes: BTreeMap::new() }
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
        self.rng.bytes(32).into_iter().cycle().take(length as usize).collect()
    }

    pub fn ino(&self, path: &[u8]) -> u64 {
        if path.is_empty() { 1 } else { self.paths[path] }
    }

    /// A file of any type (`mode` with type bits); `target` for symlinks. None: no room.
    pub fn make(&mut self, path: &[u8], mode: u32, rdev: u32, target: Option<&[u8]>) -> Result<Option<u64>> {
        let who = self.caller();
        let (parent, name) = split(path);
        let parent = self.ino(parent);
        let made = match (mode & libc::S_IFMT, target) {
            (libc::S_IFDIR, _) => self.fs.mkdir(parent, name, mode, &who),
            (_, Some(target)) => self.fs.symlink(parent, name, target, &who),
            _ => self.fs.mknod(parent, name, mode, rdev, &who),
        };
        let Some(attr) = fits(made)? else { return Ok(None) };
        let Attr { ino, .. } = attr;
        self.fs.forget(ino, 1);
        let size = target.map_or(0, |target| target.len() as u64);
        let target = target.map(<[u8]>::to_vec);
        let mut mode = if target.is_some() { libc::S_IFLNK | 0o777 } else { mode };
        let mut gid = who.gid;
        // A directory with set-group-id hands its group down, and the bit to directories.
        if let Some(above) = self.nodes.get(&parent).filter(|above| above.mode & libc::S_ISGID != 0) {
            gid = above.gid;
            mode |= if mode & libc::S_IFMT == libc::S_IFDIR { libc::S_ISGID } else { 0 };
        }
        let node = Node { mode, uid: who.uid, gid, rdev, size, target, ..Node::default() };
        self.nodes.insert(ino, node);
        self.paths.insert(path.to_vec(), ino);
        Ok(Some(ino))
    }

    pub fn file(&mut self, path: &[u8]) -> Result<Option<u64>> {
        self.make(path, libc::S_IFREG | 0o644, 0, None)
    }

    /// A regular file with random content.
    pub fn file_of(&mut self, path: &[u8], length: u64) -> Result<()> {
        if let Some(ino) = self.file(path)? {
            self.write(ino, 0, length)?;
        }
        Ok(())
    }

    pub fn write(&mut self, ino: u64, offset: u64, length: u64) -> Result<()> {
        let data = self.bytes(length);
        for (i, piece) in data.chunks(1 << 20).enumerate() {
            let at = offset + ((i as u64) << 20);
            if fits(self.fs.write(ino, at, piece, false))?.is_none() {
                return Ok(());
            }
            let node = self.node(ino);
            node.write(at, piece);
            node.mtime = None;
        }
        Ok(())
    }

    pub fn node(&mut self, ino: u64) -> &mut Node {
        self.nodes.get_mut(&ino).expect("a file of the model")
    }

    pub fn truncate(&mut self, ino: u64, size: u64) -> Result<()> {
        let set = SetAttr { size: Some(size), ..SetAttr::default() };
        if fits(self.fs.setattr(ino, &set, &Caller::default()))?.is_some() {
            let node = self.node(ino);
            node.truncate(size);
            node.mtime = None;
        }
        Ok(())
    }

    /// `mode` as in [`Vfs::fallocate`]; `zeroes` says what it does to the content.
    pub fn fallocate(&mut self, ino: u64, mode: u32, zeroes: bool, offset: u64, length: u64) -> Result<()> {
        if fits(self.fs.fallocate(ino, mode, offset, length))?.is_some() {
            let node = self.node(ino);
            if zeroes {
                node.zero(offset, offset + length);
            }
            if mode & hn4_core::vfs::FALLOC_KEEP_SIZE == 0 {
                node.size = node.size.max(offset + length);
            }
            node.mtime = None;
        }
        Ok(())
    }

    pub fn set_attributes(&mut self, ino: u64) -> Result<()> {
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
        if fits(self.fs.setattr(ino, &set, &Caller::default()))?.is_some() {
            let node = self.node(ino);
            node.mode = node.mode & libc::S_IFMT | mode;
            (node.uid, node.gid) = (who.uid, who.gid);
            // A directory's changes with its names.
            node.mtime = (!node.is(libc::S_IFDIR)).then_some(mtime);
        }
        Ok(())
    }

    pub fn set_xattr(&mut self, ino: u64, name: &[u8], length: u64) -> Result<()> {
        let value = self.bytes(length);
        match fits(self.fs.setxattr(ino, name, &value, 0)) {
            Ok(Some(())) => {
                self.node(ino).xattrs.insert(name.to_vec(), value);
                Ok(())
            }
            Ok(None) => Ok(()),
            // All attributes of a file together have at most 1 MiB.
            Err(error) if error.errno() == libc::E2BIG => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub fn remove_xattr(&mut self, ino: u64, name: &[u8]) -> Result<()> {
        if self.node(ino).xattrs.contains_key(name) && fits(self.fs.removexattr(ino, name))?.is_some() {
            self.node(ino).xattrs.remove(name);
        }
        Ok(())
    }

    pub fn link(&mut self, from: &[u8], to: &[u8]) -> Result<()> {
        let ino = self.ino(from);
        let (parent, name) = split(to);
        if fits(self.fs.link(ino, self.ino(parent), name))?.is_some() {
            self.fs.forget(ino, 1);
            self.paths.insert(to.to_vec(), ino);
        }
        Ok(())
    }

    /// Takes a name away; a directory's must be empty.
    pub fn remove(&mut self, path: &[u8]) -> Result<()> {
        let ino = self.ino(path);
        let (parent, name) = split(path);
        let parent = self.ino(parent);
        let removed = if self.node(ino).is(libc::S_IFDIR) {
            self.fs.rmdir(parent, name)
        } else {
            self.fs.unlink(parent, name)
        };
        if fits(removed)?.is_some() {
            self.paths.remove(path);
            self.drop_unnamed(ino);
        }
        Ok(())
    }

    /// Moves a file that is no directory, over another such one if `to` exists.
    pub fn rename(&mut self, from: &[u8], to: &[u8]) -> Result<()> {
        let (old, name) = split(from);
        let (new, new_name) = split(to);
        if fits(self.fs.rename(self.ino(old), name, self.ino(new), new_name, 0))?.is_none() {
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

    fn drop_unnamed(&mut self, ino: u64) {
        if !self.paths.values().any(|&named| named == ino) {
            self.nodes.remove(&ino);
        }
    }

    /// What a reader must find. Link counts come from the model's names.
    pub fn manifest(&self) -> Result<Manifest> {
        let mut names: BTreeMap<u64, u32> = BTreeMap::new();
        for (path, &ino) in &self.paths {
            *names.entry(ino).or_default() += 1;
            if self.nodes[&ino].is(libc::S_IFDIR) {
                *names.entry(ino).or_default() += 1;
                *names.entry(self.ino(split(path).0)).or_default() += 1;
            }
        }
        let mut entries = Vec::new();
        for (path, ino) in &self.paths {
            let node = &self.nodes[ino];
            let attr = Attr {
                mode: node.mode,
                uid: node.uid,
                gid: node.gid,
                rdev: node.rdev,
                size: node.size,
                nlink: names[ino],
                mtime: node.mtime.map_or_else(|| self.fs.getattr(*ino).map(|attr| attr.mtime), Ok)?,
                ..Attr::default()
            };
            let content = if node.is(libc::S_IFREG) { node.sum() } else { 0 };
            let target = node.target.as_deref();
            entries.push(Entry { path, attr: &attr, content, target, xattrs: &node.xattrs }.json());
        }
        Ok(Manifest::new(entries))
    }
}
