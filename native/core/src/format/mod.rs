//! The bytes on disk (docs/format.md). Everything numeric is generated from src/format/layout.ts.

mod geometry;
#[rustfmt::skip]
pub mod layout;
mod page;
mod prime;
mod region;
pub mod superblock;

pub use geometry::{AREA_BLOCKS_MIN, Geometry, LOG_BLOCKS_MAX, LOG_BLOCKS_MIN, WINDOW_BLOCKS_MIN};
pub use page::{PageBytes, page_txn, seal_page, set_page_txn, verify_page};
pub use prime::{is_prime, prime_at_most};
pub use region::{PageMap, REGIONS, Region};
