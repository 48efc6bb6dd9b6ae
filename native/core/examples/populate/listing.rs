//! The list of all files: of the model, and of the volume as the engine reads it.

use crate::manifest::{Entry, add_block, escape, sorted};
use hn4_core::base::{AlignedBuf, BLOCK_SIZE, Code, Result};
use hn4_core::vfs::{Attr, Seek, Vfs};
use serde_json::Value;
use std::collections::BTreeMap;

const BLOCK: u64 = BLOCK_SIZE as u64;

/// A manifest, one file a line.
pub struct Manifest(Vec<Value>);

impl Manifest {
    pub fn new(entries: Vec<Value>) -> Manifest {
        Manifest(sorted(entries))
    }
}

impl std::fmt::Display for Manifest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lines: Vec<String> = self.0.iter().map(Value::to_string).collect();
        write!(f, "[\n{}\n]", lines.join(",\n"))
    }
}

/// Panics with the first difference.
pub fn demand_equal(expected: &Manifest, found: &Manifest) {
    for (a, b) in expected.0.iter().zip(&found.0) {
        assert_eq!(a, b, "the volume differs from the model");
    }
    assert_eq!(expected.0.len(), found.0.len(), "files of model and volume");
}

/// All files that have a name, as the engine reads them.
pub fn of_volume(fs: &dyn Vfs) -> Result<Manifest> {
    let mut entries = Vec::new();
    let mut open = vec![(1, Vec::new())];
    while let Some((directory, path)) = open.pop() {
        let mut found = Vec::new();
        fs.readdir(directory, 0, false, &mut |e| {
            found.push((e.name.to_vec(), e.ino));
            true
        })?;
        for (name, ino) in found.into_iter().filter(|(name, _)| name != b"." && name != b"..") {
            let attr = fs.lookup(directory, &name)?;
            assert_eq!(attr.ino, ino, "readdir and lookup of {}", escape(&name));
            let path = [&path[..], b"/", &name].concat();
            entries.push(read_entry(fs, &path, &attr)?);
            if attr.mode & libc::S_IFMT == libc::S_IFDIR {
                open.push((ino, path));
            }
            fs.forget(ino, 1);
        }
    }
    Ok(Manifest::new(entries))
}

/// A file as the volume, or the model, shows it.
pub fn read_entry(fs: &dyn Vfs, path: &[u8], attr: &Attr) -> Result<Value> {
    let mut xattrs = BTreeMap::new();
    for name in fs.listxattr(attr.ino)?.split(|&b| b == 0).filter(|name| !name.is_empty()) {
        xattrs.insert(name.to_vec(), fs.getxattr(attr.ino, name)?);
    }
    let kind = attr.mode & libc::S_IFMT;
    let target = if kind == libc::S_IFLNK { Some(fs.readlink(attr.ino)?) } else { None };
    let content = if kind == libc::S_IFREG { sum_content(fs, attr.ino)? } else { 0 };
    Ok(Entry { path, attr, content, target: target.as_deref(), xattrs: &xattrs }.json())
}

fn sum_content(fs: &dyn Vfs, ino: u64) -> Result<u32> {
    let mut sum = 0;
    let mut at = 0;
    let mut buf = AlignedBuf::zeroed(1);
    loop {
        at = match fs.seek(ino, at, Seek::Data) {
            Ok(found) => found / BLOCK * BLOCK,
            Err(error) if error.code == Code::NoSeekTarget => return Ok(sum),
            Err(error) => return Err(error),
        };
        buf.fill(0);
        fs.read(ino, at, &mut buf)?;
        sum = add_block(sum, at / BLOCK, &buf);
        at += BLOCK;
    }
}
