//! A lane: a directory of its own in which one thread works, with everything it may find again after a
//! crash.

use crate::content::Content;
use hn4_core::base::{Code, Ino, Result};
use hn4_core::device::testing::RecordingDevice;
use hn4_core::vfs::{Caller, FileSystem, SetAttr, Vfs};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A file apart from its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// Type and permission bits.
    pub mode: u32,
    pub nlink: u32,
    pub target: Vec<u8>,
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// Number of a file in a lane's history.
pub type Node = usize;

/// The names of a lane after one operation. The lane's directory itself has the empty path.
#[derive(Clone, Default)]
pub struct State {
    pub names: BTreeMap<Arc<str>, Node>,
    pub nodes: BTreeMap<Node, Arc<Meta>>,
}

/// Bytes of a file after operation `op`.
pub struct Version {
    pub op: usize,
    pub content: Content,
}

#[derive(Default)]
pub struct FileHistory {
    pub versions: Vec<Version>,
    /// Once operation `.0` is seen, the bytes are at least those of version `.1`: the file took a name.
    pub with_names: Vec<(usize, usize)>,
}

/// What an answered fsync or syncfs promises.
pub struct Synced {
    /// Operations up to this one.
    pub op: usize,
    /// Versions of files.
    pub versions: Vec<(Node, usize)>,
}

/// What happened in a lane.
#[derive(Default)]
pub struct History {
    pub root: String,
    /// After each operation; 0: before the first.
    pub states: Vec<Arc<State>>,
    pub files: Vec<FileHistory>,
    pub syncs: Vec<Synced>,
}

/// Works in its directory and writes down what must hold. Paths begin with a slash and are relative to
/// the lane.
pub struct Lane {
    pub fs: Arc<FileSystem>,
    device: Arc<RecordingDevice>,
    name: String,
    inos: HashMap<Node, (Ino, u64)>,
    pub history: History,
}

const WHO: Caller = Caller { uid: 0, gid: 0, pid: 1, umask: 0 };

impl Lane {
    /// A lane in `root` ("" is the volume's root), which must exist and be empty.
    pub fn new(fs: &Arc<FileSystem>, device: &Arc<RecordingDevice>, root: &str) -> Lane {
        let mut ino = 1;
        fs.lookup(1, b".").unwrap();
        for part in root.split('/').filter(|part| !part.is_empty()) {
            ino = fs.lookup(ino, part.as_bytes()).unwrap().ino;
        }
        let mut state = State::default();
        state.names.insert("".into(), 0);
        let meta = Meta { mode: libc::S_IFDIR | 0o755, nlink: 2, ..Meta::default() };
        state.nodes.insert(0, Arc::new(meta));
        let history = History {
            root: root.to_string(),
            states: vec![Arc::new(state)],
            files: vec![FileHistory::default()],
            syncs: Vec::new(),
        };
        let name = if root.is_empty() { "/".into() } else { root.to_string() };
        Lane { fs: fs.clone(), device: device.clone(), name, inos: [(0, (ino, 1))].into(), history }
    }

    pub fn state(&self) -> &State {
        self.history.states.last().unwrap()
    }
    pub fn exists(&self, path: &str) -> bool {
        self.state().names.contains_key(path)
    }
    pub fn content(&self, path: &str) -> Content {
        self.content_of(self.state().names[path])
    }
    fn content_of(&self, node: Node) -> Content {
        self.history.files[node].versions.last().map(|v| v.content.clone()).unwrap_or_default()
    }
    fn node(&self, path: &str) -> Node {
        *self
            .state()
            .names
            .get(path)
            .unwrap_or_else(|| panic!("the workload uses {path}, which is not there"))
    }
    pub fn ino(&self, path: &str) -> Ino {
        self.inos[&self.node(path)].0
    }
    fn parent(&self, path: &str) -> (Node, Ino, Vec<u8>) {
        let (dir, name) = path.rsplit_once('/').expect("paths begin with a slash");
        (self.node(dir), self.ino(dir), name.as_bytes().to_vec())
    }

    /// Notes the beginning of an operation, runs it, and keeps what it made of the names.
    fn step<R>(
        &mut self,
        act: impl FnOnce(&FileSystem) -> Result<R>,
        change: impl FnOnce(&mut State, &R),
    ) -> Result<R> {
        let op = self.history.states.len();
        self.device.marker(format!("{} op {op}", self.name));
        let done = act(&self.fs);
        let mut state = self.history.states[op - 1].clone();
        if let Ok(result) = &done {
            change(Arc::make_mut(&mut state), result);
        }
        self.history.states.push(state);
        done
    }

    /// An operation that changes only bytes.
    fn content_step(
        &mut self,
        path: &str,
        act: impl FnOnce(&FileSystem, Ino) -> Result<()>,
        change: impl FnOnce(&mut Content),
    ) -> Result<()> {
        let (node, ino) = (self.node(path), self.ino(path));
        let op = self.history.states.len();
        self.device.marker(format!("{} op {op}", self.name));
        let done = act(&self.fs, ino);
        let state = self.history.states[op - 1].clone();
        self.history.states.push(state);
        if done.is_ok() {
            let mut content = self.content_of(node);
            change(&mut content);
            let file = &mut self.history.files[node];
            file.versions.push(Version { op, content });
        }
        done
    }

    fn make(
        &mut self,
        path: &str,
        meta: Meta,
        act: impl FnOnce(&FileSystem, Ino, &[u8]) -> Result<Ino>,
    ) -> Result<()> {
        let (dir, dir_ino, name) = self.parent(path);
        let node = self.history.files.len();
        let is_dir = meta.mode & libc::S_IFMT == libc::S_IFDIR;
        self.history.files.push(FileHistory::default());
        let path: Arc<str> = path.into();
        let ino = self.step(
            |fs| act(fs, dir_ino, &name),
            |state, _| {
                state.names.insert(path, node);
                state.nodes.insert(node, Arc::new(meta));
                if is_dir {
                    Arc::make_mut(state.nodes.get_mut(&dir).unwrap()).nlink += 1;
                }
            },
        )?;
        self.inos.insert(node, (ino, 1));
        let op = self.history.states.len() - 1;
        self.history.files[node].versions.push(Version { op, content: Content::default() });
        Ok(())
    }

    pub fn create(&mut self, path: &str) -> Result<()> {
        let meta = Meta { mode: libc::S_IFREG | 0o644, nlink: 1, ..Meta::default() };
        self.make(path, meta, |fs, dir, name| Ok(fs.mknod(dir, name, libc::S_IFREG | 0o644, 0, &WHO)?.ino))
    }
    pub fn mkdir(&mut self, path: &str) -> Result<()> {
        let meta = Meta { mode: libc::S_IFDIR | 0o755, nlink: 2, ..Meta::default() };
        self.make(path, meta, |fs, dir, name| Ok(fs.mkdir(dir, name, 0o755, &WHO)?.ino))
    }
    pub fn symlink(&mut self, path: &str, target: &[u8]) -> Result<()> {
        let meta = Meta { mode: libc::S_IFLNK | 0o777, nlink: 1, target: target.to_vec(), ..Meta::default() };
        self.make(path, meta, |fs, dir, name| Ok(fs.symlink(dir, name, target, &WHO)?.ino))
    }

    pub fn write(&mut self, path: &str, offset: u64, data: &[u8]) -> Result<()> {
        self.content_step(
            path,
            |fs, ino| fs.write(ino, offset, data, false).map(drop),
            |content| content.write(offset, data),
        )
    }
    pub fn append(&mut self, path: &str, data: &[u8]) -> Result<()> {
        let end = self.content(path).size;
        self.content_step(
            path,
            |fs, ino| fs.append(ino, data, false).map(drop),
            |content| content.write(end, data),
        )
    }
    pub fn truncate(&mut self, path: &str, size: u64) -> Result<()> {
        let set = SetAttr { size: Some(size), ..SetAttr::default() };
        self.content_step(
            path,
            |fs, ino| fs.setattr(ino, &set, &WHO).map(drop),
            |content| content.truncate(size),
        )
    }
    /// `mode`: FALLOC_FL_* flags.
    pub fn fallocate(&mut self, path: &str, mode: u32, offset: u64, length: u64) -> Result<()> {
        self.content_step(
            path,
            |fs, ino| fs.fallocate(ino, mode, offset, length),
            |content| {
                if mode & 2 != 0 || mode & 16 != 0 {
                    content.zero(offset, length);
                }
                if mode & 1 == 0 {
                    content.size = content.size.max(offset + length);
                }
            },
        )
    }

    pub fn chmod(&mut self, path: &str, bits: u32) -> Result<()> {
        let (node, ino) = (self.node(path), self.ino(path));
        let set = SetAttr { mode: Some(bits), ..SetAttr::default() };
        let change = |meta: &mut Meta| meta.mode = meta.mode & libc::S_IFMT | bits;
        self.meta_step(node, |fs| fs.setattr(ino, &set, &WHO).map(drop), change)
    }
    pub fn set_xattr(&mut self, path: &str, name: &str, value: &[u8]) -> Result<()> {
        let (node, ino) = (self.node(path), self.ino(path));
        let change = |meta: &mut Meta| drop(meta.xattrs.insert(name.into(), value.to_vec()));
        self.meta_step(node, |fs| fs.setxattr(ino, name.as_bytes(), value, 0), change)
    }
    pub fn remove_xattr(&mut self, path: &str, name: &str) -> Result<()> {
        let (node, ino) = (self.node(path), self.ino(path));
        let change = |meta: &mut Meta| drop(meta.xattrs.remove(name.as_bytes()));
        self.meta_step(node, |fs| fs.removexattr(ino, name.as_bytes()), change)
    }
    fn meta_step(
        &mut self,
        node: Node,
        act: impl FnOnce(&FileSystem) -> Result<()>,
        change: impl FnOnce(&mut Meta),
    ) -> Result<()> {
        self.step(act, |state, ()| change(Arc::make_mut(state.nodes.get_mut(&node).unwrap())))
    }

    pub fn link(&mut self, path: &str, new: &str) -> Result<()> {
        let (node, ino) = (self.node(path), self.ino(path));
        let (_, dir_ino, name) = self.parent(new);
        let new: Arc<str> = new.into();
        self.step(
            |fs| fs.link(ino, dir_ino, &name).map(drop),
            |state, ()| {
                state.names.insert(new, node);
                Arc::make_mut(state.nodes.get_mut(&node).unwrap()).nlink += 1;
            },
        )?;
        self.inos.get_mut(&node).unwrap().1 += 1;
        Ok(())
    }
    pub fn unlink(&mut self, path: &str) -> Result<()> {
        let node = self.node(path);
        let (_, dir_ino, name) = self.parent(path);
        self.step(|fs| fs.unlink(dir_ino, &name), |state, ()| lose_name(state, path))?;
        self.forget_if_gone(node);
        Ok(())
    }
    pub fn rmdir(&mut self, path: &str) -> Result<()> {
        let node = self.node(path);
        let (dir, dir_ino, name) = self.parent(path);
        self.step(
            |fs| fs.rmdir(dir_ino, &name),
            |state, ()| {
                lose_name(state, path);
                Arc::make_mut(state.nodes.get_mut(&dir).unwrap()).nlink -= 1;
            },
        )?;
        self.forget_if_gone(node);
        Ok(())
    }

    /// Replaces what `new` was. Not for two names of one file.
    pub fn rename(&mut self, path: &str, new: &str) -> Result<()> {
        let node = self.node(path);
        let victim = self.state().names.get(new).copied();
        assert_ne!(victim, Some(node));
        let (dir, dir_ino, name) = self.parent(path);
        let (new_dir, new_dir_ino, new_name) = self.parent(new);
        let is_dir = self.state().nodes[&node].mode & libc::S_IFMT == libc::S_IFDIR;
        self.step(
            |fs| fs.rename(dir_ino, &name, new_dir_ino, &new_name, 0),
            |state, ()| {
                if victim.is_some() {
                    lose_name(state, new);
                }
                let below = format!("{path}/");
                let moved: Vec<(Arc<str>, Node)> = state
                    .names
                    .iter()
                    .filter(|(name, _)| &***name == path || name.starts_with(&below))
                    .map(|(name, node)| (name.clone(), *node))
                    .collect();
                for (old, node) in moved {
                    state.names.remove(&old);
                    state.names.insert(format!("{new}{}", &old[path.len()..]).into(), node);
                }
                if is_dir {
                    let mut count = |dir: Node, by: i32| {
                        let meta = Arc::make_mut(state.nodes.get_mut(&dir).unwrap());
                        meta.nlink = meta.nlink.checked_add_signed(by).unwrap();
                    };
                    count(dir, -1);
                    if victim.is_none() {
                        count(new_dir, 1);
                    }
                }
            },
        )?;
        let op = self.history.states.len() - 1;
        let file = &mut self.history.files[node];
        if let Some(version) = file.versions.len().checked_sub(1) {
            file.with_names.push((op, version));
        }
        if let Some(victim) = victim {
            self.forget_if_gone(victim);
        }
        Ok(())
    }

    fn forget_if_gone(&mut self, node: Node) {
        if !self.state().nodes.contains_key(&node)
            && let Some((ino, lookups)) = self.inos.remove(&node)
        {
            self.fs.forget(ino, lookups);
        }
    }

    pub fn fsync(&mut self, path: &str) -> Result<()> {
        let (node, ino) = (self.node(path), self.ino(path));
        // All names there are, this file's or not.
        let promise = self.promise(&[node], self.history.states.len() - 1);
        self.fs.fsync(ino, false)?;
        self.synced(promise);
        Ok(())
    }
    pub fn syncfs(&mut self) -> Result<()> {
        let nodes: Vec<Node> = self.state().nodes.keys().copied().collect();
        let promise = self.promise(&nodes, self.history.states.len() - 1);
        self.fs.syncfs()?;
        self.synced(promise);
        Ok(())
    }
    fn promise(&self, nodes: &[Node], op: usize) -> Synced {
        let last = |node: &Node| Some((*node, self.history.files[*node].versions.len().checked_sub(1)?));
        Synced { op, versions: nodes.iter().filter_map(last).collect() }
    }
    /// Repeats in a new trace what was said last.
    pub fn mark_all(&self) {
        self.device.marker(format!("{} op {}", self.name, self.history.states.len() - 1));
        self.device.marker(format!("{} synced {}", self.name, self.history.syncs.len() - 1));
    }
    fn synced(&mut self, promise: Synced) {
        self.history.syncs.push(promise);
        self.device.marker(format!("{} synced {}", self.name, self.history.syncs.len() - 1));
    }

    /// Whether an error says that something is full.
    pub fn is_full(error: &hn4_core::base::Error) -> bool {
        matches!(error.code, Code::NoSpace | Code::CortexFull | Code::ExtensionFull)
    }
}

fn lose_name(state: &mut State, path: &str) {
    let node = state.names.remove(path).unwrap();
    let meta = Arc::make_mut(state.nodes.get_mut(&node).unwrap());
    meta.nlink = if meta.mode & libc::S_IFMT == libc::S_IFDIR { 0 } else { meta.nlink - 1 };
    if meta.nlink == 0 {
        state.nodes.remove(&node);
    }
}
