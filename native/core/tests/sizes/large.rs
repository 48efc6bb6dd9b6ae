//! Many files in one directory, and a large file in random order.

use super::{BLOCK, ROOT, close, file, long_run, pick};
use hn4_core::testing::{FormatOptions, Rng, formatted, loud, open};
use hn4_core::vfs::Vfs;

fn crowded_directory(count: u64, blocks: u64) {
    let device = formatted(&FormatOptions::new(blocks));
    let fs = open(device.clone(), loud());
    for i in 0..count {
        let ino = file(&fs, &format!("file-{i}"));
        fs.forget(ino, 1);
    }
    fs.syncfs().unwrap();
    let mut seen = vec![false; count as usize];
    fs.readdir(ROOT, 2, false, &mut |entry| {
        let number: usize = String::from_utf8_lossy(&entry.name[5..]).parse().unwrap();
        assert!(!std::mem::replace(&mut seen[number], true), "{number} twice");
        true
    })
    .unwrap();
    assert!(seen.iter().all(|seen| *seen));
    let mut rng = Rng::new(count);
    for _ in 0..1000 {
        let name = format!("file-{}", pick(&mut rng, count));
        let found = fs.lookup(ROOT, name.as_bytes()).unwrap();
        fs.forget(found.ino, 1);
    }
    let report = close(&fs, &device);
    assert_eq!(report.files, count + 3);
    let fs = open(device.clone(), loud());
    for i in 0..count {
        fs.unlink(ROOT, format!("file-{i}").as_bytes()).unwrap();
    }
    let report = close(&fs, &device);
    assert_eq!((report.files, report.live_blocks), (3, 0));
}

#[test]
fn many_files_in_one_directory_are_listed_once_and_found() {
    crowded_directory(15_000, 65_536);
    if long_run() {
        crowded_directory(200_000, 700_000);
    }
}

/// A file written block by block in random order, read back, extended and cut.
fn random_order(blocks: u64, volume: u64) {
    let device = formatted(&FormatOptions::new(volume));
    let fs = open(device.clone(), loud());
    let ino = file(&fs, "random");
    let mut order: Vec<u64> = (0..blocks).collect();
    let mut rng = Rng::new(blocks);
    for i in (1..blocks).rev() {
        order.swap(i as usize, pick(&mut rng, i + 1) as usize);
    }
    let fingerprint = |index: u64| {
        let mut block = vec![0; BLOCK as usize];
        block[..8].copy_from_slice(&(index * 0x9e37_79b9 + 1).to_le_bytes());
        block[4088..].copy_from_slice(&index.to_le_bytes());
        block
    };
    for index in &order {
        fs.write(ino, index * BLOCK, &fingerprint(*index), false).unwrap();
    }
    fs.fsync(ino, false).unwrap();
    let mut block = vec![0; BLOCK as usize];
    for index in 0..blocks {
        assert_eq!(fs.read(ino, index * BLOCK, &mut block).unwrap() as u64, BLOCK);
        assert!(block == fingerprint(index), "block {index}");
    }
    let report = close(&fs, &device);
    println!("{blocks} blocks in random order: {} segments", report.segments);
}

#[test]
fn a_file_written_in_random_order_reads_back() {
    random_order(8192, 32_768);
    if long_run() {
        random_order(262_144, 400_000);
    }
}
