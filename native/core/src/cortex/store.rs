//! What the cortex needs from the page cache.

use std::sync::Arc;

use crate::base::Result;
use crate::format::{Region, SlotBytes};

/// Access to the pages of cortex and stash. All methods may be called from many threads.
pub trait SlotStore: Sync {
    type Page: SlotPage;

    /// Brings a page to memory (may do I/O, may fail); the handle keeps it there.
    fn page(&self, region: Region, page: u64) -> Result<Self::Page>;

    /// Is the page known, without I/O, to hold no slot (its initialised bit is clear and it was
    /// not born since)? `false` is always a correct answer. Called with a pool lock held.
    fn is_blank(&self, region: Region, page: u64) -> bool;
}

/// What a change of the store's slots must have in hand.
pub type In<'a, S> = <<S as SlotStore>::Page as SlotPage>::In<'a>;

/// A page held in memory. Its internal lock is short: no I/O happens under it.
pub trait SlotPage: Clone + Send {
    /// Reads the payload (4032 bytes: 21 slots of 192).
    fn with<R>(&self, f: impl FnOnce(&[u8]) -> R) -> R;

    /// What a change must have in hand: the transaction it belongs to.
    type In<'a>: Copy;

    /// Replaces a slot's 192 bytes (all zero = empty) and notes the change. Never fails, no I/O.
    fn put(&self, slot: usize, bytes: &SlotBytes, inside: Self::In<'_>);
}

impl<S: SlotStore + Send> SlotStore for Arc<S> {
    type Page = S::Page;

    fn page(&self, region: Region, page: u64) -> Result<Self::Page> {
        (**self).page(region, page)
    }
    fn is_blank(&self, region: Region, page: u64) -> bool {
        (**self).is_blank(region, page)
    }
}

/// Where a slot stands. Kicks move slots: a location is true only at the moment it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// CORTEX or STASH.
    pub region: Region,
    /// Page in the region.
    pub page: u64,
    /// 0 to 20.
    pub slot: u16,
}
