//! Everything that a user may do with a volume: read it all, change it all, delete it all, and mount it again.

use hn4_core::base::Ino;
use hn4_core::device::testing::MemDevice;
use hn4_core::testing::{Rng, try_open};
use hn4_core::vfs::{Attr, Caller, FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE, FileSystem, Seek, SetAttr, Vfs};
use hn4_core::volume::{OpenOptions, Reporter};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Names that one visit looks at: a directory may lead to itself.
const NAMES_MAX: usize = 300;
/// Bytes that are read of a file at each of its ends.
const READ_MAX: usize = 1 << 16;

struct Seen {
    dir: Ino,
    name: Vec<u8>,
    attr: Attr,
}

/// Error: what the engine must not do, whatever the image says.
pub fn everything(image: MemDevice, seed: u64) -> Result<(), String> {
    let panicked = Arc::new(AtomicBool::new(false));
    let device = Arc::new(image);
    let options = |read_only| {
        let heard = panicked.clone();
        let reporter = Reporter::new(move |line| {
            heard.fetch_or(line.contains("panicked"), Ordering::Relaxed);
        });
        OpenOptions { read_only, sequential: seed % 3 == 0, reporter, ..OpenOptions::default() }
    };
    if let Ok((fs, _)) = try_open(device.clone(), options(true)) {
        let seen = walk(&fs);
        seen.iter().for_each(|file| look(&fs, file));
        forget(&fs, &seen);
        let _ = fs.shutdown();
    }
    let mut closed = false;
    if let Ok((fs, _)) = try_open(device.clone(), options(false)) {
        change(&fs, &mut Rng::new(seed ^ 0x5eed));
        closed = fs.shutdown().is_ok();
    }
    if panicked.load(Ordering::Relaxed) {
        return Err("a thread of the volume panicked".into());
    }
    if closed {
        // What the engine closed it has to open, for reading and for writing.
        for read_only in [true, false] {
            let opened = try_open(device.clone(), options(read_only));
            let (fs, report) = opened.map_err(|error| format!("does not open what it closed: {error}"))?;
            if report.replayed > 0 {
                return Err(format!("closed, and still {} records to replay", report.replayed));
            }
            walk(&fs);
            let _ = fs.shutdown();
        }
    }
    Ok(())
}

/// Names below the root, with a lookup of each.
fn walk(fs: &FileSystem) -> Vec<Seen> {
    let mut seen: Vec<Seen> = Vec::new();
    let mut directories = vec![1];
    while let Some(dir) = directories.pop() {
        let mut names = Vec::new();
        let _ = fs.readdir(dir, 0, false, &mut |entry| {
            names.push(entry.name.to_vec());
            names.len() < NAMES_MAX
        });
        let mut counted = Vec::new();
        let _ = fs.readdir(dir, 0, true, &mut |entry| {
            counted.extend(entry.attr.map(|attr| attr.ino));
            counted.len() < NAMES_MAX
        });
        counted.into_iter().for_each(|ino| fs.forget(ino, 1));
        if let Ok(up) = fs.lookup(dir, b"..") {
            fs.forget(up.ino, 1);
        }
        for name in names.into_iter().filter(|name| name != b"." && name != b"..") {
            if seen.len() >= NAMES_MAX {
                return seen;
            }
            if let Ok(attr) = fs.lookup(dir, &name) {
                let known = seen.iter().any(|file| file.attr.ino == attr.ino);
                if attr.mode & libc::S_IFMT == libc::S_IFDIR && !known {
                    directories.push(attr.ino);
                }
                seen.push(Seen { dir, name, attr });
            }
        }
    }
    seen
}

fn look(fs: &FileSystem, file: &Seen) {
    let Seen { attr, .. } = file;
    let mut buf = vec![0; READ_MAX];
    for at in [0, attr.size.saturating_sub(READ_MAX as u64), attr.size / 2] {
        let _ = fs.read(attr.ino, at, &mut buf);
        let _ = (fs.seek(attr.ino, at, Seek::Data), fs.seek(attr.ino, at, Seek::Hole));
    }
    let _ = (fs.readlink(attr.ino), fs.getattr(attr.ino), fs.statfs());
    for name in fs.listxattr(attr.ino).unwrap_or_default().split(|&byte| byte == 0) {
        let id = fs.getxattr(attr.ino, name);
        if name == b"user.hn4.public_id"
            && let (Ok(hidden), Ok(id)) = (fs.lookup(1, b".hn4"), id)
            && let Ok(ids) = fs.lookup(hidden.ino, b"id")
            && let Ok(link) = fs.lookup(ids.ino, &id)
        {
            let _ = fs.readlink(link.ino);
            fs.forget(link.ino, 1);
        }
    }
}

fn forget(fs: &FileSystem, seen: &[Seen]) {
    seen.iter().for_each(|file| fs.forget(file.attr.ino, 1));
}

/// Whether each call succeeds is the image's affair.
fn change(fs: &FileSystem, rng: &mut Rng) {
    let who = Caller::default();
    let seen = walk(fs);
    for (i, file) in seen.iter().enumerate() {
        look(fs, file);
        let Seen { dir, name, attr } = file;
        let ino = attr.ino;
        let other = &seen[rng.below(seen.len() as u64) as usize];
        let _ = match rng.below(12) {
            0 => fs.write(ino, 0, &[1; 5000], true).map(drop),
            1 => fs.write(ino, attr.size.min(1 << 40), &[2; 9000], false).map(drop),
            2 => fs.append(ino, &[3; 100], false).map(drop),
            3 => {
                let size = Some([0, 100, attr.size / 2, attr.size.saturating_add(1)][rng.below(4) as usize]);
                fs.setattr(ino, &SetAttr { size, ..SetAttr::default() }, &who).map(drop)
            }
            4 => fs.fallocate(ino, FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE, 4096, 1 << 20),
            5 => fs.fallocate(ino, 0, 0, 1 << 16),
            6 => fs.rename(*dir, name, other.dir, &other.name, rng.below(4) as u32),
            7 => fs.rename(*dir, name, other.attr.ino, b"below", 0),
            8 => fs.link(ino, other.dir, b"another").map(drop),
            9 => {
                fs.setxattr(ino, b"user.new", &[9; 700], 0).and_then(|()| fs.removexattr(ino, b"user.small"))
            }
            10 => fs.copy_range(other.attr.ino, 0, ino, 4096, 1 << 16).map(drop),
            _ => fs.setxattr(ino, b"user.hn4.public_id", format!("{i:032x}").as_bytes(), 0),
        };
        if attr.mode & libc::S_IFMT == libc::S_IFDIR {
            let _ = fs.mkdir(ino, b"new", 0o755, &who).map(|made| fs.forget(made.ino, 1));
            let _ = fs.symlink(ino, b"to", &[b'y'; 200], &who).map(|made| fs.forget(made.ino, 1));
        }
        if rng.chance(1, 8) {
            let _ = fs.fsync(ino, false);
        }
    }
    let _ = fs.syncfs();
    for file in walk(fs).iter().chain(&seen).rev() {
        let _ = fs.unlink(file.dir, &file.name).or_else(|_| fs.rmdir(file.dir, &file.name));
        fs.forget(file.attr.ino, 1);
        if rng.chance(1, 16) {
            let _ = fs.fsync(1, false);
        }
    }
    let _ = fs
        .mknod(1, b"last", libc::S_IFREG | 0o600, 0, &who)
        .map(|made| fs.write(made.ino, 0, &[1; 4096], false));
    let _ = fs.syncfs();
}
