//! The device fails while a crashed volume is opened: at each read, write and flush in turn. Opening
//! fails with an error of the device, or succeeds; once the device is well again everything is there
//! that was there before, whatever the failed opening had written, and also if the power fails then.

use crate::read_faults::blocks_read;
use crate::rig::{open, options, record};
use crate::watch::within;
use crate::workloads::{Case, cases};
use hn4_core::base::Code;
use hn4_core::device::Device;
use hn4_core::device::testing::{CountingDevice, Fault, FaultDevice, MemDevice, Op, RecordingDevice, When};
use hn4_core::testing::{Rng, Tree, check_volume, read_only_tree, read_tree, try_open};
use hn4_core::vfs::Vfs;
use hn4_core::volume::{OpenOptions, Reporter};
use std::sync::{Arc, Mutex};

/// Crashed volumes of a life: cuts spread over it.
fn crashed(case: &Case, seed: u64, count: usize) -> Vec<MemDevice> {
    let run = record(&case.setup, case.run, seed);
    let cuts = run.trace.cuts();
    let mut cursor = run.trace.cursor(&run.base);
    let mut images = Vec::new();
    for number in 1..=count {
        cursor.advance_to(cuts[cuts.len() * number / (count + 1)]);
        images.push(cursor.crash(seed + number as u64));
    }
    images
}

/// Operations of each kind of an opening, with everything read once, and a closing.
fn operations(image: &MemDevice, read_only: bool) -> [(Op, u64); 3] {
    let device = Arc::new(CountingDevice::new(Arc::new(image.snapshot())));
    let (fs, _) = open(device.clone(), OpenOptions { read_only, ..options(true) }).unwrap();
    let opened = device.counts();
    read_tree(&fs).unwrap();
    let read = device.counts().reads;
    fs.shutdown().unwrap();
    let all = device.counts();
    let (writes, flushes) =
        if read_only { (opened.writes, opened.flushes) } else { (all.writes, all.flushes) };
    [(Op::Read, read), (Op::Write, writes), (Op::Flush, flushes)]
}

/// One opening with a fault. Error: what is wrong.
fn meet(image: &MemDevice, tree: &Tree, read_only: bool, wrong: (Op, When, Fault)) -> Result<(), String> {
    let memory = Arc::new(image.snapshot());
    let failing = Arc::new(FaultDevice::new(memory.clone()));
    let device = Arc::new(RecordingDevice::new(failing.clone()));
    let (op, when, fault) = wrong;
    let once = matches!(when, When::Nth(_));
    failing.add(op, when, fault);
    let with = OpenOptions { read_only, ..options(true) };
    match try_open(device.clone(), with) {
        Err(error) if !matches!(error.code, Code::Io | Code::Corrupt | Code::DataDamaged) => {
            return Err(format!("opening fails with {error}"));
        }
        Err(error) if error.to_string().len() < 20 => return Err(format!("says only {error}")),
        Err(_) => {}
        Ok((fs, _)) => {
            match read_tree(&fs) {
                Ok(seen) if seen != *tree => return Err("opened, it shows something else".into()),
                // A file whose bytes could not be read is an error for its reader.
                Err(error) if op != Op::Read => return Err(format!("opened, but {error}")),
                _ => {}
            }
            if once && op == Op::Read && read_tree(&fs).as_ref() != Ok(tree) {
                return Err("after one failed read, not everything can be read".into());
            }
            let closed = fs.shutdown();
            // Else it may have stopped writing.
            if once && op == Op::Read {
                closed.map_err(|error| format!("after one failed read it does not close: {error}"))?;
            }
        }
    }
    failing.clear();
    let trace = device.take_trace();
    let mut cursor = trace.cursor(image);
    cursor.advance_to(trace.events.len());
    let left = [memory.snapshot(), cursor.durable(), cursor.crash(7)];
    for (state, what) in left.into_iter().zip(["killed", "nothing unflushed", "power cut"]) {
        let seen = read_only_tree(state.snapshot()).map_err(|error| format!("{what}: {error}"))?;
        if seen != *tree {
            return Err(format!("{what}: not what was there before"));
        }
        let state = Arc::new(state);
        let (fs, _) = open(state.clone(), options(true)).map_err(|error| format!("{what}: {error}"))?;
        fs.shutdown().map_err(|error| format!("{what}, closing: {error}"))?;
        check_volume(&*state as &dyn Device).map_err(|all| format!("{what}: {}", all.join("; ")))?;
    }
    Ok(())
}

/// Of each kind 300 operations with HN4_LONG=1 (or all, if they are fewer), else a few.
fn each_in_turn(name: &'static str) {
    let long = std::env::var_os("HN4_LONG").is_some();
    let (images, few) = if long { (6, 300) } else { (2, 5) };
    let case = cases().into_iter().find(|case| case.name == name).unwrap();
    let met = within(3600, name, move || {
        let mut met = 0;
        for (number, image) in crashed(&case, 3, images).iter().enumerate() {
            let tree = read_only_tree(image.snapshot()).unwrap();
            for read_only in [false, true] {
                for (op, total) in operations(image, read_only) {
                    let mut rng = Rng::new(total);
                    for nth in (0..total).filter(|_| rng.chance(few.min(total), total)) {
                        let faults: &[Fault] = match op {
                            Op::Write => &[Fault::Eio, Fault::ShortWrite],
                            _ => &[Fault::Eio],
                        };
                        for (fault, when) in faults
                            .iter()
                            .flat_map(|fault| [When::Nth(nth), When::From(nth)].map(|when| (*fault, when)))
                        {
                            let what = format!(
                                "{name}, image {number}, read only {read_only}, {op:?} {when:?} {fault:?}"
                            );
                            if let Err(text) = meet(image, &tree, read_only, (op, when, fault)) {
                                panic!("{what}: {text}");
                            }
                            met += 1;
                        }
                    }
                }
            }
        }
        met
    });
    println!("{name}: {met} openings with a fault");
    assert!(met > 20, "only {met} openings");
}

#[test]
fn faults_while_a_mixed_volume_recovers() {
    each_in_turn("mixed");
}

#[test]
fn faults_while_a_volume_of_one_copy_recovers() {
    each_in_turn("single");
}

#[test]
fn faults_while_a_volume_with_an_overwrite_area_recovers() {
    each_in_turn("area");
}

#[test]
fn faults_while_trees_recover() {
    each_in_turn("trees");
}

/// The device reads no more from some moment on, but takes writes: a host whose page cache does, over a
/// disk that is gone. What it could not read of the log is not torn.
#[test]
fn a_device_that_stops_reading_is_no_end_of_the_log() {
    let case = cases().into_iter().find(|case| case.name == "trees").unwrap();
    for image in crashed(&case, 5, 2) {
        let tree = read_only_tree(image.snapshot()).unwrap();
        let [(_, reads), ..] = operations(&image, false);
        for nth in 0..reads.min(40) {
            for read_only in [false, true] {
                meet(&image, &tree, read_only, (Op::Read, When::From(nth), Fault::Eio))
                    .unwrap_or_else(|text| panic!("from read {nth} on, read only {read_only}: {text}"));
            }
        }
    }
}

/// One block that can never be read: the volume does not open, or shows everything, or says what is wrong.
/// (Of a file's bytes the reader is told.)
#[test]
fn nothing_is_missing_without_a_word_because_of_one_unreadable_block() {
    for name in ["mixed", "single"] {
        let case = cases().into_iter().find(|case| case.name == name).unwrap();
        let (mut refused, mut told) = (0, 0);
        for image in crashed(&case, 8, 2) {
            let tree = read_only_tree(image.snapshot()).unwrap();
            for block in blocks_read(&image, |fs| drop(read_tree(fs).unwrap())) {
                let device = Arc::new(FaultDevice::new(Arc::new(image.snapshot())));
                device.add(Op::Read, When::Blocks(block..block + 1), Fault::Eio);
                let lines: Arc<Mutex<Vec<String>>> = Arc::default();
                let heard = lines.clone();
                let reporter = Reporter::new(move |line| heard.lock().unwrap().push(line.to_string()));
                let with = OpenOptions { read_only: true, reporter, ..options(true) };
                let Ok((fs, report)) = try_open(device, with) else {
                    refused += 1;
                    continue;
                };
                match read_tree(&fs) {
                    Ok(shown) if shown == tree => {}
                    Ok(_) => {
                        let said = report.dropped.is_some() || !lines.lock().unwrap().is_empty();
                        assert!(said, "{name}, block {block}: something is missing, and nobody said so");
                        told += 1;
                    }
                    Err(_) => told += 1,
                }
            }
        }
        println!("{name}: {refused} openings refused, {told} readers told");
        assert!(told > 0, "{name}: no block mattered");
    }
}
