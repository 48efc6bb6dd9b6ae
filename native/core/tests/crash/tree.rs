//! What a volume shows: every name, file and byte.

use crate::manifest::{Entry, add_block, sorted};
use hn4_core::base::{BLOCK_SIZE, Ino};
use hn4_core::vfs::{Attr, FileSystem, Vfs};
use serde_json::Value;
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

fn read_file(
    fs: &FileSystem,
    ino: Ino,
    seen: &mut HashMap<Ino, Arc<Vec<u8>>>,
) -> hn4_core::base::Result<Found> {
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

/// The tree as the TypeScript reader must find it (test/support/engine.ts), the root with an empty path.
pub fn manifest_of(tree: &Tree) -> Vec<Value> {
    let entry = |(path, found): (&String, &Found)| {
        let is = |kind| found.attr.mode & libc::S_IFMT == kind;
        Entry {
            path: path.as_bytes(),
            attr: &found.attr,
            content: if is(libc::S_IFREG) { sum_of(&found.content) } else { 0 },
            target: is(libc::S_IFLNK).then_some(&found.target),
            xattrs: &found.xattrs,
        }
        .json()
    };
    sorted(tree.iter().map(entry).collect())
}

fn sum_of(content: &[u8]) -> u32 {
    let mut sum = 0;
    for (index, bytes) in content.chunks(BLOCK_SIZE).enumerate() {
        let mut block = [0; BLOCK_SIZE];
        block[..bytes.len()].copy_from_slice(bytes);
        sum = add_block(sum, index as u64, &block);
    }
    sum
}

fn read_all(fs: &FileSystem, ino: Ino, size: u64) -> hn4_core::base::Result<Vec<u8>> {
    let mut bytes = vec![0xee; size as usize];
    let mut done = 0;
    while done < bytes.len() {
        let end = (done + (1 << 20)).min(bytes.len());
        let n = fs.read(ino, done as u64, &mut bytes[done..end])?;
        if n == 0 {
            return Err(hn4_core::base::Error::new(
                hn4_core::base::Code::Io,
                "the file ends before its size",
            ));
        }
        done += n;
    }
    Ok(bytes)
}
