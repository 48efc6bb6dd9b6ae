//! The device fails: at each write, flush or read in turn. The volume stops writing and says so once,
//! reads go on, nothing that was synced is lost, closing comes to an end.

use crate::oracle::{Progress, check};
use crate::rig::{Rig, Setup, open, options};
use crate::watch::within;
use crate::workloads::{Case, cases};
use hn4_core::base::Code;
use hn4_core::device::testing::{Fault, FaultDevice, Op, When};
use hn4_core::testing::{Rng, check_volume, read_only_tree, read_tree};
use hn4_core::vfs::{Caller, Vfs};
use hn4_core::volume::{OpenOptions, Reporter};
use std::sync::{Arc, Mutex};

/// What goes wrong.
#[derive(Clone, Debug)]
struct Wrong {
    op: Op,
    when: When,
    fault: Fault,
}

/// How a life with a fault went.
#[derive(Default)]
struct Outcome {
    /// The fault was met.
    met: bool,
    problems: Vec<String>,
}

/// Operations of a kind until the workload ends.
fn count(case: &Case, op: Op, seed: u64) -> u64 {
    let mut rig = Rig::new(&case.setup);
    let before = rig.device.counts();
    let mut lane = rig.lane("");
    (case.run)(&mut rig, &mut lane, &mut Rng::new(seed)).unwrap();
    let counts = rig.device.counts().since(before);
    drop(lane);
    rig.fs.shutdown().unwrap();
    match op {
        Op::Read => counts.reads,
        Op::Write => counts.writes,
        Op::Flush => counts.flushes,
        Op::Discard => counts.discards,
    }
}

/// One life with a fault.
fn live(setup: &Setup, run: crate::rig::Workload, seed: u64, wrong: &Wrong) -> Outcome {
    let mut outcome = Outcome::default();
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let reporter = Reporter::new({
        let lines = lines.clone();
        move |line| lines.lock().unwrap().push(line.to_string())
    });
    let mut failing = None;
    let with = OpenOptions { reporter, ..options(setup.sequential) };
    let mut rig = Rig::over(setup, with, |memory| {
        let device = Arc::new(FaultDevice::new(memory));
        failing = Some(device.clone());
        device
    });
    let failing = failing.unwrap();
    let mut lane = rig.lane("");
    failing.add(wrong.op, wrong.when.clone(), wrong.fault);
    let mut problem = |text: String| outcome.problems.push(text);

    let ended = run(&mut rig, &mut lane, &mut Rng::new(seed));
    if let Err(error) = &ended
        && !matches!(error.code, Code::Io | Code::ReadOnly | Code::Corrupt | Code::DataDamaged)
    {
        problem(format!("the workload ended with {error}"));
    }
    let stopped = || lines.lock().unwrap().iter().filter(|line| line.contains("read-only")).count();
    if ended.is_err() && wrong.op != Op::Read {
        let written = rig.device.counts();
        let refused = rig.fs.mknod(1, b"after", libc::S_IFREG | 0o600, 0, &Caller::default());
        if !refused.as_ref().is_err_and(|error| matches!(error.code, Code::Io | Code::ReadOnly)) {
            problem(format!("after the failure a file can be made: {refused:?}"));
        }
        if rig.fs.syncfs().is_ok() {
            problem("after the failure syncfs answers that all is well".into());
        }
        // Names and bytes in memory are still there to be read.
        match read_tree(&rig.fs) {
            Err(error) => problem(format!("after the failure: {error}")),
            Ok(tree) => {
                let mut progress = Progress::default();
                progress.at_the_end(&lane.history);
                if let Err(error) = check(&lane.history, &progress, &tree) {
                    problem(format!("after the failure, in memory: {error}"));
                }
            }
        }
        let later = rig.device.counts().since(written);
        if setup.sequential && (later.writes, later.flushes) != (0, 0) {
            problem(format!("it writes after the failure: {later:?}"));
        }
    }
    let closed = rig.fs.shutdown();
    if closed.is_ok() && stopped() > 0 {
        problem("close calls a failed volume closed".into());
    }
    outcome.met = stopped() > 0 || ended.is_err();
    if stopped() > 1 || wrong.op != Op::Read && ended.is_err() && stopped() != 1 {
        outcome.problems.push(format!("said {:?}", lines.lock().unwrap()));
    }
    drop(lane.fs.clone());
    // What reached the device by itself, and what a power cut leaves of it.
    let trace = rig.device.take_trace();
    let mut progress = Progress::default();
    trace.events.iter().for_each(|event| progress.take(event));
    let mut cursor = trace.cursor(&rig.base);
    cursor.advance_to(trace.events.len());
    let images = [rig.memory.snapshot(), cursor.crash(seed), cursor.durable()];
    for (image, what) in images.into_iter().zip(["killed", "power cut", "nothing unflushed"]) {
        let looked = read_only_tree(image.snapshot()).and_then(|tree| check(&lane.history, &progress, &tree));
        if let Err(error) = looked {
            outcome.problems.push(format!("{what}: {error}"));
            continue;
        }
        let image = Arc::new(image);
        match open(image.clone(), options(true)).map(|(fs, _)| fs.shutdown()) {
            Ok(Ok(())) => {
                if let Err(problems) = check_volume(&*image) {
                    outcome.problems.push(format!("{what}, closed: {}", problems.join("; ")));
                }
            }
            failed => outcome.problems.push(format!("{what}: {failed:?}")),
        }
    }
    outcome
}

/// `lives` lives of each workload with a fault of each kind.
fn each_in_turn(op: Op, faults: &[Fault], lives: u64, sequential: bool) {
    for case in cases() {
        let seed = 1;
        let total = count(&case, op, seed);
        let mut met = 0;
        for life in 0..lives.min(total) {
            let nth = if lives >= total { life } else { total * life / lives };
            let fault = faults[life as usize % faults.len()];
            let when = if life % 2 == 0 { When::Nth(nth) } else { When::From(nth) };
            let wrong = Wrong { op, when, fault };
            let what = format!("{}, {wrong:?}", case.name);
            let (run, mut setup) = (case.run, case.setup.clone());
            setup.sequential = sequential;
            let outcome = within(60, &what, move || live(&setup, run, seed, &wrong));
            assert!(outcome.problems.is_empty(), "{what}:\n{}", outcome.problems.join("\n"));
            met += u64::from(outcome.met);
        }
        assert!(total == 0 || met * 2 > lives.min(total), "{}: only {met} lives met their fault", case.name);
    }
}

fn lives() -> u64 {
    std::env::var("HN4_FAULT_LIVES").ok().and_then(|text| text.parse().ok()).unwrap_or(6)
}

#[test]
fn a_failed_write_stops_the_volume() {
    each_in_turn(Op::Write, &[Fault::Eio, Fault::NoSpace, Fault::ShortWrite], lives(), true);
}

#[test]
fn a_failed_flush_stops_the_volume() {
    each_in_turn(Op::Flush, &[Fault::Eio], lives(), true);
}

#[test]
fn a_failed_write_stops_the_volume_with_all_threads() {
    each_in_turn(Op::Write, &[Fault::Eio, Fault::NoSpace, Fault::ShortWrite], lives() / 2, false);
}

#[test]
fn a_failed_flush_stops_the_volume_with_all_threads() {
    each_in_turn(Op::Flush, &[Fault::Eio], lives() / 2, false);
}
