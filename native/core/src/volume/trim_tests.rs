//! What is discarded was free, and what is free is discarded. The device leaves noise behind.

use crate::base::Code;
use crate::device::testing::{Call, CountingDevice, Discard, HookedDevice, MemDevice};
use crate::testing::{FormatOptions, Rng, demand_sound, formatted, loud, try_open};
use crate::vfs::{Caller, FileSystem, Vfs};
use crate::volume::OpenOptions;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const REG: u32 = libc::S_IFREG | 0o644;
const BLOCK: u64 = 4096;

fn noisy(blocks: u64) -> Arc<MemDevice> {
    Arc::new(formatted(&FormatOptions::new(blocks)).snapshot().discarding(Discard::Junk))
}

fn sequential() -> OpenOptions {
    OpenOptions { sequential: true, ..loud() }
}

/// A file of `blocks` blocks of `byte`.
fn write(fs: &FileSystem, name: &str, blocks: u64, byte: u8) -> u64 {
    let ino = fs.mknod(1, name.as_bytes(), REG, 0, &Caller::default()).unwrap().ino;
    fs.write(ino, 0, &vec![byte; (blocks * BLOCK) as usize], false).unwrap();
    ino
}

fn holds(fs: &FileSystem, name: &str, blocks: u64, byte: u8) -> bool {
    let ino = fs.lookup(1, name.as_bytes()).unwrap().ino;
    let mut bytes = vec![0; (blocks * BLOCK) as usize];
    fs.read(ino, 0, &mut bytes).unwrap() == bytes.len() && bytes.iter().all(|found| *found == byte)
}

#[test]
fn what_is_free_is_discarded_and_nothing_else() {
    let memory = noisy(8192);
    let counted = Arc::new(CountingDevice::new(memory.clone()));
    let (fs, _) = try_open(counted.clone(), sequential()).unwrap();
    for i in 0..20 {
        let ino = write(&fs, &format!("{i}"), 40, i + 1);
        fs.forget(ino, 1);
    }
    fs.syncfs().unwrap();
    for i in (0..20).step_by(2) {
        fs.unlink(1, format!("{i}").as_bytes()).unwrap();
    }
    let before = counted.counts();
    let trimmed = fs.volume.trim(0..u64::MAX, 0).unwrap();
    let counts = counted.counts().since(before);
    assert_eq!(counts.discarded_bytes, trimmed);
    // All but live blocks, what waits for its proof, and growth windows.
    let free = fs.volume.space.free() * BLOCK;
    assert!(trimmed <= free && trimmed >= free - free / 8, "{trimmed} of {free} free bytes");
    (1..20).step_by(2).for_each(|i| assert!(holds(&fs, &format!("{i}"), 40, i as u8 + 1), "file {i}"));
    // Parts: a range without any block of the window, long runs only.
    assert_eq!(fs.volume.trim(0..fs.volume.geometry.window_start * BLOCK, 0).unwrap(), 0);
    assert_eq!(fs.volume.trim(0..u64::MAX, u64::MAX).unwrap(), 0);
    let half = (fs.volume.geometry.window_start + fs.volume.geometry.window_blocks / 2) * BLOCK;
    let (low, high) = (fs.volume.trim(0..half, 0).unwrap(), fs.volume.trim(half..u64::MAX, 0).unwrap());
    assert!(low > 0 && high > 0 && low + high <= free, "{low} and {high}, of {free}");
    write(&fs, "after", 40, 99);
    fs.syncfs().unwrap();
    assert!(holds(&fs, "after", 40, 99));
    fs.shutdown().unwrap();
    demand_sound(&*memory, "trimmed and closed");
}

/// What is being discarded is given to nobody, though it counts as free.
#[test]
fn a_file_that_is_written_during_a_discard_keeps_its_bytes() {
    let memory = noisy(4096);
    let device = Arc::new(HookedDevice::new(memory.clone()));
    let fs = Arc::new(try_open(device.clone(), sequential()).unwrap().0);
    write(&fs, "before", 3, 1);
    fs.syncfs().unwrap();
    let other = fs.clone();
    device.at(Call::Discard, move || {
        let ino = write(&other, "meanwhile", 700, 2);
        other.fsync(ino, false).unwrap();
    });
    fs.volume.trim(0..u64::MAX, 0).unwrap();
    assert!(device.has_run(), "the case did not happen");
    assert!(holds(&fs, "before", 3, 1) && holds(&fs, "meanwhile", 700, 2));
    fs.shutdown().unwrap();
    demand_sound(&*memory, "closed");
}

#[test]
fn a_volume_that_takes_no_change_is_not_trimmed() {
    let memory = noisy(4096);
    let (fs, _) = try_open(memory, OpenOptions { read_only: true, ..sequential() }).unwrap();
    assert_eq!(fs.volume.trim(0..u64::MAX, 0).unwrap_err().code, Code::ReadOnly);
    fs.shutdown().unwrap();
}

#[test]
fn a_full_volume_is_trimmed_without_taking_the_room_of_others() {
    let memory = noisy(4096);
    let (fs, _) = try_open(memory.clone(), sequential()).unwrap();
    let ino = fs.mknod(1, b"full", REG, 0, &Caller::default()).unwrap().ino;
    let mut at = 0;
    while fs.write(ino, at, &[5; BLOCK as usize], false).is_ok() {
        at += BLOCK;
    }
    fs.volume.trim(0..u64::MAX, 0).unwrap();
    fs.write(ino, 0, &[6; BLOCK as usize], false).unwrap();
    fs.fsync(ino, false).unwrap();
    fs.volume.trim(0..u64::MAX, 0).unwrap();
    fs.shutdown().unwrap();
    demand_sound(&*memory, "full");
}

/// With and without `-o discard`.
#[test]
fn files_keep_their_bytes_while_others_go_and_everything_free_is_discarded() {
    for discard in [false, true] {
        let memory = noisy(16_384);
        let counted = Arc::new(CountingDevice::new(memory.clone()));
        let (fs, _) = try_open(counted.clone(), OpenOptions { discard, ..loud() }).unwrap();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let (fs, done) = (&fs, &done);
            let writers: Vec<_> = (0..3u8)
                .map(|lane| {
                    scope.spawn(move || {
                        let mut rng = Rng::new(u64::from(lane));
                        for round in 0..60 {
                            let (name, blocks) = (format!("{lane}-{round}"), 1 + rng.below(60));
                            let ino = write(fs, &name, blocks, lane * 64 + round);
                            fs.fsync(ino, false).unwrap();
                            fs.forget(ino, 1);
                            assert!(holds(fs, &name, blocks, lane * 64 + round), "{name}, discard {discard}");
                            if rng.chance(2, 3) {
                                fs.unlink(1, name.as_bytes()).unwrap();
                            }
                        }
                    })
                })
                .collect();
            scope.spawn(move || {
                while !discard && !done.load(Ordering::Relaxed) {
                    fs.volume.trim(0..u64::MAX, 0).unwrap();
                }
            });
            writers.into_iter().for_each(|writer| writer.join().unwrap());
            done.store(true, Ordering::Relaxed);
        });
        assert!(counted.counts().discards > 0, "the case did not happen");
        fs.shutdown().unwrap();
        demand_sound(&*memory, &format!("discard {discard}"));
    }
}
