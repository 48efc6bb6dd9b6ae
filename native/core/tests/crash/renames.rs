//! A rename is never durable before the data that the file had: a search over the moments of a commit, with
//! log, space and overwrite area at their limits.
//!
//! The commit is held at one of its reads, writes and flushes while another thread renames files whose data is
//! delayed, as much of it as a transaction takes, and goes on writing to them. Every state of the device after
//! that must show each new name with the bytes that the file had when it was renamed.

use crate::lane::Lane;
use crate::oracle::{Progress, check};
use crate::rig::{Rig, Setup, options};
use crate::watch::within;
use crate::workloads::bytes;
use hn4_core::base::{BlockNumber, Result};
use hn4_core::device::Device;
use hn4_core::device::testing::{Event, MemDevice};
use hn4_core::testing::{Rng, read_only_tree};
use hn4_core::vfs::{Caller, Vfs};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// How long a held commit waits for what is done meanwhile. That may wait for the commit in turn: then it is
/// done behind it, which is right too.
const PATIENCE: Duration = Duration::from_millis(300);

/// The moment at which the other thread is let in, and the word that it is done.
struct Moment {
    /// Transfers until then.
    left: u64,
    go: Sender<()>,
    done: Receiver<()>,
}

/// A device that is held at a moment.
struct Held {
    memory: Arc<MemDevice>,
    moment: Mutex<Option<Moment>>,
}

impl Held {
    fn transfer(&self) {
        let due = {
            let mut moment = self.moment.lock();
            match &mut *moment {
                Some(Moment { left: 0, .. }) => moment.take(),
                Some(moment) => {
                    moment.left -= 1;
                    None
                }
                None => None,
            }
        };
        if let Some(Moment { go, done, .. }) = due {
            go.send(()).expect("the other thread waits");
            let _ = done.recv_timeout(PATIENCE);
        }
    }
}

impl Device for Held {
    fn block_count(&self) -> u64 {
        self.memory.block_count()
    }
    fn read(&self, at: BlockNumber, buf: &mut [u8]) -> Result<()> {
        self.transfer();
        self.memory.read(at, buf)
    }
    fn write(&self, at: BlockNumber, buf: &[u8]) -> Result<()> {
        self.transfer();
        self.memory.write(at, buf)
    }
    fn write_vectored(&self, at: BlockNumber, bufs: &[&[u8]]) -> Result<()> {
        self.transfer();
        self.memory.write_vectored(at, bufs)
    }
    fn flush(&self) -> Result<()> {
        self.transfer();
        self.memory.flush()
    }
    fn discard(&self, at: BlockNumber, count: u64) -> Result<()> {
        self.memory.discard(at, count)
    }
    fn read_only(&self) -> bool {
        false
    }
}

/// What the renamed files are.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// New, of many blocks: together as many as may be delayed.
    New,
    /// Overwritten here and there, so that the overwrite area is asked for.
    Overwritten,
    /// With holes.
    Sparse,
    /// Written on after the rename, and renamed again.
    WrittenOn,
}

const FILES: u64 = 8;

/// Files of a kind, with delayed data, of `total` blocks together.
fn write_files(lane: &mut Lane, rng: &mut Rng, kind: Kind, total: u64) {
    for i in 0..FILES {
        let (path, blocks) = (format!("/tmp{i}"), total / FILES);
        match kind {
            Kind::Overwritten => {
                for block in (0..blocks).step_by(8) {
                    lane.write(&path, block * 4096, &bytes(rng, 4096)).unwrap();
                }
            }
            Kind::Sparse => {
                for block in (0..blocks).step_by(16) {
                    lane.write(&path, block * 9 * 4096, &bytes(rng, 3 * 4096 + 5)).unwrap();
                }
            }
            Kind::New | Kind::WrittenOn => {
                for part in 0..4 {
                    lane.write(&path, part * blocks / 4 * 4096, &bytes(rng, blocks / 4 * 4096)).unwrap();
                }
            }
        }
    }
}

/// Renames all of them, every other over a file.
fn rename_files(lane: &mut Lane, rng: &mut Rng, kind: Kind) {
    for i in 0..FILES {
        let name = if i % 2 == 0 { format!("/target{i}") } else { format!("/new{i}") };
        lane.rename(&format!("/tmp{i}"), &name).unwrap();
        if let Kind::WrittenOn = kind {
            lane.append(&name, &bytes(rng, 30_000)).unwrap();
            lane.write(&name, 5000, &bytes(rng, 10_000)).unwrap();
            lane.rename(&name, &format!("/again{i}")).unwrap();
        }
    }
}

/// One life: a commit held before its transfer `at`. False: it has fewer.
fn held(setup: &Setup, kind: Kind, at: u64, total: u64) -> bool {
    let mut device = None;
    let mut rig = Rig::over(setup, options(false), |memory| {
        let held = Arc::new(Held { memory, moment: Mutex::new(None) });
        device = Some(held.clone());
        held
    });
    let device = device.expect("made");
    for dir in ["a", "b"] {
        rig.fs.mkdir(1, dir.as_bytes(), 0o755, &Caller::default()).unwrap();
    }
    let (mut asker, mut mover) = (rig.lane("/a"), rig.lane("/b"));
    let mut rng = Rng::new(at);
    asker.create("/f").unwrap();
    for i in 0..FILES {
        mover.create(&format!("/tmp{i}")).unwrap();
        mover.create(&format!("/target{i}")).unwrap();
        if let Kind::Overwritten = kind {
            mover.write(&format!("/tmp{i}"), 0, &bytes(&mut rng, total / FILES * 4096)).unwrap();
        }
    }
    asker.syncfs().unwrap();
    mover.syncfs().unwrap();
    rig.restart();
    asker.mark_all();
    mover.mark_all();

    let ((go, gone), (tell, done)) = (channel(), channel());
    let other = std::thread::spawn(move || {
        let asked = gone.recv().is_ok();
        if asked {
            write_files(&mut mover, &mut rng, kind, total);
            rename_files(&mut mover, &mut rng, kind);
        }
        let _ = tell.send(());
        (mover, asked)
    });
    asker.append("/f", &[1; 9000]).unwrap();
    *device.moment.lock() = Some(Moment { left: at, go, done });
    asker.fsync("/f").unwrap();
    // Where it was not reached, the other thread learns that nobody will ask.
    drop(device.moment.lock().take());
    let (mover, asked) = other.join().expect("the renames succeed");
    for round in 0..3 {
        asker.append("/f", &[round; 500]).unwrap();
        asker.fsync("/f").unwrap();
    }
    let run = rig.finish(vec![asker, mover]);
    let mut cursor = run.trace.cursor(&run.base);
    let mut progress = Progress::default();
    // What was said before anything happened holds from the start.
    let mut behind = run.trace.events.iter().take_while(|event| matches!(event, Event::Marker(_))).count();
    run.trace.events[..behind].iter().for_each(|event| progress.take(event));
    for cut in run.trace.cuts() {
        cursor.advance_to(cut);
        run.trace.events[behind..cut.max(behind)].iter().for_each(|event| progress.take(event));
        behind = cut.max(behind);
        for image in [cursor.everything(), cursor.durable()] {
            let tree = read_only_tree(image).unwrap();
            for history in &run.histories {
                check(history, &progress, &tree)
                    .unwrap_or_else(|text| panic!("{kind:?}, held at {at}, cut {cut}: {text}"));
            }
        }
    }
    asked
}

/// Each moment of the commit; the case must have happened.
fn search(kind: Kind, blocks: u64, total: u64, dup: bool) {
    within(280, "the search", move || {
        let mut setup = Setup::new(blocks);
        setup.format.dup = dup;
        let moments = (0..).take_while(|at| held(&setup, kind, *at, total)).count();
        assert!(moments >= 3, "the case did not happen: the commit has {moments} transfers");
    });
}

/// As many blocks as the record of the smallest log is for.
const WHOLE_LOG: u64 = 2200;

#[test]
fn with_new_files_and_the_log_at_its_limit() {
    search(Kind::New, 32_768, WHOLE_LOG, true);
}

#[test]
fn with_files_written_on_and_the_log_at_its_limit() {
    search(Kind::WrittenOn, 32_768, WHOLE_LOG, true);
}

#[test]
fn with_overwritten_files_and_the_area_at_its_limit() {
    search(Kind::Overwritten, 8192, 1600, true);
}

#[test]
fn with_sparse_files_and_space_at_its_limit() {
    search(Kind::Sparse, 4096, 1200, true);
}

#[test]
fn with_one_copy_of_the_metadata() {
    search(Kind::Overwritten, 8192, 800, false);
}
