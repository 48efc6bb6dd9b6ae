//! One metadata page in memory.

use crate::format::{PageBytes, Region};
use crate::transaction::cost;
use parking_lot::RwLock;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What an update touches, for the log record of the running transaction.
#[derive(Clone, Copy, Debug)]
pub enum Change {
    /// Items (slots, descriptors, units) `first .. first + count` of the page.
    Items { first: usize, count: usize },
    /// Bits `first .. first + count` of a map page.
    Bits { first: u32, count: u32 },
    /// Nothing that needs a log item of its own (the trailer's transaction moves).
    Touch,
}

/// Everything a transaction changed on one page.
pub struct Changes {
    pub region: Region,
    pub number: u64,
    /// First change ever: replay must start from an empty page.
    pub born: bool,
    /// Changed items, one bit each.
    pub items: u128,
    /// Changed bit ranges (first, count), as reported: they may overlap.
    pub bits: Vec<(u32, u32)>,
    /// First change since the last checkpoint took the page.
    pub first_since_checkpoint: bool,
    pub image: Arc<PageBytes>,
}

pub(super) struct PageState {
    pub image: Arc<PageBytes>,
    /// Last transaction that changed the page; 0: never written.
    pub txn: u64,
    /// Listed as changed in the running transaction.
    pub changed: bool,
    pub born: bool,
    pub items: u128,
    pub bits: Vec<(u32, u32)>,
    /// Listed for the next checkpoint: memory is newer than home.
    pub dirty: bool,
    /// A checkpoint is writing an image of it.
    pub writing: bool,
    pub first_since_checkpoint: bool,
    /// The transaction that was charged for taking the page to the log whole, before it changed.
    pub base_charged: u64,
}

/// A page, shared by whoever works on it. Dropped from the cache only when unused and clean.
pub struct CachedPage {
    pub region: Region,
    /// Page number inside the region.
    pub number: u64,
    pub(super) used: AtomicBool,
    pub(super) state: RwLock<PageState>,
}

impl CachedPage {
    pub(super) fn new(region: Region, number: u64, image: Arc<PageBytes>, txn: u64) -> CachedPage {
        CachedPage {
            region,
            number,
            used: AtomicBool::new(true),
            state: RwLock::new(PageState {
                image,
                txn,
                changed: false,
                born: false,
                items: 0,
                bits: Vec::new(),
                dirty: false,
                writing: false,
                first_since_checkpoint: true,
                base_charged: 0,
            }),
        }
    }

    /// Reads the page's bytes (the trailer's are meaningless). Keep `f` short: it holds a lock.
    pub fn with<R>(&self, f: impl FnOnce(&PageBytes) -> R) -> R {
        f(&self.state.read().image)
    }
    /// As [`CachedPage::with`], with the last transaction that changed those bytes.
    pub fn with_txn<R>(&self, f: impl FnOnce(&PageBytes, u64) -> R) -> R {
        let state = self.state.read();
        f(&state.image, state.txn)
    }
    /// The page's bytes as they are now.
    pub fn image(&self) -> Arc<PageBytes> {
        self.state.read().image.clone()
    }
    /// Last transaction that changed the page; 0: never.
    pub fn txn(&self) -> u64 {
        self.state.read().txn
    }
    /// Log bytes to charge transaction `txn` for, because it will change the page, where metadata has one copy; 0
    /// if the log has the page already, or the transaction has been charged.
    pub fn charge_base(&self, txn: u64) -> u64 {
        let mut state = self.state.write();
        let known = state.changed || !state.first_since_checkpoint;
        let charged = std::mem::replace(&mut state.base_charged, txn) == txn;
        if known || charged { 0 } else { cost::PAGE }
    }
    /// Log bytes that its next change takes to the log for the page as it was, where metadata has one copy.
    pub fn base(&self) -> u64 {
        let state = self.state.read();
        if state.changed || !state.first_since_checkpoint || state.txn == 0 { 0 } else { cost::PAGE }
    }
    pub(super) fn mark_used(&self) {
        self.used.store(true, Ordering::Relaxed);
    }

    /// Takes what the running transaction changed here.
    pub(super) fn take_changes(&self) -> Changes {
        let mut state = self.state.write();
        state.changed = false;
        let first_since_checkpoint = std::mem::replace(&mut state.first_since_checkpoint, false);
        Changes {
            region: self.region,
            number: self.number,
            born: std::mem::take(&mut state.born),
            items: std::mem::take(&mut state.items),
            bits: std::mem::take(&mut state.bits),
            first_since_checkpoint,
            image: state.image.clone(),
        }
    }
}

impl PageState {
    /// Memory equals home: the page may leave the cache.
    pub(super) fn is_clean(&self) -> bool {
        !self.dirty && !self.changed && !self.writing
    }
}
