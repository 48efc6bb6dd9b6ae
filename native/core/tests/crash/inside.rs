//! An error at each read inside an operation, in turn: the operation fails and has changed nothing, or it
//! succeeds; the volume goes on either way, and no other file notices. Every operation meets a cold cache.

use crate::rig::{open, options};
use crate::workloads::bytes;
use hn4_core::base::{BLOCK_SIZE, Code, Result};
use hn4_core::device::testing::{Fault, FaultDevice, MemDevice, Op, When};
use hn4_core::testing::{FormatOptions, Rng, Tree, check_volume, formatted, read_only_tree, read_tree};
use hn4_core::vfs::{Caller, FileSystem, SetAttr, Vfs};
use hn4_core::volume::{OpenOptions, Reporter};
use std::sync::{Arc, Mutex};

const BLOCK: u64 = BLOCK_SIZE as u64;
/// Faults of each kind that an operation meets, if it reads so often.
const FAULTS: u64 = 12;

type Work = fn(&FileSystem) -> Result<()>;

/// An operation, and the files whose content may be partly new when it fails.
struct Case {
    name: &'static str,
    run: Work,
    partly: &'static [&'static str],
    /// It ends with a commit, in which a failed read stops the volume.
    commits: bool,
}

fn case(name: &'static str, run: Work) -> Case {
    Case { name, run, partly: &[], commits: false }
}

/// Looked up, and held: a file that nobody holds leaves memory at once here.
fn ino(fs: &FileSystem, path: &str) -> Result<u64> {
    path.split('/').filter(|part| !part.is_empty()).try_fold(1, |dir, part| {
        let found = fs.lookup(dir, part.as_bytes())?.ino;
        if dir != 1 {
            fs.forget(dir, 1);
        }
        Ok(found)
    })
}

fn truncate(fs: &FileSystem, path: &str, size: u64) -> Result<()> {
    let set = SetAttr { size: Some(size), ..SetAttr::default() };
    fs.setattr(ino(fs, path)?, &set, &Caller::default()).map(drop)
}

/// Removes a file and lets the commit thread free what it owned.
fn unlink(fs: &FileSystem, dir: &str, name: &str) -> Result<()> {
    fs.unlink(ino(fs, dir)?, name.as_bytes())?;
    fs.syncfs()?;
    fs.syncfs()
}

const KEEP_SIZE: u32 = 1;
const PUNCH: u32 = 2 | KEEP_SIZE;
const ZERO: u32 = 16;

fn cases() -> Vec<Case> {
    vec![
        case("truncate a dense file", |fs| truncate(fs, "/dense", 1000)),
        case("truncate a file with segments", |fs| truncate(fs, "/moved", 60 * BLOCK + 5)),
        case("truncate a file with capabilities", |fs| truncate(fs, "/attrs", 10)),
        case("truncate a sparse file", |fs| truncate(fs, "/sparse", 700 * BLOCK + 1)),
        case("truncate to nothing", |fs| truncate(fs, "/sparse", 0)),
        case("grow", |fs| truncate(fs, "/dense", 5_000_000)),
        case("write over", |fs| fs.write(ino(fs, "/moved")?, 7000, &[9; 9000], false).map(drop)),
        case("write with capabilities", |fs| fs.write(ino(fs, "/attrs")?, 5, &[9; 9000], false).map(drop)),
        case("punch a sparse file", |fs| fs.fallocate(ino(fs, "/sparse")?, PUNCH, 100, 800 * BLOCK)),
        case("punch a file with segments", |fs| fs.fallocate(ino(fs, "/moved")?, PUNCH, 9000, 90 * BLOCK)),
        Case {
            partly: &["/moved"],
            ..case("zero", |fs| fs.fallocate(ino(fs, "/moved")?, ZERO, 9000, 90 * BLOCK))
        },
        Case {
            partly: &["/sparse"],
            ..case("fallocate", |fs| fs.fallocate(ino(fs, "/sparse")?, KEEP_SIZE, 0, 60 * BLOCK))
        },
        Case { commits: true, ..case("unlink a dense file", |fs| unlink(fs, "/", "dense")) },
        Case { commits: true, ..case("unlink a file with segments", |fs| unlink(fs, "/", "moved")) },
        Case { commits: true, ..case("unlink a sparse file", |fs| unlink(fs, "/", "sparse")) },
        Case { commits: true, ..case("unlink a file with attributes", |fs| unlink(fs, "/", "attrs")) },
        Case { commits: true, ..case("unlink a file with an id", |fs| unlink(fs, "/", "known")) },
        case("unlink among many", |fs| fs.unlink(ino(fs, "/many")?, b"name-of-some-length-77")),
        Case {
            commits: true,
            ..case("rename over", |fs| {
                fs.rename(ino(fs, "/many")?, b"name-of-some-length-5", 1, b"moved", 0)?;
                fs.syncfs()?;
                fs.syncfs()
            })
        },
        case("rename", |fs| {
            fs.rename(ino(fs, "/many")?, b"name-of-some-length-6", ino(fs, "/few")?, b"new", 0)
        }),
        case("exchange", |fs| fs.rename(ino(fs, "/many")?, b"name-of-some-length-7", 1, b"few", 2)),
        case("set an attribute", |fs| fs.setxattr(ino(fs, "/dense")?, b"user.a", &[1; 700], 0)),
        case("replace an attribute", |fs| fs.setxattr(ino(fs, "/attrs")?, b"user.long", &[1; 9000], 0)),
        case("remove an attribute", |fs| fs.removexattr(ino(fs, "/attrs")?, b"user.long")),
        case("chown", |fs| {
            let set = SetAttr { uid: Some(5), mode: Some(0o640), ..SetAttr::default() };
            fs.setattr(ino(fs, "/attrs")?, &set, &Caller::default()).map(drop)
        }),
        case("set an id", |fs| fs.setxattr(ino(fs, "/known")?, b"user.hn4.public_id", &[b'7'; 32], 0)),
        case("mkdir", |fs| fs.mkdir(ino(fs, "/many")?, b"new", 0o755, &Caller::default()).map(drop)),
        case("mknod below a default list", |fs| {
            let mode = libc::S_IFREG | 0o644;
            fs.mknod(ino(fs, "/listed")?, b"new", mode, 0, &Caller::default()).map(drop)
        }),
        case("symlink", |fs| {
            fs.symlink(ino(fs, "/many")?, b"new", &[b'x'; 900], &Caller::default()).map(drop)
        }),
        case("link", |fs| fs.link(ino(fs, "/dense")?, ino(fs, "/many")?, b"new").map(drop)),
        case("rmdir", |fs| fs.rmdir(1, b"empty")),
        Case {
            partly: &["/dense"],
            ..case("copy", |fs| {
                fs.copy_range(ino(fs, "/moved")?, 5000, ino(fs, "/dense")?, 300 * BLOCK - 7, 70 * BLOCK)
                    .map(drop)
            })
        },
    ]
}

/// The lists of a directory that hands an access list down: u:5:rwx, as setfacl stores it.
fn default_list() -> Vec<u8> {
    let entries: [(u16, u16, u32); 5] =
        [(1, 7, u32::MAX), (2, 7, 5), (4, 5, u32::MAX), (16, 7, u32::MAX), (32, 5, u32::MAX)];
    let mut value = 2u32.to_le_bytes().to_vec();
    for (tag, perm, id) in entries {
        value.extend(tag.to_le_bytes());
        value.extend(perm.to_le_bytes());
        value.extend(id.to_le_bytes());
    }
    value
}

/// A closed volume with files of every kind.
fn prepared(dup: bool) -> Result<Arc<MemDevice>> {
    let memory = formatted(&FormatOptions { dup, ..FormatOptions::smallest_log(16384) });
    let (fs, _) = open(memory.clone(), options(true)).expect("a new volume opens");
    let (who, mut rng) = (Caller::default(), Rng::new(7));
    let file = |name: &str| fs.mknod(1, name.as_bytes(), libc::S_IFREG | 0o644, 0, &who).map(|attr| attr.ino);
    let dense = file("dense")?;
    fs.write(dense, 0, &bytes(&mut rng, 300 * BLOCK + 77), false)?;
    let moved = file("moved")?;
    fs.write(moved, 0, &bytes(&mut rng, 150 * BLOCK), false)?;
    let sparse = file("sparse")?;
    for at in [0, 1, 30, 700, 701, 900] {
        fs.write(sparse, at * BLOCK, &bytes(&mut rng, BLOCK), false)?;
    }
    fs.syncfs()?;
    // Overwrites that find home and shell 1 taken end in the area and, moved out of it, in segments.
    for round in 0..6 {
        for index in (round % 3..150).step_by(3) {
            fs.write(moved, index * BLOCK, &bytes(&mut rng, BLOCK), false)?;
        }
        fs.syncfs()?;
    }
    let attrs = file("attrs")?;
    fs.write(attrs, 0, &bytes(&mut rng, 5 * BLOCK), false)?;
    fs.setxattr(attrs, b"user.long", &bytes(&mut rng, 3000), 0)?;
    fs.setxattr(attrs, b"security.capability", &[1; 20], 0)?;
    fs.setxattr(attrs, b"system.posix_acl_access", &default_list(), 0)?;
    let known = file("known")?;
    fs.setxattr(known, b"user.hn4.public_id", &[b'1'; 32], 0)?;
    let other = file("other")?;
    fs.write(other, 0, &bytes(&mut rng, 120 * BLOCK), false)?;
    fs.setxattr(other, b"user.other", &bytes(&mut rng, 600), 0)?;
    let many = fs.mkdir(1, b"many", 0o755, &who)?.ino;
    for i in 0..300 {
        let name = format!("name-of-some-length-{i}");
        fs.mknod(many, name.as_bytes(), libc::S_IFREG | 0o600, 0, &who)?;
    }
    fs.mkdir(1, b"few", 0o755, &who)?;
    fs.mkdir(1, b"empty", 0o755, &who)?;
    let listed = fs.mkdir(1, b"listed", 0o755, &who)?.ino;
    fs.setxattr(listed, b"system.posix_acl_default", &default_list(), 0)?;
    fs.shutdown()?;
    check_volume(&*memory).expect("a sound volume");
    Ok(memory)
}

/// A tree without its times, and without the counts of blocks, which the next commit may change.
fn timeless(mut tree: Tree) -> Tree {
    for found in tree.values_mut() {
        (found.attr.mtime, found.attr.ctime, found.attr.btime, found.attr.blocks) = (0, 0, 0, 0);
    }
    tree
}

/// No page and no inode stays in memory.
fn forgetful(lines: &Arc<Mutex<Vec<String>>>) -> OpenOptions {
    let said = lines.clone();
    let reporter = Reporter::new(move |line| said.lock().unwrap().push(line.to_string()));
    OpenOptions { cached_pages: 0, cached_inodes: 0, reporter, ..options(true) }
}

fn without(mut tree: Tree, paths: &[&str]) -> Tree {
    tree.retain(|path, _| !paths.contains(&path.as_str()));
    tree
}

struct Trees {
    before: Tree,
    after: Tree,
}

/// The operation with a fault. Returns whether it failed; panics with what is wrong.
fn with_fault(image: &MemDevice, case: &Case, when: When, trees: &Trees, what: &str) -> (u64, bool) {
    let memory = Arc::new(image.snapshot());
    let device = Arc::new(FaultDevice::new(memory.clone()));
    let lines = Arc::default();
    let (fs, _) = open(device.clone(), forgetful(&lines)).unwrap();
    device.add(Op::Read, when, Fault::Eio);
    let done = (case.run)(&fs);
    device.clear();
    let met = device.met();
    let stopped = lines.lock().unwrap().iter().any(|line| line.contains("read-only"));
    assert!(!stopped || case.commits || case.name == "fallocate", "{what}: stopped writing: {lines:?}");
    if let Err(error) = &done {
        let expected = matches!(error.code, Code::Io | Code::Corrupt | Code::DataDamaged | Code::ReadOnly);
        assert!(expected, "{what}: {error}");
    }
    let failed = done.is_err();
    let sound = |tree: Tree, when: &str| {
        let tree = without(timeless(tree), case.partly);
        let (before, after) =
            (without(trees.before.clone(), case.partly), without(trees.after.clone(), case.partly));
        let right = match failed {
            // What a commit could not end is there or not.
            true if case.commits => tree == before || tree == after,
            true => tree == before,
            false => tree == after,
        };
        let differs = |to: &Tree| -> Vec<String> {
            tree.iter()
                .filter(|(path, found)| to.get(*path) != Some(found))
                .map(|(path, _)| path.clone())
                .collect()
        };
        assert!(
            right,
            "{what}, {when}, {done:?}: new against before {:?}, against after {:?}",
            differs(&before),
            differs(&after)
        );
    };
    sound(read_tree(&fs).unwrap_or_else(|error| panic!("{what}: {error}")), "in memory");
    if !stopped {
        // The volume goes on: blocks that were freed are used again, the rest is written home.
        let more = fs.mknod(1, b"more", libc::S_IFREG | 0o600, 0, &Caller::default()).unwrap().ino;
        for round in 0..3 {
            fs.write(more, round * 400 * BLOCK, &vec![round as u8; 400 * BLOCK_SIZE], false).unwrap();
            fs.syncfs().unwrap_or_else(|error| panic!("{what}, later: {error}"));
        }
        fs.unlink(1, b"more").unwrap();
    }
    let closed = fs.shutdown();
    assert!(closed.is_ok() != stopped, "{what}, closing: {closed:?}");
    drop(fs);
    for life in ["mounted again", "and once more"] {
        let (fs, _) = open(memory.clone(), options(true)).unwrap_or_else(|error| panic!("{what}: {error}"));
        fs.shutdown().unwrap_or_else(|error| panic!("{what}, {life}: {error}"));
        check_volume(&*memory).unwrap_or_else(|all| panic!("{what}, {life}: {}", all.join("; ")));
        sound(read_only_tree(memory.snapshot()).unwrap(), life);
    }
    (met, failed)
}

fn each_read_in_turn(dup: bool) {
    let image = prepared(dup).unwrap();
    let before = timeless(read_only_tree(image.snapshot()).unwrap());
    for case in cases() {
        let memory = Arc::new(image.snapshot());
        let device = Arc::new(FaultDevice::new(memory.clone()));
        let (fs, _) = open(device.clone(), forgetful(&Arc::default())).unwrap();
        // It counts, and never hits.
        device.add(Op::Read, When::From(u64::MAX), Fault::Eio);
        (case.run)(&fs).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let reads = device.seen(Op::Read);
        device.clear();
        let after = timeless(read_tree(&fs).unwrap());
        fs.shutdown().unwrap();
        let trees = Trees { before: before.clone(), after };
        let share = if std::env::var_os("HN4_LONG").is_some() { 1 } else { reads.div_ceil(FAULTS).max(1) };
        let (mut met, mut failed) = (0, 0);
        for nth in (0..reads).step_by(share as usize) {
            for when in [When::Nth(nth), When::From(nth)] {
                let what = format!("{} ({} copies), read {when:?} of {reads}", case.name, 1 + u8::from(dup));
                let (here, error) = with_fault(&image, &case, when, &trees, &what);
                met += u64::from(here > 0);
                failed += u64::from(error);
            }
        }
        println!("{}: {reads} reads, {met} faults met, {failed} failed", case.name);
        assert!(met > 0 && failed > 0, "{}: {met} faults met, {failed} failed", case.name);
    }
}

#[test]
fn a_read_that_fails_inside_an_operation_leaves_one_copy_as_it_was() {
    each_read_in_turn(false);
}

#[test]
fn a_read_that_fails_inside_an_operation_leaves_two_copies_as_they_were() {
    each_read_in_turn(true);
}
