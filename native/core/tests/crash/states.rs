//! Every state of a recorded run that a power cut may leave, and what each must be good for.

use crate::oracle::{self, Progress};
use crate::rig::{Run, open, options, read_only_tree};
use crate::tree::{Tree, read_tree};
use hn4_core::device::testing::{Event, MemDevice, RecordingDevice, Rng};
use hn4_core::testing::check_volume;
use hn4_core::vfs::{Caller, FileSystem, Vfs};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// One state in so many is kept for the TypeScript reader.
const IMAGE_ONE_IN: u64 = 200;

/// How much of a run is looked at.
#[derive(Clone, Copy)]
pub struct Plan {
    /// Power cuts at each cut of the trace, beside "all arrived" and "nothing unflushed arrived".
    pub samples: u64,
    /// Of the states, one in so many is looked at.
    pub one_in: u64,
    /// Of those, one in so many crashes again during its recovery, and one in so many is written to.
    pub deep_one_in: u64,
    pub seed: u64,
}

/// What came of it.
#[derive(Default)]
pub struct Figures {
    pub states: u64,
    /// States of a crash during the recovery of another.
    pub second_crashes: u64,
    pub failures: Vec<String>,
}

impl Figures {
    pub fn add(&mut self, other: Figures) {
        self.states += other.states;
        self.second_crashes += other.second_crashes;
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
            let seed = plan.seed.wrapping_add((cut as u64) << 20).wrapping_add(sample);
            let mut rng = Rng::new(seed ^ 0x5eed);
            if only.is_none_or(|only| only != (cut, sample))
                && (only.is_some() || !rng.chance(1, plan.one_in))
            {
                continue;
            }
            let image = match sample {
                0 => cursor.everything(),
                1 => cursor.with_volatile(|_| false),
                _ => cursor.crash(seed),
            };
            let deep = only.is_some() || rng.chance(1, plan.deep_one_in);
            let saved = image.snapshot();
            if Rng::new(!seed).chance(1, IMAGE_ONE_IN) {
                save(&saved, "HN4_CRASH_IMAGES", name, cut, sample);
            }
            let looked =
                catch_unwind(AssertUnwindSafe(|| look(run, &progress, image, deep, &mut rng, &mut figures)));
            let failure = match looked {
                Ok(Ok(())) => continue,
                Ok(Err(text)) => text,
                Err(panic) => format!("panic: {}", panic_text(&*panic)),
            };
            save(&saved, "HN4_CRASH_DIR", name, cut, sample);
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

/// Keeps an image in the directory that a variable names: failed states in HN4_CRASH_DIR, a sample of all
/// in HN4_CRASH_IMAGES, for the TypeScript reader.
fn save(image: &MemDevice, variable: &str, name: &str, cut: usize, sample: u64) {
    if let Some(dir) = std::env::var_os(variable) {
        let file = format!("{}-{cut}-{sample}.img", name.replace(':', "-"));
        let _ = image.save(&std::path::Path::new(&dir).join(file));
    }
}

/// One state: read only, then writable, then closed; all three show the same, and what the oracle allows.
fn look(
    run: &Run,
    progress: &Progress,
    image: MemDevice,
    deep: bool,
    rng: &mut Rng,
    figures: &mut Figures,
) -> Result<(), String> {
    figures.states += 1;
    let tree = read_only_tree(image.snapshot()).map_err(|error| format!("read only: {error}"))?;
    for history in &run.histories {
        oracle::check(history, progress, &tree)?;
    }
    let memory = Arc::new(image.snapshot());
    let recording = Arc::new(RecordingDevice::new(memory.clone()));
    let (fs, _) = open(recording.clone(), options(true))?;
    let recovery = recording.take_trace();
    let writable = read_tree(&fs).map_err(|error| format!("writable: {error}"))?;
    same(&tree, &writable, "read only and writable")?;
    if deep {
        write_on(&fs, &memory, &tree, rng)?;
    }
    fs.shutdown().map_err(|error| format!("does not close: {error}"))?;
    drop(fs);
    let closed = read_only_tree(memory.snapshot()).map_err(|error| format!("closed: {error}"))?;
    same(&tree, &closed, "before and after closing")?;
    check_volume(&*memory).map_err(|problems| format!("closed: {}", problems.join("; ")))?;
    if !deep {
        return Ok(());
    }
    let mut cursor = recovery.cursor(&image);
    for cut in recovery.cuts() {
        cursor.advance_to(cut);
        let again = cursor.crash(rng.next_u64());
        figures.second_crashes += 1;
        let second =
            read_only_tree(again.snapshot()).map_err(|error| format!("second crash at {cut}: {error}"))?;
        same(&tree, &second, "a first and a second recovery")?;
        let (fs, _) = open(Arc::new(again), options(true))
            .map_err(|error| format!("second crash at {cut}: {error}"))?;
        same(&tree, &read_tree(&fs)?, "a first and a second writable recovery")?;
        fs.shutdown().map_err(|error| format!("second crash at {cut}, closing: {error}"))?;
    }
    Ok(())
}

fn same(a: &Tree, b: &Tree, what: &str) -> Result<(), String> {
    if a == b {
        return Ok(());
    }
    let differs = |(path, found): (&String, &crate::tree::Found)| b.get(path) != Some(found);
    let first = a.iter().find(|(path, found)| differs((path, found))).map(|(path, _)| path);
    let extra = b.keys().find(|path| !a.contains_key(*path));
    Err(format!("{what} differ at {:?}", first.or(extra)))
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
    same(tree, &kept, "before and after writing to a recovered volume")?;
    check_volume(memory).map_err(|problems| format!("killed after recovery: {}", problems.join("; ")))?;
    if fs.lookup(1, name).is_ok() {
        fs.unlink(1, name).map_err(failed)?;
    }
    Ok(())
}
