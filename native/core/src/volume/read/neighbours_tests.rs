//! Small files beside each other: what they cost the device, and that none ever gets another's bytes, or its own old ones.

use crate::base::{BLOCK_SIZE, BlockNumber, Ino};
use crate::device::Device;
use crate::device::testing::{CountingDevice, MemDevice};
use crate::testing::{FormatOptions, Rng, demand_sound, flip, formatted, loud, open, with_seeds};
use crate::vfs::{Caller, FileSystem, Vfs};
use std::collections::BTreeMap;
use std::sync::Arc;

const WHO: Caller = Caller { uid: 0, gid: 0, pid: 1, umask: 0 };

fn create(fs: &FileSystem, name: &str) -> Ino {
    fs.mknod(1, name.as_bytes(), libc::S_IFREG | 0o644, 0, &WHO).unwrap().ino
}

fn read(fs: &FileSystem, ino: Ino) -> Vec<u8> {
    let mut bytes = vec![0; 10 * BLOCK_SIZE];
    let length = fs.read(ino, 0, &mut bytes).unwrap();
    bytes.truncate(length);
    bytes
}

fn small_files(count: u64, synced: bool) -> (Arc<MemDevice>, Vec<(Ino, Vec<u8>)>) {
    let device = formatted(&FormatOptions::new(16_384));
    let fs = open(device.clone(), loud());
    let mut rng = Rng::new(count);
    let mut files = Vec::new();
    for i in 0..count {
        let ino = create(&fs, &format!("file-{i}"));
        let length = 1000 + rng.below(3000);
        let bytes = rng.bytes(length);
        fs.write(ino, 0, &bytes, false).unwrap();
        if synced {
            fs.fsync(ino, false).unwrap();
        }
        files.push((ino, bytes));
    }
    fs.shutdown().unwrap();
    (device, files)
}

/// As a program does before it reads: with it the engine knows the files.
fn look_up(fs: &FileSystem, count: usize) {
    for i in 0..count {
        fs.lookup(1, format!("file-{i}").as_bytes()).unwrap();
    }
}

#[test]
fn small_files_that_were_made_together_are_read_together() {
    for synced in [false, true] {
        let (memory, files) = small_files(600, synced);
        let device = Arc::new(CountingDevice::new(memory));
        let fs = open(device.clone(), loud());
        look_up(&fs, files.len());
        let before = device.counts();
        for (ino, bytes) in &files {
            assert!(read(&fs, *ino) == *bytes, "file {ino}");
        }
        let reads = device.counts().since(before).reads;
        assert!(reads < 100, "{reads} reads of the device for 600 files, synced {synced}");
        assert_eq!(fs.volume.neighbours.refused(), 0);
        fs.shutdown().unwrap();
    }
}

#[test]
fn damage_beside_a_file_does_not_meet_it_and_its_own_is_found() {
    let (memory, files) = small_files(200, true);
    let fs = open(memory.clone(), loud());
    let mut block = [0; BLOCK_SIZE];
    let holds = |at: &u64| {
        memory.read(BlockNumber(*at), &mut block).unwrap();
        block.starts_with(&files[100].1)
    };
    let data = BlockNumber((0..memory.block_count()).find(holds).expect("a block of the file"));
    flip(&memory, data, 77);
    look_up(&fs, files.len());
    let mut lost = Vec::new();
    for (ino, bytes) in &files {
        let mut buf = vec![0; bytes.len()];
        match fs.read(*ino, 0, &mut buf) {
            Ok(_) => assert!(buf == *bytes, "file {ino}"),
            Err(_) => lost.push(*ino),
        }
    }
    assert_eq!(lost, [files[100].0]);
    assert!(fs.volume.neighbours.refused() > 0, "the part was not read: the case did not happen");
}

/// Files come, go and change; whatever is read is what was written last, and no part ever holds less than that.
#[test]
fn no_part_outlives_a_write() {
    with_seeds(6, |seed| {
        let mut rng = Rng::new(seed);
        let device = formatted(&FormatOptions::new(4096));
        let fs = open(device.clone(), loud());
        let mut files: BTreeMap<u64, (Ino, Vec<u8>)> = BTreeMap::new();
        let mut next = 0;
        for _ in 0..1500 {
            let any =
                |rng: &mut Rng| files.keys().nth(rng.below(files.len().max(1) as u64) as usize).copied();
            match rng.below(10) {
                0..2 if files.len() < 150 => {
                    let length = 200 + rng.below(3 * BLOCK_SIZE as u64);
                    let bytes = rng.bytes(length);
                    let ino = create(&fs, &format!("file-{next}"));
                    fs.write(ino, 0, &bytes, false).unwrap();
                    files.insert(next, (ino, bytes));
                    next += 1;
                }
                2 if files.len() > 100 => {
                    let key = any(&mut rng).unwrap();
                    fs.unlink(1, format!("file-{key}").as_bytes()).unwrap();
                    files.remove(&key);
                }
                3 => {
                    let Some(key) = any(&mut rng) else { continue };
                    let (ino, bytes) = files.get_mut(&key).unwrap();
                    let at = rng.below(bytes.len() as u64) as usize;
                    let fresh = rng.bytes((bytes.len() - at) as u64);
                    fs.write(*ino, at as u64, &fresh, false).unwrap();
                    bytes[at..].copy_from_slice(&fresh);
                }
                4 => {
                    let Some(key) = any(&mut rng) else { continue };
                    fs.fsync(files[&key].0, false).unwrap();
                }
                _ => {
                    let first = any(&mut rng).unwrap_or(0);
                    for (ino, bytes) in files.range(first..).take(8).map(|(_, file)| file) {
                        assert!(read(&fs, *ino) == *bytes, "file {ino}");
                    }
                }
            }
        }
        assert_eq!(fs.volume.neighbours.refused(), 0, "a part held what was there before");
        fs.shutdown().unwrap();
        demand_sound(&*device, "at the end");
    });
}
