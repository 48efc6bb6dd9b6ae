//! Two directories get the same random system calls and must answer the same: a mounted file
//! system and the host's as oracle. Replayable by its seed.

mod apply;
mod steps;

use apply::Side;
use std::path::Path;
use steps::Dice;

/// Runs `count` steps of the sequence that belongs to `seed` in both directories, which are
/// empty. The error tells seed, step, both answers and the steps before.
pub fn compare(subject: &Path, oracle: &Path, seed: u64, count: usize) -> Result<(), String> {
    let mut dice = Dice::new(seed);
    let (mut left, mut right) = (Side::new(subject), Side::new(oracle));
    let mut past = Vec::new();
    for number in 0..count {
        let step = dice.step();
        let (found, expected) = (left.apply(&step), right.apply(&step));
        past.push(format!("{number}: {step:?} -> {expected:?}"));
        if found != expected {
            let tail = past[past.len().saturating_sub(40)..].join("\n");
            return Err(format!(
                "seed {seed}, step {number}: {step:?}\nfound {found:?}\nexpected {expected:?}\n{tail}"
            ));
        }
    }
    let (found, expected) = (left.tree(), right.tree());
    if found != expected {
        return Err(format!("seed {seed}: the trees differ\nfound {found:#?}\nexpected {expected:#?}"));
    }
    Ok(())
}
