//! The bytes on disk (docs/format.md). Everything numeric is generated from src/format/layout.ts.

#[rustfmt::skip]
pub mod layout;
mod equations;
mod page;
mod prime;
mod region;
mod segment;
mod segment_map;
mod trajectory;

pub use equations::{Equations, Held};
pub use page::{PageBytes, seal_page, verify_page};
pub use prime::{is_prime, prime_at_most};
pub use region::{PageMap, REGIONS, Region};
pub use segment::{SEGMENT_SIZE, Segment};
pub use segment_map::SegmentMap;
pub use trajectory::{Equation, Window, seed_hash};
