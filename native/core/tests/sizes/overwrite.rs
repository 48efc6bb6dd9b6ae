//! Random overwrites of a large file on a well-filled volume: where its blocks end up, and what reading it
//! costs then.

use super::{BLOCK, close, file, long_run, pick};
use hn4_core::device::testing::CountingDevice;
use hn4_core::testing::{FormatOptions, Report, Rng, check_volume, formatted, loud, open};
use hn4_core::vfs::{FileSystem, Vfs};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A volume, a file on it, and how much of the volume is used before the file's blocks are overwritten.
struct Case {
    blocks: u64,
    file_blocks: u64,
    /// Of what users can have, percent.
    fill: u64,
    sync_every: u64,
}

fn write_whole(fs: &FileSystem, name: &str, blocks: u64) -> u64 {
    let ino = file(fs, name);
    let chunk = vec![3; 64 * BLOCK as usize];
    for first in (0..blocks).step_by(64) {
        let length = (blocks - first).min(64) * BLOCK;
        fs.write(ino, first * BLOCK, &chunk[..length as usize], false).unwrap();
    }
    ino
}

/// The file first, then others up to the fill; then the file's blocks twice over, in random order.
fn overwritten(case: &Case) -> Report {
    let device = formatted(&FormatOptions::new(case.blocks));
    let fs = open(device.clone(), loud());
    let wanted = fs.statfs().unwrap().bavail * (100 - case.fill) / 100;
    let ino = write_whole(&fs, "database", case.file_blocks);
    fs.fsync(ino, false).unwrap();
    let mut rng = Rng::new(1);
    let mut others = 0;
    while fs.statfs().unwrap().bavail > wanted {
        let room = fs.statfs().unwrap().bavail - wanted;
        let other = write_whole(&fs, &format!("other-{others}"), (1 + pick(&mut rng, 2000)).min(room));
        fs.forget(other, 1);
        others += 1;
    }
    fs.syncfs().unwrap();
    let fresh = check_volume(&device.snapshot()).expect("a sound volume").segments;
    let before = fs.volume.stats().data_blocks.load(Ordering::Relaxed);
    let count = case.file_blocks;
    let mut newest = vec![3u8; count as usize];
    for step in 0..2 * count {
        let index = pick(&mut rng, count);
        newest[index as usize] = (step % 251) as u8;
        fs.write(ino, index * BLOCK, &[(step % 251) as u8; BLOCK as usize], false).unwrap();
        if step % case.sync_every == 0 {
            fs.fsync(ino, false).unwrap();
        }
    }
    fs.syncfs().unwrap();
    let written = fs.volume.stats().data_blocks.load(Ordering::Relaxed) - before;
    let report = close(&fs, &device);
    let counted = Arc::new(CountingDevice::new(device));
    let fs = open(counted.clone(), loud());
    let ino = fs.lookup(super::ROOT, b"database").unwrap().ino;
    let start = counted.counts();
    let mut mebibyte = vec![0; 1 << 20];
    for first in (0..count).step_by(256) {
        let expected = &newest[first as usize..(first + 256).min(count) as usize];
        let got = fs.read(ino, first * BLOCK, &mut mebibyte).unwrap();
        assert_eq!(got, expected.len() * BLOCK as usize);
        for (i, byte) in expected.iter().enumerate() {
            let block = &mebibyte[i * BLOCK as usize..(i + 1) * BLOCK as usize];
            assert!(block.iter().all(|found| found == byte), "block {}", first + i as u64);
        }
    }
    let reads = counted.counts().since(start);
    fs.shutdown().unwrap();
    let share = |n: u64| 100.0 * n as f64 / report.live_blocks as f64;
    let mebibytes = count as f64 / 256.0;
    println!(
        "| {} | {} | {} | {} | {:.1} | {:.1} | {:.2} | {:.1} | {fresh} | {} | {:.2} | {:.1} | {:.2} |",
        case.blocks,
        case.file_blocks,
        case.fill,
        case.sync_every,
        share(report.at_home),
        share(report.at_shell),
        share(report.in_area),
        share(report.in_segment),
        report.segments,
        written as f64 / (2 * count) as f64,
        reads.reads as f64 / mebibytes,
        reads.read_bytes as f64 / (count * BLOCK) as f64,
    );
    assert!(report.segments <= fresh + count / 50, "{} segments, {fresh} before", report.segments);
    report
}

fn head() {
    println!(
        "\n| volume | file | fill, % | sync each | home, % | shell 1, % | area, % | in segments, % | segments before \
         | after | WA | reads per MiB | bytes per byte |"
    );
}

#[test]
fn random_overwrites_of_a_file_that_fills_the_volume_add_few_segments() {
    head();
    overwritten(&Case { blocks: 16_384, file_blocks: 12_000, fill: 80, sync_every: 16 });
    overwritten(&Case { blocks: 16_384, file_blocks: 13_500, fill: 97, sync_every: 200 });
}

#[test]
fn random_overwrites_beside_other_files_add_few_segments() {
    head();
    for fill in [40, 80, 95, 100] {
        overwritten(&Case { blocks: 32_768, file_blocks: 8192, fill, sync_every: 100 });
    }
    if long_run() {
        for fill in [40, 80, 90, 95, 100] {
            overwritten(&Case { blocks: 1 << 20, file_blocks: 1 << 18, fill, sync_every: 1000 });
        }
    }
}
