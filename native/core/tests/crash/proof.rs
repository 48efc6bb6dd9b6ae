//! The sampled proof of every test run, and the long one.

use crate::rig::record;
use crate::states::{Figures, Plan, explore};
use crate::workloads::{Case, cases};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Records one life of a workload and looks at about `states` of what it may leave.
fn prove(case: &Case, seed: u64, states: u64, samples: u64) -> Figures {
    let read_one_in = number("HN4_CRASH_READ_ONE_IN", 1);
    let run = record(&case.setup, case.run, seed);
    let all = run.trace.cuts().len() as u64 * (samples + 2);
    let plan = Plan { samples, one_in: (all / states).max(1), deep_one_in: 20, read_one_in, seed };
    explore(&format!("{}:{seed}", case.name), &run, &plan, None)
}

/// A few states of each workload.
fn sample(name: &str) {
    sample_of(&cases().into_iter().find(|case| case.name == name).unwrap());
}

fn sample_of(case: &Case) {
    let figures = prove(case, 1, 60, 2);
    assert!(figures.failures.is_empty(), "{}", figures.failures.join("\n"));
    assert!(figures.states > 20, "only {} states", figures.states);
}

macro_rules! samples {
    ($($test:ident: $name:literal,)*) => {
        $(#[test] fn $test() { sample($name); })*
        #[test]
        fn every_workload_has_a_sample() {
            assert_eq!([$($name),*].to_vec(), cases().iter().map(|case| case.name).collect::<Vec<_>>());
        }
    };
}

samples! {
    save_with_fsync: "save-fsync",
    save_without_fsync: "save",
    git: "git",
    mail: "mail",
    append_log: "append-log",
    sqlite_rollback: "sqlite-rollback",
    sqlite_wal: "sqlite-wal",
    trees: "trees",
    links: "links",
    synced_by_others: "clean-sync",
    xattrs: "xattrs",
    truncate: "truncate",
    sparse: "sparse",
    large: "large",
    area: "area",
    cortex: "cortex",
    full: "full",
    mixed: "mixed",
    single: "single",
    strided: "strided",
    discard: "discard",
    discard_area: "discard-area",
    trim: "trim",
}

/// Those whose blocks go the most different ways.
#[test]
fn samples_with_the_test_codec() {
    for name in ["large", "area", "sparse", "mixed", "single"] {
        let case = cases().into_iter().find(|case| case.name == name).unwrap();
        sample_of(&Case { setup: case.setup.coded(), ..case });
    }
}

/// The workloads on the volumes that `HN4_CRASH_CODEC` names: plain ones, or `xor`.
fn asked_cases() -> Vec<Case> {
    match std::env::var("HN4_CRASH_CODEC").unwrap_or_default().as_str() {
        "" => cases(),
        "xor" => cases().into_iter().map(|case| Case { setup: case.setup.coded(), ..case }).collect(),
        other => panic!("no codec {other}"),
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// `HN4_CRASH=workload:seed:cut:sample`: one state again.
#[test]
fn one_state_again() {
    let Ok(which) = std::env::var("HN4_CRASH") else { return };
    let parts: Vec<&str> = which.split(':').collect();
    let case = asked_cases().into_iter().find(|case| case.name == parts[0]).expect("no such workload");
    let numbers: Vec<u64> = parts[1..].iter().map(|text| text.parse().unwrap()).collect();
    let run = record(&case.setup, case.run, numbers[0]);
    let plan = Plan {
        samples: number("HN4_CRASH_SAMPLES", 4),
        one_in: 1,
        deep_one_in: 1,
        read_one_in: 1,
        seed: numbers[0],
    };
    let figures = explore(&which, &run, &plan, Some((numbers[1] as usize, numbers[2])));
    assert_eq!(figures.states, 1, "no such state");
    assert!(figures.failures.is_empty(), "{}", figures.failures.join("\n"));
}

/// The long run: `HN4_CRASH_STATES` states at least (24,000), from `HN4_CRASH_SEED` on (1), of the
/// workloads whose names contain `HN4_CRASH_ONLY`: each at least once. `HN4_CRASH_CODEC=xor`: on volumes with the
/// blocks of the test codec. With `HN4_CRASH_READER` the
/// TypeScript reader looks at one state in `HN4_CRASH_READ_ONE_IN` (1) too.
#[test]
#[ignore = "takes minutes; npm run test:crash"]
fn long_run() {
    let wanted = number("HN4_CRASH_STATES", 24_000);
    let first = number("HN4_CRASH_SEED", 1);
    let only = std::env::var("HN4_CRASH_ONLY").unwrap_or_default();
    let cases: Vec<Case> = asked_cases().into_iter().filter(|case| case.name.contains(&only)).collect();
    let of_a_life = (wanted / cases.len() as u64).clamp(1, 300);
    let totals: Vec<Mutex<Figures>> = cases.iter().map(|_| Mutex::default()).collect();
    let (next, states) = (AtomicUsize::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, |n| n.get()) {
            scope.spawn(|| {
                loop {
                    let turn = next.fetch_add(1, Ordering::Relaxed);
                    if turn >= cases.len() && states.load(Ordering::Relaxed) >= wanted {
                        return;
                    }
                    let (which, seed) = (turn % cases.len(), first + (turn / cases.len()) as u64);
                    let figures = prove(&cases[which], seed, of_a_life, 4);
                    states.fetch_add(figures.states, Ordering::Relaxed);
                    totals[which].lock().unwrap().add(figures);
                }
            });
        }
    });
    let columns = ["workload", "states", "second crashes", "engine failures", "read", "reader failures"];
    println!("{}", row(columns.map(String::from)));
    let mut total = Figures::default();
    for (case, figures) in cases.iter().zip(totals) {
        let figures = figures.into_inner().unwrap();
        println!("{}", figures_row(case.name, &figures));
        total.add(figures);
    }
    println!("{}", figures_row("all", &total));
    assert!(total.failures.is_empty(), "{}", total.failures.join("\n"));
}

fn figures_row(name: &str, figures: &Figures) -> String {
    let Figures { states, second_crashes, read, reader_failures, failures } = figures;
    let engine_failures = failures.len() as u64 - reader_failures;
    let counts = [*states, *second_crashes, engine_failures, *read, *reader_failures];
    let mut words = vec![name.to_string()];
    words.extend(counts.map(|count| count.to_string()));
    row(words.try_into().unwrap())
}

fn row([name, rest @ ..]: [String; 6]) -> String {
    format!("{name:<16}") + &rest.map(|word| format!(" {word:>15}")).concat()
}
