//! The bytes on disk (docs/format.md). Everything numeric is generated from src/format/layout.ts.

#[rustfmt::skip]
pub mod layout;
mod region;
pub mod slot;

pub use region::Region;
pub use slot::{Kind, Slot, SlotBytes};
