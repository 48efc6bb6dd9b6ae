//! The bytes on disk (docs/format.md). Everything numeric is generated from src/format/layout.ts.

mod codec;
mod descriptor;
mod equations;
mod geometry;
#[rustfmt::skip]
pub mod layout;
mod page;
mod prime;
mod region;
mod segment;
mod segment_map;
pub mod slot;
pub mod superblock;
mod trajectory;

pub use codec::{BlockCodec, BlockFault, FaultKind, MakeCodec, PlainCodec, Stored};
pub use descriptor::{BlockPlace, DATA_COPIES, Descriptor, DescriptorTable, Random, Stamp};
pub use equations::{Equations, Held};
pub use geometry::{
    AREA_BLOCKS_MIN, Geometry, LOG_BLOCKS_MAX, LOG_BLOCKS_MIN, WINDOW_BLOCKS_MIN, unknown_descriptors,
};
pub use page::{PageBytes, bit, is_later, load_page, page_txn, set_bit, set_page_txn, store_page};
pub use prime::{is_prime, prime_at_most};
pub use region::{PageMap, REGIONS, Region};
pub use segment::{SEGMENT_SIZE, Segment};
pub use segment_map::SegmentMap;
pub use slot::{Kind, Slot, SlotBytes};
pub use trajectory::{Equation, Window, seed_hash};
