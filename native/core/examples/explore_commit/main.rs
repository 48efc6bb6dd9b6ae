//! Explores the commit and recovery protocol (docs/design.md 7) state by state.
//!
//! A model of two files, a few data blocks, a ring of records, two copies of one metadata page and two
//! checkpoint blocks. Every order of the writer's steps is tried; at every point the power may fail,
//! with every subset of the unflushed writes on the disk and any of them torn, or the program is killed
//! and the cache stays; also during recovery. With all rules nothing may break; without any one of them
//! something must, and the shortest way there is printed.
//!
//! Usage: explore_commit [TRANSACTIONS [CRASHES [STATES_MAX]]]. Exit code 1: not as expected.

mod disk;
mod recovery;
mod search;
mod state;
mod writer;

use search::explore;
use state::{Name, Rules, State};

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let number = |at: usize, default: usize| numbers.get(at).copied().unwrap_or(default);
    let (transactions, crashes) = (number(0, 3) as u8, number(1, 2) as u8);
    let states_max = number(2, 20_000_000);
    let all = Rules::ALL;
    let sound = [("all rules", all), ("all rules, and rot", Rules { rot: true, ..all })];
    let broken = [
        ("home writes before the proof", Rules { home_after_proof: false, ..all }),
        ("blocks used again before the proof", Rules { reuse_after_proof: false, ..all }),
        ("no flush at the start of recovery", Rules { first_flush: false, ..all }),
        ("copy A always first in recovery", Rules { bad_copy_first: false, ..all }),
        ("no epoch", Rules { epochs: false, ..all }),
        ("overlapping commits", Rules { commits_do_not_overlap: false, ..all }),
        ("both copies written at once", Rules { copies_apart: false, ..all }),
        ("tail moved before copy B is flushed", Rules { tail_after_home: false, ..all }),
        ("log blocks used again before the flush", Rules { log_reuse_after_flush: false, ..all }),
        ("a flush taken as proof, and rot", Rules { flush_is_no_proof: false, rot: true, ..all }),
    ];
    let mut as_expected = true;
    for (name, rules) in sound {
        let outcome = explore(State::start(transactions, crashes), &rules, states_max);
        let end = if outcome.cut_short { " (limit reached)" } else { "" };
        match outcome.broken {
            None => println!("{name}: holds in {} states{end}", outcome.states),
            Some((trace, rule)) => {
                as_expected = false;
                report(name, &trace, &rule);
            }
        }
    }
    for (name, rules) in broken {
        let outcome = explore(State::start(4, 2), &rules, states_max);
        match outcome.broken {
            Some((trace, rule)) => report(name, &trace, &rule),
            None => {
                as_expected = false;
                println!("{name}: NOT FOUND to break anything in {} states", outcome.states);
            }
        }
    }
    std::process::exit(i32::from(!as_expected));
}

fn report(name: &str, trace: &[Name], rule: &str) {
    println!("\n{name}: BREAKS after {} steps: {rule}", trace.len());
    for (number, step) in trace.iter().enumerate() {
        println!("  {:2}. {step}", number + 1);
    }
}
