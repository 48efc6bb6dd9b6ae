//! Volumes filled to the last block, overwritten, emptied, filled again.

use super::{BLOCK, ROOT, close, file, pick};
use hn4_core::testing::{FormatOptions, Rng, formatted, loud, open};
use hn4_core::vfs::{FileSystem, StatFs, Vfs};

/// Writes files until nothing is available; returns their names and numbers.
fn fill(fs: &FileSystem, blocks_a_file: u64) -> Vec<(String, u64)> {
    let mut files = Vec::new();
    loop {
        let name = format!("fill-{}", files.len());
        let ino = file(fs, &name);
        files.push((name, ino));
        for index in 0..blocks_a_file {
            let data = [index as u8 | 1; BLOCK as usize];
            match fs.write(ino, index * BLOCK, &data, false) {
                Ok(_) => {}
                Err(error) => {
                    assert_eq!(error.errno(), libc::ENOSPC, "{error}");
                    fs.syncfs().expect("syncs");
                    return files;
                }
            }
        }
    }
}

fn figures(fs: &FileSystem) -> StatFs {
    fs.syncfs().expect("syncs");
    fs.statfs().expect("statfs")
}

fn filled_and_emptied(blocks: u64, dup: bool, blocks_a_file: u64) {
    let options = FormatOptions { dup, ..FormatOptions::new(blocks) };
    let device = formatted(&options);
    let fs = open(device.clone(), loud());
    let empty = figures(&fs);
    for round in 0..2 {
        let files = fill(&fs, blocks_a_file);
        let full = figures(&fs);
        assert_eq!(full.bavail, 0, "round {round}: {full:?}");
        // Every overwrite must find room: of one block, and of everything in any order.
        let (_, first) = files[0];
        fs.write(first, 0, &[7; BLOCK as usize], false).expect("an overwrite fits");
        fs.fsync(first, false).expect("and becomes durable");
        let mut rng = Rng::new(round);
        for _ in 0..3000 {
            let (_, ino) = files[pick(&mut rng, files.len() as u64) as usize];
            let size = fs.getattr(ino).expect("getattr").size;
            if size > 0 {
                let index = pick(&mut rng, size / BLOCK);
                fs.write(ino, index * BLOCK, &[index as u8 | 1; BLOCK as usize], false).expect("fits");
            }
        }
        let after = figures(&fs);
        assert_eq!(after, full, "overwrites took space");
        for (name, ino) in &files {
            let size = fs.getattr(*ino).expect("getattr").size;
            let mut bytes = vec![0; size as usize];
            assert_eq!(fs.read(*ino, 0, &mut bytes).expect("reads") as u64, size);
            for (index, block) in bytes.chunks(BLOCK as usize).enumerate() {
                let expected = if *ino == first && index == 0 && block[0] == 7 { 7 } else { index as u8 | 1 };
                assert!(block.iter().all(|byte| *byte == expected), "{name}, block {index}");
            }
            fs.unlink(ROOT, name.as_bytes()).expect("unlink works on a full volume");
            fs.forget(*ino, 1);
        }
        let mut again = figures(&fs);
        for _ in 0..50 {
            // Deletions go on in the background.
            if (again.bfree, again.ffree) == (empty.bfree, empty.ffree) {
                break;
            }
            again = figures(&fs);
        }
        assert_eq!((again.bfree, again.ffree), (empty.bfree, empty.ffree), "round {round}");
    }
    let report = close(&fs, &device);
    assert_eq!((report.files, report.live_blocks, report.units), (3, 0, 0));
}

#[test]
fn a_small_volume_full_of_small_files_takes_overwrites_and_empties() {
    filled_and_emptied(4096, true, 3);
}

#[test]
fn a_small_volume_full_of_one_file_takes_overwrites_and_empties() {
    filled_and_emptied(4096, false, u64::MAX);
}

#[test]
fn a_larger_volume_filled_twice_takes_overwrites_and_empties() {
    filled_and_emptied(16_384, true, 700);
}
