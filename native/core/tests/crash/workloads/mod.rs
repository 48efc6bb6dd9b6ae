//! What programs do to files, each recorded and cut at every write and flush.

mod databases;
mod editors;
mod fullness;
mod large;
mod mixed;
mod names;

pub use editors::save;
pub use fullness::fill_cortex;
pub use mixed::one;

use crate::rig::{Setup, Workload};
use hn4_core::testing::Rng;

/// A workload on the volume it runs on.
pub struct Case {
    pub name: &'static str,
    pub setup: Setup,
    pub run: Workload,
}

/// The smallest useful volume: 16 MiB.
const SMALL: u64 = 4096;

/// All of them.
pub fn cases() -> Vec<Case> {
    let case = |name, run: Workload| Case { name, setup: Setup::new(SMALL), run };
    let sized = |name, blocks, run: Workload| Case { name, setup: Setup::new(blocks), run };
    let mut cortex = case("cortex", fullness::cortex);
    cortex.setup.format.cortex_pages = Some(16);
    let mut single = case("single", mixed::mixed);
    single.setup.format.dup = false;
    let mut strided = case("strided", mixed::mixed);
    (strided.setup.format.stride, strided.setup.format.scale) = (7, 2);
    let mut discard = case("discard", mixed::mixed_and_trimmed);
    discard.setup.discard = true;
    let mut discard_area = case("discard-area", large::overwrite_area);
    discard_area.setup.discard = true;
    vec![
        case("save-fsync", editors::save_with_fsync),
        case("save", editors::save_without_fsync),
        case("git", editors::git),
        case("mail", editors::mail_spool),
        case("append-log", editors::append_log),
        case("sqlite-rollback", databases::rollback_journal),
        case("sqlite-wal", databases::write_ahead_log),
        case("trees", names::trees),
        case("links", names::links),
        case("clean-sync", names::synced_by_others),
        case("xattrs", names::xattrs),
        case("truncate", large::truncates),
        case("sparse", large::sparse),
        sized("large", 8192, large::large_files),
        case("area", large::overwrite_area),
        cortex,
        case("full", fullness::full_volume),
        case("mixed", mixed::mixed),
        single,
        strided,
        discard,
        discard_area,
        case("trim", mixed::mixed_and_trimmed),
    ]
}

/// Bytes that are not zero, all different.
pub fn bytes(rng: &mut Rng, length: u64) -> Vec<u8> {
    let mut bytes = rng.bytes(length);
    bytes.iter_mut().for_each(|byte| *byte |= 1);
    bytes
}

/// A size that is often small, sometimes several blocks.
pub fn some_size(rng: &mut Rng) -> u64 {
    match rng.below(4) {
        0 => rng.below(28) + 1,
        1 => rng.below(4096) + 1,
        2 => (rng.below(6) + 1) * 4096,
        _ => rng.below(40_000) + 1,
    }
}
