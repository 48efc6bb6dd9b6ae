//! What a volume shows: every name, file and byte.

use super::{sequential, try_open};
use crate::base::Ino;
use crate::device::testing::{CountingDevice, MemDevice};
use crate::testing::codec_of;
use crate::vfs::{Attr, FileSystem, Vfs};
use crate::volume::OpenOptions;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A file as a reader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Without the time of access; the size of a directory is 0.
    pub attr: Attr,
    pub content: Arc<Vec<u8>>,
    pub target: Vec<u8>,
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// By path; the root's path is empty, the others begin with a slash.
pub type Tree = BTreeMap<String, Found>;

/// What a reader sees who may not write. Error: the volume does not open or read, or was written to.
pub fn read_only_tree(image: MemDevice) -> Result<Tree, String> {
    let device = Arc::new(CountingDevice::new(Arc::new(image)));
    let options = OpenOptions { read_only: true, codec: Some(codec_of), ..sequential() };
    let (fs, _) = try_open(device.clone(), options).map_err(|error| format!("does not open: {error}"))?;
    let tree = read_tree(&fs)?;
    fs.shutdown().map_err(|error| error.to_string())?;
    let counts = device.counts();
    if (counts.writes, counts.flushes, counts.discards) != (0, 0, 0) {
        return Err(format!("a read-only mount wrote: {counts:?}"));
    }
    Ok(tree)
}

/// Reads everything below the root. An error names the path.
pub fn read_tree(fs: &FileSystem) -> Result<Tree, String> {
    let mut tree = Tree::new();
    let mut seen: HashMap<Ino, Arc<Vec<u8>>> = HashMap::new();
    let mut directories = vec![(String::new(), 1)];
    fs.lookup(1, b".").map_err(|error| format!("/: {error}"))?;
    tree.insert(String::new(), read_file(fs, 1, &mut seen).map_err(|error| format!("/: {error}"))?);
    while let Some((path, ino)) = directories.pop() {
        let mut names = Vec::new();
        fs.readdir(ino, 0, false, &mut |entry| {
            names.push(entry.name.to_vec());
            true
        })
        .map_err(|error| format!("{path}/: {error}"))?;
        for name in names.iter().filter(|name| !matches!(name.as_slice(), b"." | b"..")) {
            let path = format!("{path}/{}", String::from_utf8_lossy(name));
            let wrong = |error| format!("{path}: {error}");
            let attr = fs.lookup(ino, name).map_err(wrong)?;
            let found = read_file(fs, attr.ino, &mut seen).map_err(wrong)?;
            if found.attr.mode & libc::S_IFMT == libc::S_IFDIR {
                directories.push((path.clone(), attr.ino));
            }
            if tree.insert(path.clone(), found).is_some() {
                return Err(format!("{path}: listed twice"));
            }
        }
    }
    Ok(tree)
}

fn read_file(fs: &FileSystem, ino: Ino, seen: &mut HashMap<Ino, Arc<Vec<u8>>>) -> crate::base::Result<Found> {
    let mut attr = fs.getattr(ino)?;
    attr.atime = 0;
    let kind = attr.mode & libc::S_IFMT;
    let content = match seen.get(&ino) {
        Some(content) => content.clone(),
        None if kind == libc::S_IFREG => Arc::new(read_all(fs, ino, attr.size)?),
        None => Arc::default(),
    };
    seen.insert(ino, content.clone());
    let target = if kind == libc::S_IFLNK { fs.readlink(ino)? } else { Vec::new() };
    let mut xattrs = BTreeMap::new();
    for name in fs.listxattr(ino)?.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        xattrs.insert(name.to_vec(), fs.getxattr(ino, name)?);
    }
    if kind == libc::S_IFDIR {
        attr.size = 0;
    }
    Ok(Found { attr, content, target, xattrs })
}

fn read_all(fs: &FileSystem, ino: Ino, size: u64) -> crate::base::Result<Vec<u8>> {
    let mut bytes = vec![0xee; size as usize];
    let mut done = 0;
    while done < bytes.len() {
        let end = (done + (1 << 20)).min(bytes.len());
        let n = fs.read(ino, done as u64, &mut bytes[done..end])?;
        if n == 0 {
            return Err(crate::base::Error::new(crate::base::Code::Io, "the file ends before its size"));
        }
        done += n;
    }
    Ok(bytes)
}
