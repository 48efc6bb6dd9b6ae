//! The engine against the in-memory file system: random operations, random ends (close, power cut,
//! dropped caches, a read-only look), and after each quiet moment the whole volume checked by its bytes.

mod compare;
mod data;
mod names;
mod run;
mod volumes;
mod world;

use hn4_core::testing::with_seeds;
use run::run;
use volumes::Kind;

/// Operations of one seed.
const STEPS: u64 = 400;

#[test]
fn a_default_volume_agrees_with_the_model() {
    with_seeds(6, |seed| run(seed, STEPS, Kind::of(seed, true, 1, 0)));
}

#[test]
fn a_volume_with_one_copy_agrees_with_the_model() {
    with_seeds(4, |seed| run(seed + 1000, STEPS, Kind::of(seed, false, 1, 0)));
}

#[test]
fn a_strided_volume_agrees_with_the_model() {
    with_seeds(4, |seed| run(seed + 2000, STEPS, Kind::of(seed, seed % 2 == 0, 7, 0)));
}

#[test]
fn a_scaled_volume_agrees_with_the_model() {
    with_seeds(4, |seed| run(seed + 3000, STEPS, Kind::of(seed, seed % 2 == 0, 3, 4)));
}

#[test]
fn a_full_volume_agrees_with_the_model() {
    with_seeds(4, |seed| run(seed + 4000, STEPS, Kind::full(seed)));
}

#[test]
fn volumes_with_the_test_codec() {
    with_seeds(4, |seed| run(seed + 5000, STEPS, Kind::of(seed, seed % 4 != 3, 1, 0).coded()));
}

#[test]
fn full_and_scaled_volumes_with_the_test_codec() {
    with_seeds(2, |seed| run(seed + 6000, STEPS, Kind::full(seed).coded()));
    with_seeds(2, |seed| run(seed + 7000, STEPS, Kind::of(seed, true, 3, 4).coded()));
}
