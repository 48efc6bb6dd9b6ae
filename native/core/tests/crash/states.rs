//! Every state of a recorded run that a power cut may leave, and what each must be good for.

use crate::oracle::{self, Progress};
use crate::reader;
use crate::rig::{Run, open, options};
use hn4_core::device::testing::{Event, MemDevice, RecordingDevice, Trace};
use hn4_core::testing::{Found, Rng, Tree, check_volume, read_only_tree, read_tree};
use hn4_core::vfs::{Caller, FileSystem, Vfs};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// How much of a run is looked at.
#[derive(Clone, Copy)]
pub struct Plan {
    /// Power cuts at each cut of the trace, beside "all arrived" and "nothing unflushed arrived".
    pub samples: u64,
    /// Of the states, one in so many is looked at.
    pub one_in: u64,
    /// Of those, one in so many crashes again during its recovery, and one in so many is written to.
    pub deep_one_in: u64,
    /// Of those, the TypeScript reader looks at one in so many, where there is one.
    pub read_one_in: u64,
    pub seed: u64,
}

/// What came of it.
#[derive(Default)]
pub struct Figures {
    pub states: u64,
    /// States of a crash during the recovery of another.
    pub second_crashes: u64,
    /// Images that the TypeScript reader looked at, and failures of its.
    pub read: u64,
    pub reader_failures: u64,
    /// All of them, each with what replays it.
    pub failures: Vec<String>,
}

/// How a state is looked at.
#[derive(Clone, Copy)]
struct Look {
    /// With crashes of its recovery, and writes.
    deep: bool,
    read: bool,
}

impl Figures {
    pub fn add(&mut self, other: Figures) {
        self.states += other.states;
        self.second_crashes += other.second_crashes;
        self.read += other.read;
        self.reader_failures += other.reader_failures;
        self.failures.extend(other.failures);
    }
}

/// Looks at the states of a run. A failure names the cut and seed that `only` takes to look at it again.
pub fn explore(name: &str, run: &Run, plan: &Plan, only: Option<(usize, u64)>) -> Figures {
    let mut figures = Figures::default();
    let mut progress = Progress::default();
    let mut cursor = run.trace.cursor(&run.base);
    // What was said before anything happened holds from the start.
    let mut behind = run.trace.events.iter().take_while(|event| matches!(event, Event::Marker(_))).count();
    run.trace.events[..behind].iter().for_each(|event| progress.take(event));
    for cut in run.trace.cuts() {
        cursor.advance_to(cut);
        run.trace.events[behind..cut.max(behind)].iter().for_each(|event| progress.take(event));
        behind = cut.max(behind);
        for sample in 0..plan.samples + 2 {
            let mut rng = Rng::new(plan.seed ^ (cut as u64) << 16 ^ sample << 48);
            let seed = rng.next_u64();
            let wanted = rng.chance(1, plan.one_in);
            let look = Look { deep: rng.chance(1, plan.deep_one_in), read: rng.chance(1, plan.read_one_in) };
            if !only.map_or(wanted, |only| only == (cut, sample)) {
                continue;
            }
            let image = cursor.sample(sample, seed);
            let look = only.map_or(look, |_| Look { deep: true, read: true });
            let saved = image.snapshot();
            let looked = catch_unwind(AssertUnwindSafe(|| {
                look_at(run, &progress, image, look, &mut rng, &mut figures)
            }));
            let failure = match looked {
                Ok(Ok(())) => continue,
                Ok(Err(text)) => text,
                Err(panic) => format!("panic: {}", panic_text(&*panic)),
            };
            save(&saved, name, cut, sample);
            figures.failures.push(format!("{name}:{cut}:{sample}: {failure}"));
            if figures.failures.len() >= 5 {
                return figures;
            }
        }
    }
    figures
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|s| s.to_string())).unwrap_or_default()
}

/// Keeps the image of a failed state in HN4_CRASH_DIR.
fn save(image: &MemDevice, name: &str, cut: usize, sample: u64) {
    if let Some(dir) = std::env::var_os("HN4_CRASH_DIR") {
        let file = format!("{}-{cut}-{sample}.img", name.replace(':', "-"));
        let _ = image.save(&std::path::Path::new(&dir).join(file));
    }
}

/// One state: read only, then writable, then closed; all three show the same, and what the oracle allows.
/// The TypeScript reader finds the same in the state.
fn look_at(
    run: &Run,
    progress: &Progress,
    image: MemDevice,
    look: Look,
    rng: &mut Rng,
    figures: &mut Figures,
) -> Result<(), String> {
    figures.states += 1;
    let tree = read_only_tree(image.snapshot()).map_err(|error| format!("read only: {error}"))?;
    for history in &run.histories {
        oracle::check(history, progress, &tree)?;
    }
    let recovery =
        beside_reader(&image, &tree, look.read, figures, || recover(&image, &tree, look.deep, rng))?;
    if !look.deep {
        return Ok(());
    }
    let mut cursor = recovery.cursor(&image);
    for cut in recovery.cuts() {
        cursor.advance_to(cut);
        let again = cursor.crash(rng.next_u64());
        figures.second_crashes += 1;
        beside_reader(&again, &tree, look.read, figures, || recover_again(&again, &tree))
            .map_err(|error| format!("second crash at {cut}: {error}"))?;
    }
    Ok(())
}

/// The TypeScript reader looks at an image while `work` is done.
fn beside_reader<R>(
    image: &MemDevice,
    tree: &Tree,
    read: bool,
    figures: &mut Figures,
    work: impl FnOnce() -> Result<R, String>,
) -> Result<R, String> {
    let asked = if read { reader::ask(image, tree) } else { None };
    let done = work()?;
    if let Some(asked) = asked {
        figures.read += 1;
        asked.answer().inspect_err(|_| figures.reader_failures += 1)?;
    }
    Ok(done)
}

/// The engine recovers the state, and closes it: the trace of the recovery.
fn recover(image: &MemDevice, tree: &Tree, deep: bool, rng: &mut Rng) -> Result<Trace, String> {
    let memory = Arc::new(image.snapshot());
    let recording = Arc::new(RecordingDevice::new(memory.clone()));
    let (fs, _) = open(recording.clone(), options(true))?;
    let recovery = recording.take_trace();
    let writable = read_tree(&fs).map_err(|error| format!("writable: {error}"))?;
    same(tree, &writable, "read only and writable")?;
    if deep {
        write_on(&fs, &memory, tree, rng)?;
    }
    fs.shutdown().map_err(|error| format!("does not close: {error}"))?;
    drop(fs);
    let closed = read_only_tree(memory.snapshot()).map_err(|error| format!("closed: {error}"))?;
    match deep {
        true => same(&but_for_root(tree), &but_for_root(&closed), "before and after writing and closing")?,
        false => same(tree, &closed, "before and after closing")?,
    }
    check_volume(&*memory).map_err(|problems| format!("closed: {}", problems.join("; ")))?;
    Ok(recovery)
}

/// A recovery that was cut short is recovered.
fn recover_again(image: &MemDevice, tree: &Tree) -> Result<(), String> {
    same(tree, &read_only_tree(image.snapshot())?, "a first and a second recovery")?;
    let (fs, _) = open(Arc::new(image.snapshot()), options(true))?;
    same(tree, &read_tree(&fs)?, "a first and a second writable recovery")?;
    fs.shutdown().map_err(|error| format!("closing: {error}"))
}

fn same(a: &Tree, b: &Tree, what: &str) -> Result<(), String> {
    if a == b {
        return Ok(());
    }
    let differs = |(path, found): (&String, &Found)| b.get(path) != Some(found);
    let first = a.iter().find(|(path, found)| differs((path, found))).map(|(path, _)| path);
    let extra = b.keys().find(|path| !a.contains_key(*path));
    Err(format!("{what} differ at {:?}", first.or(extra)))
}

/// The tree without what a file made in the root changes there: its times and blocks.
fn but_for_root(tree: &Tree) -> Tree {
    let mut tree = tree.clone();
    if let Some(root) = tree.get_mut("") {
        (root.attr.mtime, root.attr.ctime, root.attr.blocks) = (0, 0, 0);
    }
    tree
}

/// A recovered volume takes writes, and keeps them and what it had through a kill.
fn write_on(fs: &Arc<FileSystem>, memory: &MemDevice, tree: &Tree, rng: &mut Rng) -> Result<(), String> {
    let failed = |error| format!("writing after recovery: {error}");
    let name = b"written-after-recovery";
    let mut data = vec![0; 1 + rng.below(50_000) as usize];
    rng.fill(&mut data);
    let made = fs.mknod(1, name, libc::S_IFREG | 0o600, 0, &Caller::default()).and_then(|attr| {
        fs.write(attr.ino, 0, &data, false)?;
        fs.fsync(attr.ino, false)
    });
    match made {
        Err(error) if crate::lane::Lane::is_full(&error) => {}
        made => made.map_err(failed)?,
    }
    let killed =
        read_only_tree(memory.snapshot()).map_err(|error| format!("killed after recovery: {error}"))?;
    let mut kept = killed.clone();
    let new = kept.remove("/written-after-recovery");
    let wrong = new.is_some_and(|new| !new.content.is_empty() && new.content[..] != data[..]);
    if wrong {
        return Err("what was synced after recovery is not there".into());
    }
    same(&but_for_root(tree), &but_for_root(&kept), "before and after writing to a recovered volume")?;
    check_volume(memory).map_err(|problems| format!("killed after recovery: {}", problems.join("; ")))?;
    if fs.lookup(1, name).is_ok() {
        fs.unlink(1, name).map_err(failed)?;
    }
    Ok(())
}
