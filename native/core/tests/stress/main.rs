//! Many threads on one volume: no deadlock, every thread finds what it wrote, and afterwards the
//! volume holds together.

mod watchdog;
mod worker;

use hn4_core::device::testing::MemDevice;
use hn4_core::testing::{self, FormatOptions, Rng, demand_sound, formatted, loud, with_seeds};
use hn4_core::vfs::{Caller, FileSystem, Vfs};
use hn4_core::volume::OpenOptions;
use std::sync::Arc;
use watchdog::Watchdog;
use worker::Worker;

const ROOT: u64 = 1;
const THREADS: u64 = 8;

fn open(device: &Arc<MemDevice>, cached: usize) -> Arc<FileSystem> {
    let options = OpenOptions { cached_pages: cached, cached_inodes: cached, ..loud() };
    Arc::new(testing::open(device.clone(), options))
}

/// Eight threads, each with a directory of its own and one that all share.
fn stress(seed: u64, blocks: u64, steps: u64, write_max: u64) {
    let device = formatted(&FormatOptions { dup: seed % 2 == 0, ..FormatOptions::new(blocks) });
    let fs = open(&device, [8, 10_000][seed as usize / 2 % 2]);
    let shared = fs.mkdir(ROOT, b"shared", 0o755, &Caller::default()).unwrap().ino;
    let watchdog = Watchdog::start(fs.clone());
    let mut workers: Vec<Worker> =
        (0..THREADS).map(|i| Worker::new(fs.clone(), i, shared, seed * 100 + i, write_max)).collect();
    std::thread::scope(|scope| {
        for worker in &mut workers {
            let progress = &watchdog.progress;
            scope.spawn(move || worker.run(steps, progress));
        }
    });
    for worker in &mut workers {
        worker.verify();
    }
    watchdog.stop();
    fs.shutdown().unwrap();
    demand_sound(&*device, "after the close");
    let fs = open(&device, 100);
    for worker in &mut workers {
        worker.reopen(fs.clone());
        worker.verify();
    }
    fs.shutdown().unwrap();
    demand_sound(&*device, "after the close");
}

#[test]
fn eight_threads_find_what_they_wrote() {
    with_seeds(4, |seed| stress(seed, 32_768, 400, 100_000));
}

#[test]
fn eight_threads_find_what_they_wrote_on_a_full_volume() {
    with_seeds(4, |seed| stress(seed + 10, 4096, 300, 400_000));
}

#[test]
fn a_hundred_threads_create() {
    let device = formatted(&FormatOptions::new(32_768));
    let fs = open(&device, 1000);
    let watchdog = Watchdog::start(fs.clone());
    std::thread::scope(|scope| {
        for thread in 0..100u64 {
            let (fs, progress) = (fs.clone(), &watchdog.progress);
            scope.spawn(move || {
                let mut rng = Rng::new(thread);
                for i in 0..40 {
                    let name = format!("{thread}-{i}");
                    let mode = libc::S_IFREG | 0o644;
                    let made = fs.mknod(ROOT, name.as_bytes(), mode, 0, &Caller::default()).unwrap();
                    if rng.chance(5, 100) {
                        fs.fsync(made.ino, false).unwrap();
                    }
                    fs.forget(made.ino, 1);
                    progress.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                }
            });
        }
    });
    watchdog.stop();
    let mut names = std::collections::BTreeSet::new();
    fs.readdir(ROOT, 0, false, &mut |entry| names.insert(entry.name.to_vec())).unwrap();
    assert_eq!(names.len(), 100 * 40 + 2);
    fs.shutdown().unwrap();
    demand_sound(&*device, "after the close");
}
