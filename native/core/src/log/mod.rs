//! The redo log (docs/format.md 7, docs/design.md 7): records, checkpoint blocks, the ring, and replay.
//!
//! A record states the condition of slots, descriptors, map bits and extension units after its
//! transaction. Nothing in this module decides when a record may be written, go home or be forgotten;
//! the volume does, by the rules of the commit protocol that `examples/explore_commit` checks.

mod apply;
pub mod checkpoint;
mod codec;
mod item;
mod later;
mod outcome;
mod read;
mod record;
#[cfg(test)]
mod record_tests;
#[cfg(test)]
mod refusal_tests;
mod replay;
#[cfg(test)]
mod replay_tests;
mod ring;
mod rules;
#[cfg(test)]
mod test_log;
mod verify;
mod view;

pub use apply::{PageImages, apply_record};
pub use item::{DescriptorRun, Item, Items};
pub use outcome::{Dropped, LogPoint, NamedBlock, Recovered, Rewrite};
pub use record::{
    Commit, RecordBuilder, blocks_of, descriptors_bytes, page_bytes, run_bytes, slot_bytes, slot_clear_bytes,
    unit_bytes,
};
pub use replay::{recover, recover_past, replay};
pub use ring::{Ring, write_record};
pub use view::RecordView;

/// Numbers of the whole volume that every record and checkpoint block carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Numbers from here on were never given to a file.
    pub next_number: u64,
    /// Live blocks: (owner, index, copy) with a block.
    pub live_blocks: u64,
    /// Slots in use.
    pub files: u64,
    /// Extension units in use.
    pub units: u64,
}

impl Counters {
    /// Whether a volume of this geometry can have them.
    pub(crate) fn possible(&self, geometry: &crate::format::Geometry) -> bool {
        use crate::format::layout::INO_FIRST;
        (INO_FIRST..=NUMBER_MAX).contains(&self.next_number)
            && self.live_blocks <= geometry.data_blocks()
            && self.files <= geometry.slots()
            && self.units < geometry.units()
    }
}

/// Largest transaction number: descriptors store 48 bits.
pub const TXN_MAX: u64 = (1 << 48) - 1;
/// File numbers are at most this (docs/format.md 3).
pub const NUMBER_MAX: u64 = (1 << 53) - 1;
