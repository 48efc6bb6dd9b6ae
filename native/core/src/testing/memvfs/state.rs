//! All files, and the rules for making and losing them.

use super::content::Content;
use super::directory::Directory;
use super::node::{Body, IMMUTABLE, Node, now};
use crate::base::{BLOCK_SIZE, Code, Ino, Result};
use crate::vfs::api::{Attr, Caller, StatFs};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

pub const ROOT: Ino = 1;
/// First number given to a file; lower ones are reserved in hn4.
const FIRST: Ino = 16;
const FILES_MAX: u64 = 1 << 24;

pub struct State {
    nodes: HashMap<Ino, Node>,
    next: Ino,
    /// Blocks in use and in all.
    used: u64,
    capacity: u64,
}

impl State {
    pub fn new(capacity: u64) -> State {
        let mut state = State { nodes: HashMap::new(), next: FIRST, used: 0, capacity };
        let mut root = node(ROOT, libc::S_IFDIR | 0o755, Body::Directory(Directory::new(ROOT)));
        root.lookups = AtomicU64::new(1);
        state.nodes.insert(ROOT, root);
        state
    }

    pub fn node(&self, ino: Ino) -> Result<&Node> {
        self.nodes.get(&ino).ok_or(Code::NotFound.into())
    }

    pub fn node_mut(&mut self, ino: Ino) -> Result<&mut Node> {
        self.nodes.get_mut(&ino).ok_or(Code::NotFound.into())
    }

    pub fn child(&self, parent: Ino, name: &[u8]) -> Result<Ino> {
        check_name(name)?;
        self.node(parent)?.directory()?.get(name).ok_or(Code::NotFound.into())
    }

    /// A directory that can take a new name: it exists, is not removed, and lacks the name.
    pub fn check_free(&self, parent: Ino, name: &[u8]) -> Result<()> {
        check_name(name)?;
        let node = self.node(parent)?;
        let directory = node.directory()?;
        if node.nlink == 0 {
            return Err(Code::NotFound.into());
        }
        if directory.get(name).is_some() {
            return Err(Code::Exists.into());
        }
        node.refuse(IMMUTABLE)
    }

    /// Makes a file in `parent`, under `name` if there is one. Looked up once.
    pub fn create(
        &mut self,
        parent: Ino,
        name: Option<&[u8]>,
        mode: u32,
        rdev: u32,
        body: Body,
        who: &Caller,
    ) -> Result<Attr> {
        let is_directory = matches!(body, Body::Directory(_));
        match name {
            Some(name) => self.check_free(parent, name)?,
            None => self.node(parent)?.directory().and(Ok(()))?,
        }
        if self.nodes.len() as u64 >= FILES_MAX {
            return Err(Code::CortexFull.into());
        }
        let ino = self.next;
        let home = self.node(parent)?;
        let mut made = node(ino, mode, body);
        made.rdev = rdev;
        made.uid = who.uid;
        made.gid = who.gid;
        // A set-group-id directory hands on its group, and to directories the bit (mkdir(2)).
        if home.mode & libc::S_ISGID != 0 {
            made.gid = home.gid;
            if is_directory {
                made.mode |= libc::S_ISGID;
            }
        }
        made.inherit_acl(home, who.umask);
        made.nlink = if is_directory { 2 } else { u32::from(name.is_some()) };
        let attr = made.looked_up();
        self.next += 1;
        self.nodes.insert(ino, made);
        if let Some(name) = name {
            let home = self.node_mut(parent)?;
            home.directory_mut()?.insert(name, ino);
            home.nlink += u32::from(is_directory);
            home.modified(false);
        }
        Ok(attr)
    }

    /// A file lost a name (a directory: its only one). It goes once nobody looks at it.
    pub fn lose_name(&mut self, ino: Ino) -> Result<()> {
        let node = self.node_mut(ino)?;
        node.nlink = if node.is_directory() { 0 } else { node.nlink.saturating_sub(1) };
        node.ctime = now();
        self.reap(ino);
        Ok(())
    }

    /// Frees a file without names and lookups.
    pub fn reap(&mut self, ino: Ino) {
        let Some(node) = self.nodes.get(&ino) else { return };
        if node.nlink == 0 && node.lookups.load(Relaxed) == 0 {
            if let Ok((_, content)) = node.regular() {
                self.used -= content.block_count();
            }
            self.nodes.remove(&ino);
        }
    }

    /// Changes a regular file's bytes by `change`, which adds at most `added` blocks.
    pub fn change_content<T>(
        &mut self,
        ino: Ino,
        added: u64,
        change: impl FnOnce(&mut u64, &mut Content) -> T,
    ) -> Result<T> {
        if added > self.capacity - self.used {
            return Err(Code::NoSpace.into());
        }
        let (size, content) = self.node_mut(ino)?.regular_mut()?;
        let before = content.block_count();
        let result = change(size, content);
        let after = content.block_count();
        self.used = self.used + after - before;
        Ok(result)
    }

    pub fn statfs(&self) -> StatFs {
        let free = self.capacity - self.used;
        let files = self.nodes.len() as u64;
        StatFs {
            blocks: self.capacity,
            bfree: free,
            bavail: free,
            files: FILES_MAX,
            ffree: FILES_MAX - files,
        }
    }
}

fn node(ino: Ino, mode: u32, body: Body) -> Node {
    let time = now();
    Node {
        ino,
        mode,
        nlink: 2,
        uid: 0,
        gid: 0,
        rdev: 0,
        flags: 0,
        atime: AtomicI64::new(time),
        mtime: time,
        ctime: time,
        btime: time,
        xattrs: BTreeMap::new(),
        body,
        lookups: AtomicU64::new(0),
    }
}

/// 1 to 255 bytes without NUL and `/`; `.` and `..` are no names of files.
pub fn check_name(name: &[u8]) -> Result<()> {
    if name.len() > 255 {
        return Err(Code::NameTooLong.into());
    }
    if name.is_empty() || name == b"." || name == b".." || name.iter().any(|&byte| byte == 0 || byte == b'/')
    {
        return Err(Code::InvalidArgument.into());
    }
    Ok(())
}

/// The longest symlink target, and the largest file: bytes.
pub const TARGET_MAX: usize = BLOCK_SIZE - 1;
pub const SIZE_MAX: u64 = i64::MAX as u64;
