//! What durability costs: flushes counted by the device.

use crate::lane::Lane;
use crate::rig::{Rig, Setup, options};
use crate::states::{Plan, explore};
use crate::watch::within;
use crate::workloads::bytes;
use hn4_core::base::{BlockNumber, Result};
use hn4_core::device::Device;
use hn4_core::device::testing::{Event, MemDevice};
use hn4_core::testing::{Rng, read_only_tree};
use hn4_core::vfs::{Caller, Vfs};
use std::sync::Arc;
use std::time::Duration;

/// A log so long that no checkpoint comes in between.
fn long_log() -> Setup {
    let mut setup = Setup::new(8192);
    setup.format.log_blocks = Some(2048);
    setup
}

#[test]
fn a_lone_fsync_flushes_exactly_once() {
    let rig = Rig::new(&long_log());
    let mut lane = rig.lane("");
    let mut rng = Rng::new(1);
    for i in 0..60u64 {
        let path = format!("/f{}", i % 5);
        if !lane.exists(&path) {
            lane.create(&path).unwrap();
        }
        lane.append(&path, &bytes(&mut rng, 1 + i * 211)).unwrap();
        rig.device.take_trace();
        lane.fsync(&path).unwrap();
        let events = rig.device.take_trace().events;
        let flushes = events.iter().filter(|event| matches!(event, Event::FlushBegin { .. })).count();
        assert_eq!(flushes, 1, "fsync {i}");
        // Everything it wrote returned before the flush was called, and the flush before the answer.
        let begins = events.iter().position(|event| matches!(event, Event::FlushBegin { .. })).unwrap();
        assert!(matches!(
            events[begins..],
            [Event::FlushBegin { .. }, Event::End { ok: true, .. }, Event::Marker(_)]
        ));
    }
    rig.fs.shutdown().unwrap();
}

#[test]
fn fsync_where_nothing_waits_does_nothing() {
    let rig = Rig::new(&long_log());
    let mut lane = rig.lane("");
    lane.create("/clean").unwrap();
    lane.write("/clean", 0, &[7; 9000]).unwrap();
    lane.fsync("/clean").unwrap();
    let before = rig.device.counts();
    lane.fsync("/clean").unwrap();
    lane.fsync("").unwrap();
    let since = rig.device.counts().since(before);
    assert_eq!((since.writes, since.flushes), (0, 0));
    rig.fs.shutdown().unwrap();
}

/// Whatever was done, whoever is synced: one flush makes it durable, and then nothing waits.
#[test]
fn fsync_of_a_clean_file_takes_every_change_of_others_along_with_one_flush() {
    let rig = Rig::new(&long_log());
    let mut lane = rig.lane("");
    for name in ["/clean", "/f", "/g", "/h"] {
        lane.create(name).unwrap();
    }
    lane.mkdir("/d").unwrap();
    lane.mkdir("/gone").unwrap();
    lane.create("/d/clean").unwrap();
    lane.syncfs().unwrap();
    let unnamed = |lane: &mut Lane| {
        let made = lane.fs.tmpfile(1, 0o600, &Caller::default()).unwrap();
        lane.fs.forget(made.ino, 1);
    };
    type Change = fn(&mut Lane);
    let changes: [(&str, Change); 13] = [
        ("create", |lane| lane.create("/new").unwrap()),
        ("mkdir", |lane| lane.mkdir("/new-d").unwrap()),
        ("symlink", |lane| lane.symlink("/new-s", b"nowhere").unwrap()),
        ("link", |lane| lane.link("/f", "/d/f").unwrap()),
        ("rename", |lane| lane.rename("/g", "/d/g").unwrap()),
        ("rename over", |lane| lane.rename("/h", "/f").unwrap()),
        ("rename of the directory", |lane| lane.rename("/d", "/e").unwrap()),
        ("unlink", |lane| lane.unlink("/e/g").unwrap()),
        ("rmdir", |lane| lane.rmdir("/gone").unwrap()),
        ("chmod", |lane| lane.chmod("/f", 0o600).unwrap()),
        ("setxattr", |lane| lane.set_xattr("/f", "user.x", b"1").unwrap()),
        ("removexattr", |lane| lane.remove_xattr("/f", "user.x").unwrap()),
        // Its data is not promised and goes when it goes; that it was written is.
        ("write", |lane| lane.write("/f", 0, &[8; 9000]).unwrap()),
    ];
    for (number, (what, change)) in changes.into_iter().enumerate() {
        change(&mut lane);
        let before = rig.device.counts();
        let clean = if lane.exists("/e") { "/e/clean" } else { "/d/clean" };
        lane.fsync([clean, "/clean"][number % 2]).unwrap();
        assert_eq!(rig.device.counts().since(before).flushes, 1, "{what}");
        let names = read_only_tree(rig.memory.snapshot()).unwrap();
        let expected: Vec<&str> = lane.state().names.keys().map(|name| &**name).collect();
        assert_eq!(names.keys().map(String::as_str).collect::<Vec<_>>(), expected, "{what}");
        let before = rig.device.counts();
        lane.fsync("/clean").unwrap();
        lane.fsync("").unwrap();
        let since = rig.device.counts().since(before);
        assert_eq!((since.writes, since.flushes), (0, 0), "after {what}");
    }
    // A file without a name waits, too: it may get one.
    unnamed(&mut lane);
    let before = rig.device.counts();
    lane.fsync("/clean").unwrap();
    assert!(rig.device.counts().since(before).flushes > 0, "O_TMPFILE");
    rig.fs.shutdown().unwrap();
}

#[test]
fn syncfs_of_what_is_clean_does_nothing() {
    let rig = Rig::new(&long_log());
    let mut lane = rig.lane("");
    lane.create("/clean").unwrap();
    lane.syncfs().unwrap();
    let before = rig.device.counts();
    lane.syncfs().unwrap();
    let since = rig.device.counts().since(before);
    assert_eq!((since.writes, since.flushes), (0, 0));
    rig.fs.shutdown().unwrap();
}

/// A disk that takes its time to flush, as disks do.
struct SlowFlush(Arc<MemDevice>);

impl Device for SlowFlush {
    fn block_count(&self) -> u64 {
        self.0.block_count()
    }
    fn read(&self, at: BlockNumber, buf: &mut [u8]) -> Result<()> {
        self.0.read(at, buf)
    }
    fn write(&self, at: BlockNumber, buf: &[u8]) -> Result<()> {
        self.0.write(at, buf)
    }
    fn write_vectored(&self, at: BlockNumber, bufs: &[&[u8]]) -> Result<()> {
        self.0.write_vectored(at, bufs)
    }
    fn flush(&self) -> Result<()> {
        std::thread::sleep(Duration::from_millis(3));
        self.0.flush()
    }
    fn discard(&self, at: BlockNumber, count: u64) -> Result<()> {
        self.0.discard(at, count)
    }
    fn read_only(&self) -> bool {
        false
    }
}

#[test]
fn eight_writers_share_commits() {
    const ROUNDS: u64 = 40;
    let flushes = within(120, "eight writers", || {
        let rig = Rig::over(&long_log(), options(false), |memory| Arc::new(SlowFlush(memory)));
        let before = rig.device.counts();
        std::thread::scope(|scope| {
            for writer in 0..8 {
                let fs = rig.fs.clone();
                scope.spawn(move || {
                    let name = format!("w{writer}");
                    let who = Caller::default();
                    let ino = fs.mknod(1, name.as_bytes(), libc::S_IFREG | 0o600, 0, &who).unwrap().ino;
                    for round in 0..ROUNDS {
                        fs.append(ino, &[round as u8; 500], false).unwrap();
                        fs.fsync(ino, false).unwrap();
                    }
                });
            }
        });
        let flushes = rig.device.counts().since(before).flushes;
        rig.fs.shutdown().unwrap();
        flushes
    });
    let per_fsync = flushes as f64 / (8 * ROUNDS) as f64;
    assert!(per_fsync < 0.5, "{per_fsync} flushes per fsync");
}

/// Threads, each in its own directory, sync at will while others write; every state is good.
#[test]
fn concurrent_syncs_lose_nothing() {
    let run = within(120, "concurrent syncs", || {
        let mut setup = Setup::new(8192);
        setup.sequential = false;
        let rig = Rig::new(&setup);
        for thread in 0..4 {
            rig.fs.mkdir(1, format!("t{thread}").as_bytes(), 0o755, &Caller::default()).unwrap();
        }
        rig.fs.syncfs().unwrap();
        let mut rig = rig;
        let mut lanes: Vec<Lane> = (0..4).map(|thread| rig.lane(&format!("/t{thread}"))).collect();
        rig.restart();
        std::thread::scope(|scope| {
            for (number, lane) in lanes.iter_mut().enumerate() {
                scope.spawn(move || {
                    let mut rng = Rng::new(number as u64);
                    lane.mkdir("/a").unwrap();
                    lane.mkdir("/b").unwrap();
                    for _ in 0..60 {
                        crate::workloads::one(lane, &mut rng).unwrap();
                        crate::workloads::save(lane, &mut rng, "/saved", false).unwrap();
                    }
                });
            }
        });
        rig.finish(lanes)
    });
    let one_in = (run.trace.cuts().len() as u64 * 4 / 150).max(1);
    let figures = explore(
        "concurrent:0",
        &run,
        &Plan { samples: 2, one_in, deep_one_in: 20, read_one_in: 20, seed: 1 },
        None,
    );
    assert!(figures.failures.is_empty(), "{}", figures.failures.join("\n"));
}
