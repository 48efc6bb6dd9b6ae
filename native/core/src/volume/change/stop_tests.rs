//! Long operations that are asked to stop: what is done is done, the rest is as it was, and the volume is sound.

use crate::base::Stop;
use crate::testing::{FormatOptions, demand_sound, formatted, open, sequential};
use crate::vfs::{Caller, FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE, FALLOC_ZERO_RANGE, FileSystem, Vfs};

const ROOT: u64 = 1;
const BLOCK: u64 = 4096;
/// Blocks of one step of fallocate.
const STEP: u64 = 1 << 15;

fn asked() -> Stop {
    let stop = Stop::default();
    stop.ask();
    stop
}

fn make(fs: &FileSystem, name: &[u8]) -> u64 {
    fs.mknod(ROOT, name, libc::S_IFREG | 0o644, 0, &Caller::default()).unwrap().ino
}

#[test]
fn fallocate_stops_between_its_steps() {
    let device = formatted(&FormatOptions::new(1 << 17));
    let fs = open(device.clone(), sequential());
    let punch = FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE;
    for (number, mode) in [0, FALLOC_KEEP_SIZE].into_iter().enumerate() {
        let file = make(&fs, &[b'a' + number as u8]);
        let call = |mode, stop: &Stop| fs.fallocate_until(file, mode, 0, 3 * STEP * BLOCK, stop);
        let blocks = || fs.getattr(file).unwrap().blocks / 8;
        assert_eq!(call(mode, &asked()).unwrap_err().errno(), libc::EINTR, "mode {mode}");
        assert!((STEP..STEP + 10).contains(&blocks()), "mode {mode}: one step, {} blocks", blocks());
        let size = fs.getattr(file).unwrap().size;
        assert_eq!(size, if mode == 0 { STEP * BLOCK } else { 0 }, "mode {mode}");
        call(mode, &Stop::default()).unwrap();
        assert!(blocks() >= 3 * STEP, "mode {mode}");
        assert_eq!(fs.getattr(file).unwrap().size, if mode == 0 { 3 * STEP * BLOCK } else { 0 });

        let before = blocks();
        assert_eq!(call(punch, &asked()).unwrap_err().errno(), libc::EINTR, "punch after mode {mode}");
        assert!(0 < blocks() && blocks() < before, "punch after mode {mode}: {} of {before}", blocks());
        assert_eq!(call(FALLOC_ZERO_RANGE, &asked()).unwrap_err().errno(), libc::EINTR, "zero");
        call(punch, &Stop::default()).unwrap();
        fs.fsync(file, false).unwrap();
        // A short one is done before anybody asks.
        fs.fallocate_until(file, 0, 0, 100 * BLOCK, &asked()).unwrap();
        fs.fallocate_until(file, punch, 0, 100 * BLOCK, &asked()).unwrap();
    }
    fs.shutdown().unwrap();
    demand_sound(&*device, "at the end");
}

#[test]
fn a_copy_stops_behind_what_it_copied() {
    let device = formatted(&FormatOptions::new(1 << 14));
    let fs = open(device.clone(), sequential());
    let (from, to) = (make(&fs, b"from"), make(&fs, b"to"));
    let content: Vec<u8> = (0..3_000_000u32).map(|at| (at % 251) as u8).collect();
    fs.write(from, 0, &content, false).unwrap();
    let done = fs.copy_range_until(from, 0, to, 0, 3_000_000, &asked()).unwrap();
    assert!(0 < done && done < 3_000_000, "{done}");
    assert_eq!(fs.getattr(to).unwrap().size, done);
    let rest = fs.copy_range(from, done, to, done, 3_000_000).unwrap();
    assert_eq!(done + rest, 3_000_000);
    let mut copied = vec![0; 3_000_000];
    assert_eq!(fs.read(to, 0, &mut copied).unwrap(), copied.len());
    assert!(copied == content);
    fs.shutdown().unwrap();
    demand_sound(&*device, "at the end");
}
