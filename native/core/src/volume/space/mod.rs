//! Space: what will be there, and what can be written before the next proof.
//!
//! Doors: Numbers::*, Space, Space::*
//!
//! Two ledgers, both private to [`Space`]. The counts are of live and *reserved* blocks: delayed
//! allocation. The *credits* are of blocks that are free on the disk now; one that was freed is not
//! before the transaction that freed it is proven.
//!
//! Life of a block that an operation will need, data or META:
//!
//! 1. *Credit*: before it begins, an operation takes a credit for the META blocks it may change
//!    ([`Space::credit`]), or waits for a proof. It lasts as long as the operation.
//! 2. *Reserve*: before its first change, the operation reserves every new block
//!    ([`Space::reserve`]). NoSpace comes here and nowhere later.
//! 3. *Release*: what turns out not to be needed goes back ([`Space::release`]): the data was
//!    truncated before it was placed, the tree needed fewer nodes.
//! 4. A changed META block counts from now on as one that the end of the transaction writes
//!    ([`Space::add_meta`]), beyond the operation's credit.
//! 5. *Placed*: the commit thread takes credits for data, from what operations leave
//!    ([`Space::take_credits_for_data`]), places it, turns reserved blocks into live ones
//!    ([`Space::placed`]) and gives the credits back ([`Space::return_credits`]); META blocks follow
//!    when the transaction closes ([`Space::meta_placed`]).
//! 6. *Freed*: the block leaves the counts at once ([`Space::freed`]); it is free on the disk, and
//!    so again good for a credit, once the transaction is proven.

mod counts;
mod credits;
mod numbers;

use crate::volume::blocks::Blocks;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

pub use counts::Purpose;
pub(in crate::volume) use credits::{CREDIT, Credit};
pub use numbers::Numbers;

/// Space of the window. Counts are of live (owner, index, copy): a block in the overwrite area is
/// charged for its home, a freed block that waits for its proof is not counted.
///
/// Invariant: `meta + operations + data <= ` blocks free on the disk, except in a transaction that began
/// alone on a volume that had not even that.
pub struct Space {
    blocks: Arc<Blocks>,
    /// Blocks of the window, and those of them kept for [`Purpose::System`].
    total: u64,
    reserve: u64,
    live: AtomicU64,
    /// More blocks were freed than were live: the count was wrong.
    miscounted: AtomicBool,
    /// Reserved for delayed data and META blocks to come.
    delayed: AtomicU64,
    /// At most the free blocks less `data`: what the fast path compares with.
    known: AtomicU64,
    /// Credits of operations that run.
    operations: AtomicU64,
    /// META blocks that the running transaction places when it closes.
    meta: AtomicU64,
    /// Credits for data that is not yet placed.
    data: Mutex<u64>,
    /// Delayed data found no room: no operation begins until it has been placed.
    data_first: AtomicBool,
}

impl Space {
    /// `reserve` of the `total` blocks are kept for [`Purpose::System`].
    pub(in crate::volume) fn new(blocks: Arc<Blocks>, total: u64, reserve: u64, live: u64) -> Space {
        Space {
            blocks,
            total,
            reserve,
            live: AtomicU64::new(live),
            miscounted: AtomicBool::default(),
            delayed: AtomicU64::default(),
            known: AtomicU64::default(),
            operations: AtomicU64::default(),
            meta: AtomicU64::default(),
            data: Mutex::default(),
            data_first: AtomicBool::default(),
        }
    }
}
