//! Named cases of what fsync, write and close answer.

use crate::oracle::{Progress, check};
use crate::rig::{Rig, Setup, options};
use crate::watch::within;
use crate::workloads::bytes;
use hn4_core::base::Code;
use hn4_core::testing::{Rng, check_volume, read_only_tree};
use hn4_core::vfs::{Caller, Vfs};

#[test]
fn enospc_arrives_at_write_never_at_fsync_or_close() {
    for seed in 0..6 {
        let mut setup = Setup::new(4096);
        setup.format.dup = seed % 2 == 0;
        let rig = Rig::new(&setup);
        let mut lane = rig.lane("");
        let mut rng = Rng::new(seed);
        let (mut refused, mut count) = (0, 0);
        while refused < 40 {
            let path = format!("/f{}", rng.below(30));
            let size = 1 + rng.below(150_000);
            assert!(count < 5000, "seed {seed}: {count} steps do not fill the volume");
            let done = match (rng.below(24), lane.exists(&path)) {
                (_, false) => lane.create(&path),
                (0, _) => lane.unlink(&path),
                (1, _) => lane.truncate(&path, lane.content(&path).size / 2),
                (2..6, _) => lane.write(&path, rng.below(500) * 4096, &bytes(&mut rng, size)),
                (6..9, _) => lane.fallocate(&path, 0, rng.below(500) * 4096, size),
                _ => lane.append(&path, &bytes(&mut rng, size)),
            };
            match done {
                Ok(()) => {}
                Err(error) if error.code == Code::NoSpace => refused += 1,
                Err(error) => panic!("seed {seed}: {error}"),
            }
            count += 1;
            if lane.exists(&path) && rng.chance(1, 3) {
                lane.fsync(&path).unwrap_or_else(|error| panic!("seed {seed}, fsync {count}: {error}"));
            }
        }
        lane.syncfs().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let memory = rig.memory.clone();
        let run = rig.finish(vec![lane]);
        let tree = read_only_tree(memory.snapshot()).unwrap();
        let mut progress = Progress::default();
        run.trace.events.iter().for_each(|event| progress.take(event));
        check(&run.histories[0], &progress, &tree).unwrap();
        check_volume(&*memory).unwrap();
    }
}

/// Placed in the background, committed by nobody yet: not clean.
#[test]
fn fsync_of_a_file_whose_data_went_out_in_the_background() {
    let mut rig = Rig::new(&Setup::new(8192));
    let mut lane = rig.lane("");
    let mut rng = Rng::new(1);
    for name in ["/quiet", "/other", "/loud"] {
        lane.create(name).unwrap();
    }
    rig.start_here(&mut lane).unwrap();
    lane.write("/quiet", 0, &bytes(&mut rng, 50_000)).unwrap();
    lane.write("/other", 0, &bytes(&mut rng, 100)).unwrap();
    lane.fsync("/other").unwrap();
    for i in 0..120 {
        lane.write("/loud", i * 16_384, &bytes(&mut rng, 16_384)).unwrap();
    }
    lane.fsync("/quiet").unwrap();
    let trace = rig.device.trace();
    let mut cursor = trace.cursor(&rig.base);
    cursor.advance_to(trace.events.len());
    let tree = read_only_tree(cursor.durable()).unwrap();
    let mut progress = Progress::default();
    trace.events.iter().for_each(|event| progress.take(event));
    check(&lane.history, &progress, &tree).unwrap();
    rig.fs.shutdown().unwrap();
}

/// What the cache of files forgot is not clean for that.
#[test]
fn fsync_of_a_new_file_that_left_the_cache() {
    let with = hn4_core::volume::OpenOptions { cached_inodes: 0, ..options(true) };
    let rig = Rig::over(&Setup::new(4096), with, |memory| memory);
    let mut lane = rig.lane("");
    for i in 0..200 {
        lane.create(&format!("/f{i}")).unwrap();
    }
    for i in 0..200 {
        lane.fsync(&format!("/f{i}")).unwrap();
        let names = read_only_tree(rig.memory.snapshot()).unwrap();
        assert!(names.contains_key(&format!("/f{i}")), "/f{i} is synced and not there");
    }
    rig.fs.shutdown().unwrap();
}

/// A large save, of which the commit takes several transactions.
#[test]
fn a_renamed_file_is_never_empty_however_busy_the_volume() {
    let run = within(120, "saves", || {
        let mut setup = Setup::new(8192);
        setup.sequential = false;
        let rig = Rig::new(&setup);
        let mut lanes = vec![rig.lane("")];
        let stop = std::sync::atomic::AtomicBool::new(false);
        rig.fs.mkdir(1, b"noise", 0o700, &Caller::default()).map(drop).unwrap();
        let noise = rig.fs.mknod(1, b"n", libc::S_IFREG | 0o600, 0, &Caller::default()).unwrap().ino;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // Bounded, because every write is kept.
                for _ in 0..1000 {
                    if stop.load(std::sync::atomic::Ordering::Relaxed) {
                        break;
                    }
                    rig.fs.append(noise, &[1; 10], false).unwrap();
                    rig.fs.fsync(noise, false).unwrap();
                }
            });
            let mut rng = Rng::new(1);
            for _ in 0..150 {
                crate::workloads::save(&mut lanes[0], &mut rng, "/saved", false).unwrap();
            }
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        rig.finish(lanes)
    });
    let cuts = run.trace.cuts();
    let mut cursor = run.trace.cursor(&run.base);
    for &cut in cuts.iter().step_by(cuts.len() / 500 + 1) {
        cursor.advance_to(cut);
        let tree = read_only_tree(cursor.everything()).unwrap();
        let mut saved = tree.iter().filter(|(path, _)| *path == "/saved");
        assert!(saved.all(|(_, found)| found.attr.size > 0), "cut {cut}: the saved file is empty");
    }
}
