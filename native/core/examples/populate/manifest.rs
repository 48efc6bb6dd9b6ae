//! The list of all files: of the model, and of the volume as the engine reads it.

use crate::model::{Node, add_block};
use hn4_core::base::{AlignedBuf, BLOCK_SIZE, Code, Result};
use hn4_core::vfs::{Attr, FileSystem, Seek, Vfs};
use serde_json::{Value, json};

const BLOCK: u64 = BLOCK_SIZE as u64;

/// Bytes as text: printable ASCII but `%` as it is, others as %XX.
pub fn escape(bytes: &[u8]) -> String {
    let shown = |&b: &u8| match b {
        b' '..=b'~' if b != b'%' => char::from(b).to_string(),
        _ => format!("%{b:02x}"),
    };
    bytes.iter().map(shown).collect()
}

fn sum_of(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes)
}

/// One file of the manifest. Times of the engine are nanoseconds: text, for JSON numbers are doubles.
pub fn entry(path: &[u8], attr: &Attr, node: &Node, content: u32) -> Value {
    let xattrs: Vec<Value> =
        node.xattrs.iter().map(|(name, value)| json!([escape(name), value.len(), sum_of(value)])).collect();
    json!({
        "path": escape(path),
        "mode": node.mode,
        "uid": node.uid,
        "gid": node.gid,
        "rdev": node.rdev,
        "nlink": attr.nlink,
        "size": node.size.to_string(),
        "mtime": node.mtime.unwrap_or(attr.mtime).to_string(),
        "content": content,
        "target": node.target.as_deref().map(escape),
        "xattrs": xattrs,
    })
}

/// A manifest, one file a line.
pub struct Manifest(Vec<Value>);

impl Manifest {
    pub fn new(mut entries: Vec<Value>) -> Manifest {
        entries.sort_by(|a, b| a["path"].as_str().cmp(&b["path"].as_str()));
        Manifest(entries)
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
pub fn of_volume(fs: &FileSystem) -> Result<Manifest> {
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
            let (node, content) = read_node(fs, &attr)?;
            entries.push(entry(&path, &attr, &node, content));
            if node.is(libc::S_IFDIR) {
                open.push((ino, path));
            }
            fs.forget(ino, 1);
        }
    }
    Ok(Manifest::new(entries))
}

pub fn read_node(fs: &FileSystem, attr: &Attr) -> Result<(Node, u32)> {
    let mut node = Node {
        mode: attr.mode,
        uid: attr.uid,
        gid: attr.gid,
        rdev: attr.rdev,
        size: attr.size,
        ..Node::default()
    };
    for name in fs.listxattr(attr.ino)?.split(|&b| b == 0).filter(|name| !name.is_empty()) {
        node.xattrs.insert(name.to_vec(), fs.getxattr(attr.ino, name)?);
    }
    if node.is(libc::S_IFLNK) {
        node.target = Some(fs.readlink(attr.ino)?);
    }
    let content = if node.is(libc::S_IFREG) { sum_content(fs, attr.ino)? } else { 0 };
    if node.is(libc::S_IFDIR) {
        node.size = 0;
    }
    Ok((node, content))
}

fn sum_content(fs: &FileSystem, ino: u64) -> Result<u32> {
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
