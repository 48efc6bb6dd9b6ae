//! Metadata pages in memory: loaded from either copy, changed by transactions, written home by
//! checkpoints (docs/format.md 2, design.md "transactions").
//!
//! Invariants:
//! - a page's image holds every finished change, also those of the running transaction;
//! - what changed in the running transaction is known item by item until the commit takes it;
//! - a checkpoint's snapshot is taken while no operation runs, so it is the state at a
//!   transaction's end; later changes copy the image first (`Arc::make_mut`).

mod cache;
mod count;
mod images;
mod init;
mod init_map;
mod page;
mod restore;
mod snapshot;

pub use cache::{PageCache, PageStats};
pub use images::{PageImage, Snapshot};
pub use init_map::InitMap;
pub use page::{CachedPage, Change, Changes};
