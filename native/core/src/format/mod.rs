//! The bytes on disk (docs/format.md). Everything numeric is generated from src/format/layout.ts.

#[rustfmt::skip]
pub mod layout;
mod page;
mod region;

pub use page::{PageBytes, seal_page, verify_page};
pub use region::{PageMap, REGIONS, Region};
