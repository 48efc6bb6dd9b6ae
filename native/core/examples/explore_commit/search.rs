//! Breadth-first search through all states, so that the first broken rule has a shortest trace.

use crate::state::{Name, Phase, Rules, State, Step};
use crate::{recovery, writer};
use std::collections::HashMap;
use std::collections::hash_map::{DefaultHasher, Entry};
use std::hash::{Hash, Hasher};

pub struct Outcome {
    pub states: usize,
    /// The steps that lead to a broken rule, and the rule.
    pub broken: Option<(Vec<Name>, String)>,
    /// The search stopped at its limit of states.
    pub cut_short: bool,
}

/// Explores everything from `start` on, up to `states_max` states.
pub fn explore(start: State, rules: &Rules, states_max: usize) -> Outcome {
    // Each state seen, and the one before it on a shortest way.
    let mut seen: HashMap<u64, u64> = HashMap::new();
    let first = fingerprint(&start);
    seen.insert(first, first);
    let mut level = vec![(first, start.clone())];
    while !level.is_empty() {
        let mut below = Vec::new();
        for (mark, state) in level {
            for (name, result) in steps(&state, rules) {
                let next = match result {
                    Ok(next) => next,
                    Err(rule) => {
                        let mut trace = trace_to(&seen, start, mark, rules);
                        trace.push(name);
                        return Outcome { states: seen.len(), broken: Some((trace, rule)), cut_short: false };
                    }
                };
                let next_mark = fingerprint(&next);
                if let Entry::Vacant(place) = seen.entry(next_mark) {
                    place.insert(mark);
                    below.push((next_mark, next));
                }
            }
            if seen.len() > states_max {
                return Outcome { states: seen.len(), broken: None, cut_short: true };
            }
        }
        level = below;
    }
    Outcome { states: seen.len(), broken: None, cut_short: false }
}

fn steps(state: &State, rules: &Rules) -> Vec<Step> {
    let mut out = Vec::new();
    match &state.phase {
        Phase::Running(running) => writer::steps(state, running, rules, &mut out),
        _ => recovery::steps(state, rules, &mut out),
    }
    if state.crashes_left > 0 && !matches!(state.phase, Phase::Off | Phase::Refused) {
        crashes(state, rules, &mut out);
    }
    out
}

fn crashes(state: &State, rules: &Rules, out: &mut Vec<Step>) {
    let mut off = state.clone();
    off.crashes_left -= 1;
    off.phase = Phase::Off;
    for disk in state.disk.after_power_cut() {
        if rules.rot && !state.world.rotted {
            for rotten in disk.with_one_rotten() {
                let mut next = State { disk: rotten, ..off.clone() };
                next.world.rotted = true;
                out.push((Name("POWER CUT, and a block rots", [0; 3]), Ok(next)));
            }
        }
        out.push((Name("POWER CUT", [0; 3]), Ok(State { disk, ..off.clone() })));
    }
    out.push((Name("KILL -9", [0; 3]), Ok(off)));
}

/// 64 bits: among a few million states a collision, which would hide a state, has a chance of 10^-6.
fn fingerprint(state: &State) -> u64 {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    hasher.finish()
}

/// The steps from `start` to the state with fingerprint `mark`.
fn trace_to(seen: &HashMap<u64, u64>, start: State, mark: u64, rules: &Rules) -> Vec<Name> {
    let mut marks = vec![mark];
    while let Some(before) = seen.get(&marks[marks.len() - 1])
        && *before != marks[marks.len() - 1]
    {
        marks.push(*before);
    }
    let mut state = start;
    let mut trace = Vec::new();
    for mark in marks.iter().rev().skip(1) {
        let found = steps(&state, rules).into_iter().find_map(|(name, result)| {
            let next = result.ok()?;
            (fingerprint(&next) == *mark).then_some((name, next))
        });
        let Some((name, next)) = found else { break };
        trace.push(name);
        state = next;
    }
    trace
}
