//! Power cuts at every write and flush of a small workload, and again during the recovery from them:
//! the volume opens, what was synced is there, and no file has bytes that it never had.

use hn4_core::device::testing::RecordingDevice;
use hn4_core::testing::{FormatOptions, Rng, formatted, open};
use hn4_core::vfs::{Caller, FileSystem, Vfs};
use hn4_core::volume::OpenOptions;
use std::collections::BTreeMap;
use std::sync::Arc;

const ROOT: u64 = 1;
const FILES: u64 = 12;
const BLOCKS: u64 = 4096;

fn name(file: u64) -> Vec<u8> {
    format!("file-{file}").into_bytes()
}

/// The content of a version of a file: its size and every byte follow from both numbers.
fn content(file: u64, version: u64) -> Vec<u8> {
    let mut rng = Rng::new(file << 32 | version);
    let length = 1 + rng.below(30_000);
    rng.bytes(length)
}

/// Replaces files and syncs them; the markers say which version is durable from there on.
fn workload(device: &Arc<RecordingDevice>, rounds: u64) {
    let fs = open(device.clone(), OpenOptions::default());
    let who = Caller::default();
    for round in 0..rounds {
        let file = round * 5 % FILES;
        let (at, temporary) = (name(file), format!("new-{round}").into_bytes());
        let ino = fs.mknod(ROOT, &temporary, libc::S_IFREG | 0o644, 0, &who).unwrap().ino;
        fs.write(ino, 0, &content(file, round + 1), false).unwrap();
        fs.rename(ROOT, &temporary, ROOT, &at, 0).unwrap();
        if round % 3 != 1 {
            fs.fsync(ino, false).unwrap();
            device.marker(format!("{file} {}", round + 1));
        }
        if round % 7 == 6 {
            fs.syncfs().unwrap();
        }
    }
    fs.shutdown().unwrap();
}

/// Checks the files of a volume; gives the version of each.
fn check(fs: &FileSystem, durable: &BTreeMap<u64, u64>, rounds: u64, what: &str) -> BTreeMap<u64, u64> {
    let mut versions = BTreeMap::new();
    let mut buf = vec![0; 40_000];
    for file in 0..FILES {
        let least = durable.get(&file).copied().unwrap_or(0);
        let attr = match fs.lookup(ROOT, &name(file)) {
            Ok(attr) => attr,
            Err(error) => {
                assert_eq!((error.errno(), least), (libc::ENOENT, 0), "{what}: file {file}: {error}");
                continue;
            }
        };
        let length = fs.read(attr.ino, 0, &mut buf).unwrap_or_else(|e| panic!("{what}: file {file}: {e}"));
        // An older name may show a file whose data was not yet committed: then it is empty.
        let found = (least.max(1)..=rounds).find(|&version| content(file, version) == buf[..length]);
        match found {
            Some(version) => {
                versions.insert(file, version);
            }
            None => assert!(length == 0 && least == 0, "{what}: file {file} has foreign bytes"),
        }
    }
    versions
}

fn cut_power(dup: bool, rounds: u64, samples: u64, seed: u64) {
    let base = formatted(&FormatOptions { dup, ..FormatOptions::smallest_log(BLOCKS) });
    let device = Arc::new(RecordingDevice::new(Arc::new(base.snapshot())));
    workload(&device, rounds);
    let trace = device.take_trace();
    let mut states = 0;
    trace.each_crash(&base, samples, seed, |state| {
        states += 1;
        let what = format!("dup {dup}, cut {}, seed {}", state.cut, state.seed);
        let mut durable = BTreeMap::new();
        for marker in trace.markers(state.cut) {
            let (file, version) = marker.split_once(' ').unwrap();
            durable.insert(file.parse().unwrap(), version.parse().unwrap());
        }
        let recovering = Arc::new(RecordingDevice::new(Arc::new(state.image.snapshot())));
        let fs = open(recovering.clone(), OpenOptions::default());
        // Only what recovery itself wrote; the threads do nothing on an idle volume without changes.
        let recovery = recovering.trace();
        let shown = check(&fs, &durable, rounds, &what);
        fs.shutdown().unwrap();
        // The power fails again, somewhere in the recovery.
        let cuts = recovery.cuts();
        let cut = cuts[Rng::new(state.seed).below(cuts.len() as u64) as usize];
        let again = recovery.crash(&state.image, cut, state.seed);
        let fs = open(Arc::new(again), OpenOptions::default());
        let what = format!("{what}, then cut {cut}");
        assert_eq!(check(&fs, &durable, rounds, &what), shown, "{what}");
        fs.shutdown().unwrap();
    });
    assert!(states > 100, "{states} states");
}

#[test]
fn two_metadata_copies_survive_power_cuts() {
    cut_power(true, 40, 2, 1);
}

#[test]
fn one_metadata_copy_survives_power_cuts() {
    cut_power(false, 40, 2, 2);
}
