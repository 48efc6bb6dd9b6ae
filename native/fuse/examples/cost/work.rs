//! The workloads: each a fixed number of operations that are the same at every run.
//!
//! Those of one volume run in this order, each on a new mount, and find what the ones before left.

use crate::Outcome;
use rusqlite::{Connection, params};
use rustix::fs::{Advice, fadvise};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Does the operation of a number.
pub type Step = Box<dyn FnMut(u64) -> Outcome>;

pub struct Workload {
    pub volume: &'static str,
    pub name: &'static str,
    pub ops: u64,
    pub unit: &'static str,
    /// Operations in one turn of a side: milliseconds, far below the timers of a volume.
    pub turn: u64,
    /// Operations after which the volume is made durable, a multiple of `turn`: before a timer or the amount of
    /// delayed data would do it, so that commits come at the same operations in every run.
    pub sync: u64,
    pub begin: fn(&Path) -> Outcome<Step>,
}

/// `counts`: operations, those of a turn, those between two syncs.
const fn workload(
    [volume, name, unit]: [&'static str; 3],
    [ops, turn, sync]: [u64; 3],
    begin: fn(&Path) -> Outcome<Step>,
) -> Workload {
    assert!(sync % turn == 0);
    Workload { volume, name, ops, unit, turn, sync, begin }
}

pub const WORKLOADS: &[Workload] = &[
    workload(["empty", "create", "file"], [10_000, 100, 2_000], |dir| files(dir, 0)),
    workload(["files", "create-4k", "file"], [10_000, 50, 2_000], |dir| files(dir, 4096)),
    workload(["files", "stat-cold", "file"], [10_000, 100, 10_000], stat),
    workload(["files", "rename", "file"], [10_000, 100, 2_000], rename),
    workload(["files", "unlink", "file"], [10_000, 100, 2_000], unlink),
    workload(["large", "write", "MiB"], [FILE_MIB, 4, 8], write),
    workload(["large", "read-cold", "MiB"], [READS * FILE_MIB, 10, READS * FILE_MIB], read),
    workload(["large", "read-4k", "read"], [10_000, 100, 10_000], read_scattered),
    workload(["large", "overwrite-4k", "write"], [10_000, 100, 2_000], write_scattered),
    workload(["synced", "fsync", "file"], [2_000, 20, 2_000], synced_files),
    workload(["delete", "sqlite-delete", "transaction"], [500, 5, 500], |dir| sqlite(dir, "delete")),
    workload(["wal", "sqlite-wal", "transaction"], [1_000, 20, 1_000], |dir| sqlite(dir, "wal")),
];

const MIB: u64 = 1 << 20;
const BLOCK: u64 = 4096;
/// Size of the large file: small enough that scattered overwrites find room near their homes. Where they do not,
/// the overwrite area fills, and whether a run empties it once or twice is chance.
const FILE_MIB: u64 = 200;
/// Times that it is read, each time without what the kernel has cached.
const READS: u64 = 4;
const FILES_PER_DIRECTORY: u64 = 500;
/// Coprime to the large file's blocks: scattered, and each block at most once.
const STRIDE_BLOCKS: u64 = 7919;

fn path(dir: &Path, kind: &str, n: u64) -> PathBuf {
    dir.join(format!("directory-{:02}/{kind}-{n:05}", n / FILES_PER_DIRECTORY))
}

/// Bytes that are not all the same; the same at every run.
fn content(bytes: u64) -> Vec<u8> {
    (0..bytes).map(|i| (i * 31 + (i >> 8) * 7) as u8).collect()
}

fn files(dir: &Path, bytes: u64) -> Outcome<Step> {
    let (dir, content) = (dir.to_owned(), content(bytes));
    Ok(Box::new(move |n| {
        if n % FILES_PER_DIRECTORY == 0 {
            fs::create_dir(path(&dir, "", n).parent().ok_or("a path has a parent")?)?;
        }
        Ok(File::create_new(path(&dir, "file", n))?.write_all(&content)?)
    }))
}

fn stat(dir: &Path) -> Outcome<Step> {
    let dir = dir.to_owned();
    Ok(Box::new(move |n| {
        let length = fs::symlink_metadata(path(&dir, "file", n))?.len();
        if length == BLOCK { Ok(()) } else { Err(format!("file {n}: {length} bytes").into()) }
    }))
}

fn rename(dir: &Path) -> Outcome<Step> {
    let dir = dir.to_owned();
    Ok(Box::new(move |n| Ok(fs::rename(path(&dir, "file", n), path(&dir, "renamed", n))?)))
}

fn unlink(dir: &Path) -> Outcome<Step> {
    let dir = dir.to_owned();
    Ok(Box::new(move |n| Ok(fs::remove_file(path(&dir, "renamed", n))?)))
}

fn large(dir: &Path) -> PathBuf {
    dir.join("large")
}

fn write(dir: &Path) -> Outcome<Step> {
    let (mut file, content) = (File::create_new(large(dir))?, content(MIB));
    Ok(Box::new(move |_| Ok(file.write_all(&content)?)))
}

fn read(dir: &Path) -> Outcome<Step> {
    let (file, mut buffer) = (File::open(large(dir))?, vec![0; MIB as usize]);
    let expected = content(MIB);
    Ok(Box::new(move |n| {
        let mib = n % FILE_MIB;
        if mib == 0 {
            fadvise(&file, 0, None, Advice::DontNeed)?;
        }
        file.read_exact_at(&mut buffer, mib * MIB)?;
        if buffer == expected { Ok(()) } else { Err(format!("MiB {mib} of the large file differs").into()) }
    }))
}

/// Where the n-th scattered block stands, in bytes.
fn scattered(n: u64) -> u64 {
    n * STRIDE_BLOCKS % (FILE_MIB * MIB / BLOCK) * BLOCK
}

fn read_scattered(dir: &Path) -> Outcome<Step> {
    let (file, mut buffer) = (File::open(large(dir))?, [0; BLOCK as usize]);
    fadvise(&file, 0, None, Advice::Random)?;
    Ok(Box::new(move |n| Ok(file.read_exact_at(&mut buffer, scattered(n))?)))
}

fn write_scattered(dir: &Path) -> Outcome<Step> {
    let (file, content) = (OpenOptions::new().write(true).open(large(dir))?, content(BLOCK));
    Ok(Box::new(move |n| Ok(file.write_all_at(&content, scattered(n))?)))
}

fn synced_files(dir: &Path) -> Outcome<Step> {
    let (dir, content) = (dir.to_owned(), content(BLOCK));
    Ok(Box::new(move |n| {
        let mut file = File::create_new(dir.join(format!("file-{n:05}")))?;
        file.write_all(&content)?;
        Ok(file.sync_all()?)
    }))
}

/// A row of 500 bytes per transaction, at scattered keys.
fn sqlite(dir: &Path, journal: &str) -> Outcome<Step> {
    let db = Connection::open(dir.join("db"))?;
    let mode: String = db.query_row(&format!("PRAGMA journal_mode = {journal}"), [], |row| row.get(0))?;
    if mode != journal {
        return Err(format!("journal_mode {journal}: SQLite chose {mode}").into());
    }
    db.pragma_update(None, "synchronous", "FULL")?;
    db.execute_batch("CREATE TABLE rows(key INTEGER PRIMARY KEY, body BLOB NOT NULL)")?;
    let body = content(500);
    Ok(Box::new(move |n| {
        // Each statement outside BEGIN is a transaction of its own.
        db.execute("INSERT INTO rows VALUES(?, ?)", params![(n * 7919 % 1_000_003) as i64, body])?;
        Ok(())
    }))
}
