//! The device cannot read: metadata comes from its other copy, where there is one; without, the caller
//! gets the error, and the volume goes on. Nothing that a failed read touched is changed by it.

use crate::rig::{open, options, record};
use crate::workloads::{bytes, cases};
use hn4_core::base::{BLOCK_SIZE, BlockNumber, Code, Result};
use hn4_core::device::Device;
use hn4_core::device::testing::{Fault, FaultDevice, MemDevice, Op, When};
use hn4_core::format::layout::{DIRECTORY_MAGIC, DirBlock};
use hn4_core::testing::{FormatOptions, Rng, check_volume, format_volume, read_block, read_only_tree};
use hn4_core::vfs::{Attr, Caller, FileSystem, Vfs};
use hn4_core::volume::{OpenOptions, Reporter};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// Writes down the blocks of each read.
struct Reads {
    inner: Arc<MemDevice>,
    seen: Mutex<BTreeSet<(u64, u64)>>,
}

impl Device for Reads {
    fn block_count(&self) -> u64 {
        self.inner.block_count()
    }
    fn read(&self, at: BlockNumber, buf: &mut [u8]) -> Result<()> {
        self.seen.lock().unwrap().insert((at.0, (buf.len() / BLOCK_SIZE) as u64));
        self.inner.read(at, buf)
    }
    fn write(&self, at: BlockNumber, buf: &[u8]) -> Result<()> {
        self.inner.write(at, buf)
    }
    fn write_vectored(&self, at: BlockNumber, bufs: &[&[u8]]) -> Result<()> {
        self.inner.write_vectored(at, bufs)
    }
    fn flush(&self) -> Result<()> {
        self.inner.flush()
    }
    fn discard(&self, at: BlockNumber, count: u64) -> Result<()> {
        self.inner.discard(at, count)
    }
    fn read_only(&self) -> bool {
        false
    }
}

/// No page and no file stays in memory.
fn forgetful(read_only: bool) -> OpenOptions {
    OpenOptions { read_only, cached_pages: 0, cached_inodes: 0, ..options(true) }
}

/// What a life of a workload leaves, closed.
fn closed(name: &str) -> MemDevice {
    let case = cases().into_iter().find(|case| case.name == name).unwrap();
    let run = record(&case.setup, case.run, 2);
    run.trace.image(&run.base, run.trace.events.len())
}

type Shown = (Attr, BTreeMap<Vec<u8>, Vec<u8>>, Vec<u8>);

/// Everything but the bytes of files: names, attributes, targets, extended attributes.
fn metadata(fs: &FileSystem) -> Result<BTreeMap<Vec<u8>, Shown>> {
    let mut all = BTreeMap::new();
    let mut directories = vec![(Vec::new(), fs.lookup(1, b".")?.ino)];
    while let Some((path, ino)) = directories.pop() {
        let mut names = Vec::new();
        fs.readdir(ino, 0, false, &mut |entry| {
            names.push(entry.name.to_vec());
            true
        })?;
        for name in names.iter().filter(|name| !matches!(name.as_slice(), b"." | b"..")) {
            let path = [&path[..], b"/", name].concat();
            let attr = fs.lookup(ino, name)?;
            let mut xattrs = BTreeMap::new();
            let shown: Result<Shown> = (|| {
                for name in fs.listxattr(attr.ino)?.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
                    xattrs.insert(name.to_vec(), fs.getxattr(attr.ino, name)?);
                }
                let link = attr.mode & libc::S_IFMT == libc::S_IFLNK;
                Ok((attr, xattrs, if link { fs.readlink(attr.ino)? } else { Vec::new() }))
            })();
            if attr.mode & libc::S_IFMT == libc::S_IFDIR {
                directories.push((path.clone(), attr.ino));
            } else {
                fs.forget(attr.ino, 1);
            }
            all.insert(path, shown?);
        }
        fs.forget(ino, 1);
    }
    Ok(all)
}

/// The blocks that opening the volume, and `look`, read.
pub fn blocks_read(image: &MemDevice, look: impl FnOnce(&FileSystem)) -> Vec<u64> {
    let device = Arc::new(Reads { inner: Arc::new(image.snapshot()), seen: Mutex::default() });
    let (fs, _) = open(device.clone(), forgetful(true)).unwrap();
    look(&fs);
    fs.shutdown().unwrap();
    let blocks: BTreeSet<u64> =
        device.seen.lock().unwrap().iter().flat_map(|(at, count)| *at..at + count).collect();
    blocks.into_iter().collect()
}

/// Those that all metadata takes.
fn metadata_blocks(image: &MemDevice) -> Vec<u64> {
    blocks_read(image, |fs| drop(metadata(fs).unwrap()))
}

/// Each block of metadata in turn can never be read again: with two copies nobody notices.
#[test]
fn an_unreadable_block_of_metadata_is_read_from_the_other_copy() {
    for name in ["mixed", "trees", "xattrs"] {
        let image = closed(name);
        let (fs, _) = open(Arc::new(image.snapshot()), forgetful(true)).unwrap();
        let expected = metadata(&fs).unwrap();
        fs.shutdown().unwrap();
        let blocks = metadata_blocks(&image);
        assert!(blocks.len() > 50, "{name}: {} blocks read", blocks.len());
        for block in blocks {
            let what = format!("{name}, block {block}");
            let device = Arc::new(FaultDevice::new(Arc::new(image.snapshot())));
            device.add(Op::Read, When::Blocks(block..block + 1), Fault::Eio);
            let (fs, _) = open(device, forgetful(true)).unwrap_or_else(|error| panic!("{what}: {error}"));
            let shown = metadata(&fs).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert!(shown == expected, "{what}: shows something else");
            fs.shutdown().unwrap();
        }
    }
}

/// Each block of metadata in turn cannot be read while a writer goes over everything; then it can again.
fn unreadable_for_a_while(name: &str, dup: bool) {
    let image = closed(name);
    let before = read_only_tree(image.snapshot()).unwrap();
    let (mut errors, mut stopped, mut runs) = (0, 0, 0);
    let mut rng = Rng::new(4);
    let share = if std::env::var_os("HN4_LONG").is_some() { 1 } else { 4 };
    let (fs, _) = open(Arc::new(image.snapshot()), forgetful(true)).unwrap();
    let expected = metadata(&fs).unwrap();
    fs.shutdown().unwrap();
    for block in metadata_blocks(&image) {
        if !rng.chance(1, share) {
            continue;
        }
        let what = format!("{name}, block {block}");
        let memory = Arc::new(image.snapshot());
        let device = Arc::new(FaultDevice::new(memory.clone()));
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let said = lines.clone();
        let reporter = Reporter::new(move |line| said.lock().unwrap().push(line.to_string()));
        let with = OpenOptions { reporter, ..forgetful(false) };
        let (fs, _) = open(device.clone(), with).unwrap();
        device.add(Op::Read, When::Blocks(block..block + 1), Fault::Eio);
        let shown = metadata(&fs);
        let written = write_a_little(&fs, block);
        for error in [shown.as_ref().err(), written.as_ref().err()].into_iter().flatten() {
            assert!(!dup, "{what}: {error}, though there is another copy");
            assert!(matches!(error.code, Code::Io | Code::DataDamaged | Code::Corrupt), "{what}: {error}");
            errors += 1;
        }
        if let Ok(shown) = shown {
            assert!(shown == expected, "{what}: shows something else");
        }
        device.clear();
        let later = metadata(&fs).unwrap_or_else(|error| panic!("{what}, later: {error}"));
        assert!(expected.iter().all(|(path, shown)| later.get(path) == Some(shown)), "{what}, later");
        // A commit that could not read what it needs has stopped the volume; a caller's read never does.
        let stops = lines.lock().unwrap().iter().filter(|line| line.contains("read-only")).count();
        assert!(stops == 0 || stops == 1 && written.is_err() && !dup, "{what}: {lines:?}");
        let more = write_a_little(&fs, block + 1);
        let closed = fs.shutdown();
        if stops == 0 {
            more.unwrap_or_else(|error| panic!("{what}, later: {error}"));
            closed.unwrap_or_else(|error| panic!("{what}, closing: {error}"));
        } else {
            assert!(more.is_err() && closed.is_err(), "{what}: stopped, yet it writes");
            stopped += 1;
            drop(fs);
            let (fs, _) =
                open(memory.clone(), options(true)).unwrap_or_else(|error| panic!("{what}: {error}"));
            fs.shutdown().unwrap_or_else(|error| panic!("{what}, closed: {error}"));
        }
        check_volume(&*memory).unwrap_or_else(|all| panic!("{what}: {}", all.join("; ")));
        let mut after = read_only_tree(memory.snapshot()).unwrap();
        after.retain(|path, _| !path.starts_with("/little"));
        after.insert(String::new(), before[""].clone());
        assert!(after == before, "{what}: other files changed");
        runs += 1;
    }
    println!("{name}: {runs} unreadable blocks, {errors} calls failed, {stopped} commits");
    assert!(dup || errors > stopped, "no caller met an error");
}

/// A new file, written, synced, and another removed.
fn write_a_little(fs: &FileSystem, seed: u64) -> Result<()> {
    let (who, name) = (Caller::default(), format!("little-{seed}"));
    let ino = match fs.mknod(1, name.as_bytes(), libc::S_IFREG | 0o600, 0, &who) {
        Err(error) if error.code == Code::Exists => fs.lookup(1, name.as_bytes())?.ino,
        made => made?.ino,
    };
    fs.write(ino, 0, &bytes(&mut Rng::new(seed), 10_000), false)?;
    fs.fsync(ino, false)?;
    fs.setxattr(ino, b"user.little", &[1; 300], 0)?;
    fs.forget(ino, 1);
    Ok(())
}

#[test]
fn an_unreadable_block_of_two_copies_is_nobodys_error() {
    unreadable_for_a_while("mixed", true);
}

#[test]
fn an_unreadable_block_of_one_copy_is_its_callers_error_and_the_volume_goes_on() {
    unreadable_for_a_while("single", false);
}

/// The blocks that wait to be placed anew go away before the commit.
#[test]
fn a_directory_read_from_its_other_copy_can_be_emptied_and_removed() {
    let memory = Arc::new(MemDevice::new(4096));
    format_volume(&*memory, &FormatOptions::new(4096)).unwrap();
    let who = Caller::default();
    let (fs, _) = open(memory.clone(), options(true)).unwrap();
    let dir = fs.mkdir(1, b"d", 0o700, &who).unwrap().ino;
    for i in 0..300 {
        fs.mknod(dir, format!("a-name-that-is-rather-long-{i}").as_bytes(), libc::S_IFREG, 0, &who).unwrap();
    }
    fs.shutdown().unwrap();
    drop(fs);
    for nth in 0..12 {
        let image = Arc::new(memory.snapshot());
        let device = Arc::new(FaultDevice::new(image.clone()));
        let (fs, _) = open(device.clone(), options(true)).unwrap();
        let dir = fs.lookup(1, b"d").unwrap().ino;
        device.add(Op::Read, When::Nth(nth), Fault::Eio);
        for i in 0..300 {
            fs.unlink(dir, format!("a-name-that-is-rather-long-{i}").as_bytes()).unwrap();
        }
        device.clear();
        fs.rmdir(1, b"d").unwrap();
        fs.syncfs().unwrap_or_else(|error| panic!("read {nth}: {error}"));
        fs.shutdown().unwrap();
        assert_eq!(read_only_tree(image.snapshot()).unwrap().len(), 1);
        check_volume(&*image).unwrap_or_else(|all| panic!("read {nth}: {}", all.join("; ")));
    }
}

/// A whole directory lost one of its copies, and the next commit would place all of it anew, with little
/// room for that.
#[test]
fn a_directory_without_its_first_copies_is_healed_also_on_a_full_volume() {
    for fill in [false, true] {
        let memory = Arc::new(MemDevice::new(4096));
        let format = FormatOptions { log_blocks: Some(256), ..FormatOptions::new(4096) };
        format_volume(&*memory, &format).unwrap();
        let who = Caller::default();
        let (fs, _) = open(memory.clone(), options(true)).unwrap();
        let dir = fs.mkdir(1, b"d", 0o700, &who).unwrap().ino;
        let long = "a-long-name".repeat(20);
        for i in 0..600 {
            fs.symlink(dir, format!("{long}-{i}").as_bytes(), b"x", &who).unwrap();
        }
        if fill {
            let ino = fs.mknod(1, b"filler", libc::S_IFREG | 0o600, 0, &who).unwrap().ino;
            let block = vec![7; BLOCK_SIZE];
            while fs.append(ino, &block, false).is_ok() {}
        }
        fs.shutdown().unwrap();
        drop(fs);
        let reads = Arc::new(Reads { inner: memory.clone(), seen: Mutex::default() });
        let (fs, _) = open(reads.clone(), options(true)).unwrap();
        let list = |fs: &FileSystem| {
            let dir = fs.lookup(1, b"d").unwrap().ino;
            let mut count = 0;
            fs.readdir(dir, 0, false, &mut |_| {
                count += 1;
                true
            })
            .map(|()| count)
        };
        fs.lookup(1, b"d").unwrap();
        reads.seen.lock().unwrap().clear();
        assert_eq!(list(&fs).unwrap(), 602);
        // Pages come with them.
        let seen = std::mem::take(&mut *reads.seen.lock().unwrap());
        let mut blocks: Vec<u64> = seen.into_iter().flat_map(|(at, count)| at..at + count).collect();
        blocks.retain(|at| {
            let head = DirBlock::decode(&read_block(&memory, BlockNumber(*at)));
            head.is_some_and(|head| u64::from(head.magic) == DIRECTORY_MAGIC)
        });
        assert!(blocks.len() > 30, "{} blocks", blocks.len());
        fs.shutdown().unwrap();
        drop(fs);
        let device = Arc::new(FaultDevice::new(memory.clone()));
        let (fs, _) = open(device.clone(), options(true)).unwrap();
        for &block in &blocks {
            device.add(Op::Read, When::Blocks(block..block + 1), Fault::Eio);
        }
        assert_eq!(list(&fs).unwrap(), 602);
        device.clear();
        let dir = fs.lookup(1, b"d").unwrap().ino;
        fs.unlink(dir, format!("{long}-5").as_bytes()).unwrap();
        fs.syncfs().unwrap_or_else(|error| panic!("full {fill}: {error}"));
        fs.shutdown().unwrap_or_else(|error| panic!("full {fill}: {error}"));
        check_volume(&*memory).unwrap_or_else(|all| panic!("full {fill}: {}", all.join("; ")));
    }
}
