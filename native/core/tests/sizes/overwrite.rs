//! Random overwrites of a large file on a well-filled volume: where its blocks end up.

use super::{BLOCK, close, file, formatted, long_run, open};
use hn4_core::testing::{FormatOptions, Rng};
use hn4_core::vfs::Vfs;

/// Overwrites a file that takes `percent` of the volume, twice over, in random blocks.
fn overwritten(blocks: u64, percent: u64, sync_every: u64) {
    let device = formatted(&FormatOptions::new(blocks));
    let fs = open(device.clone());
    let ino = file(&fs, "database");
    let count = fs.statfs().unwrap().bavail * percent / 100;
    let chunk = vec![3; 64 * BLOCK as usize];
    for first in (0..count).step_by(64) {
        let length = (count - first).min(64) * BLOCK;
        fs.write(ino, first * BLOCK, &chunk[..length as usize], false).unwrap();
    }
    fs.fsync(ino, false).unwrap();
    let fresh = hn4_core::testing::check_volume(&device.snapshot()).expect("a sound volume").segments;
    let mut rng = Rng(1);
    let mut newest = vec![3u8; count as usize];
    for step in 0..2 * count {
        let index = rng.below(count);
        newest[index as usize] = (step % 251) as u8;
        fs.write(ino, index * BLOCK, &[(step % 251) as u8; BLOCK as usize], false).unwrap();
        if step % sync_every == 0 {
            fs.fsync(ino, false).unwrap();
        }
    }
    let mut block = vec![0; BLOCK as usize];
    for (index, byte) in newest.iter().enumerate() {
        assert_eq!(fs.read(ino, index as u64 * BLOCK, &mut block).unwrap() as u64, BLOCK);
        assert!(block.iter().all(|found| found == byte), "block {index}");
    }
    let report = close(&fs, &device);
    let share = |n: u64| 100.0 * n as f64 / report.live_blocks as f64;
    println!(
        "{blocks} blocks, {percent} %, a sync each {sync_every}: home {:.1} %, shell 1 {:.1} %, \
         area {:.2} %, segments {:.1} % ({fresh} segments, then {})",
        share(report.at_home),
        share(report.at_shell),
        share(report.in_area),
        share(report.in_segment),
        report.segments
    );
    assert!(report.segments < 2 * count, "more segments than blocks");
}

#[test]
fn random_overwrites_at_80_percent() {
    overwritten(16_384, 80, 16);
    overwritten(16_384, 97, 200);
}

#[test]
fn random_overwrites_of_a_gibibyte() {
    if long_run() {
        overwritten(262_144, 80, 64);
        overwritten(262_144, 80, 4096);
        overwritten(262_144, 95, 64);
    }
}
