//! What is left of a damaged volume: every name that is listed, and of each file what can be read.

use crate::manifest::{add_block, escape};
use hn4_core::base::{AlignedBuf, BLOCK_SIZE};
use hn4_core::vfs::{Attr, Vfs};
use serde_json::{Value, json};

const BLOCK: u64 = BLOCK_SIZE as u64;
/// Sparse files that are larger are not read.
const SIZE_MAX: u64 = 16 << 20;

/// A file, in a line: null where nothing is left.
/// - `file`: its anchor is there;
/// - `listed`: all blocks of the directory are there;
/// - `bytes`, `sum`: of what can be read; `lost`: blocks that cannot; not of files of more than [`SIZE_MAX`];
/// - `target`: of a symlink.
pub fn of_volume(fs: &dyn Vfs) -> Vec<Value> {
    let mut lines = Vec::new();
    let mut open = vec![(1, Vec::new())];
    while let Some((directory, path)) = open.pop() {
        let (names, is_whole) = list(fs, directory);
        lines.push(json!({ "path": format!("{}/", escape(&path)), "listed": is_whole }));
        for (name, ino) in names {
            let path = [&path[..], b"/", &name].concat();
            let Ok(attr) = fs.lookup(directory, &name) else {
                lines.push(json!({ "path": escape(&path), "file": false }));
                continue;
            };
            lines.push(line(fs, &escape(&path), &attr));
            if attr.mode & libc::S_IFMT == libc::S_IFDIR {
                open.push((ino, path));
            }
        }
    }
    lines.sort_by_key(|line| line["path"].as_str().map(str::to_owned));
    lines
}

/// The names, and whether all are there.
fn list(fs: &dyn Vfs, directory: u64) -> (Vec<(Vec<u8>, u64)>, bool) {
    let (mut names, mut at) = (Vec::new(), 0);
    loop {
        let before = at;
        let listed = fs.readdir(directory, at, false, &mut |entry| {
            if entry.name != b"." && entry.name != b".." {
                names.push((entry.name.to_vec(), entry.ino));
            }
            at = entry.cookie;
            true
        });
        if at == before {
            return (names, listed.is_ok());
        }
    }
}

fn line(fs: &dyn Vfs, path: &str, attr: &Attr) -> Value {
    match attr.mode & libc::S_IFMT {
        libc::S_IFREG if attr.size <= SIZE_MAX => content(fs, path, attr),
        libc::S_IFLNK => {
            let target = fs.readlink(attr.ino).ok().map(|target| escape(&target));
            json!({ "path": path, "file": true, "target": target })
        }
        _ => json!({ "path": path, "file": true }),
    }
}

fn content(fs: &dyn Vfs, path: &str, attr: &Attr) -> Value {
    let (mut sum, mut bytes, mut lost) = (0, 0, 0);
    let mut buf = AlignedBuf::zeroed(1);
    for index in 0..attr.size.div_ceil(BLOCK) {
        buf.fill(0);
        match fs.read(attr.ino, index * BLOCK, &mut buf) {
            Ok(count) => {
                bytes += count;
                sum = add_block(sum, index, &buf);
            }
            Err(_) => lost += 1,
        }
    }
    json!({ "path": path, "file": true, "bytes": bytes, "lost": lost, "sum": sum })
}
