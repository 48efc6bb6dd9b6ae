//! Room in the record: what placing will need of it, and what is taken in advance for delayed data that has to be
//! placed before its transaction ends.

use crate::allocator::placement::{Piece, Place};
use crate::base::{Code, Result};
use crate::pages::CachedPage;
use crate::transaction::{Transaction, cost};
use crate::volume::Volume;
use crate::volume::inode::{InodeState, Locked, Promised};
use std::collections::HashMap;
use std::sync::Arc;

/// Presence nodes that a scattered block of a sparse file may change: its own and two above it.
const NODES: u64 = 3;

impl Volume {
    /// What placing `blocks` blocks of a file needs. `becomes_sparse`: it may be sparse by then.
    pub(in crate::volume) fn room_for(
        &self,
        file: &InodeState,
        blocks: u64,
        becomes_sparse: bool,
    ) -> Promised {
        let sparse = becomes_sparse || file.is_sparse() || file.sparse_when_placed;
        let nodes = if sparse { NODES * self.copies } else { 0 };
        let descriptors = self.geometry.descriptors;
        let page = if self.copies == 1 { cost::PAGE } else { 0 };
        let nodes_log = if sparse { NODES * self.log_of_meta() } else { 0 };
        let each = cost::block(descriptors) + page + nodes_log;
        // Of the others the block that they replace is freed, too.
        let replaced = blocks.saturating_sub(file.new_delayed);
        Promised { credits: blocks * (1 + nodes), log: blocks * each + replaced * cost::FREE }
    }

    /// Log bytes of blocks that become live together, at worst, without pages.
    pub(super) fn log_of_piece(&self, piece: &Piece) -> u64 {
        let segment = if piece.place == Place::Segment { cost::SEGMENT } else { 0 };
        cost::piece(self.geometry.descriptors, piece.len) + segment
    }

    /// Busy: the record has no room for these pieces, or for their pages, where those go to the log whole. `pages`:
    /// each as often as it comes; `log`: bytes that the record has, `u64::MAX` for what was charged before.
    pub(super) fn check_log(&self, pieces: &[Piece], pages: &[Arc<CachedPage>], log: u64) -> Result<()> {
        if log == u64::MAX {
            return Ok(());
        }
        let mut needed: u64 = pieces.iter().map(|piece| self.log_of_piece(piece)).sum();
        if self.copies == 1 {
            let each: HashMap<_, _> = pages.iter().map(|page| (Arc::as_ptr(page), page.base())).collect();
            needed += each.values().sum::<u64>();
        }
        if needed <= log { Ok(()) } else { Err(Code::Busy.into()) }
    }

    /// Gives back what a file was promised.
    pub(in crate::volume) fn release_promise(
        &self,
        tx: &Transaction<'_>,
        file: &mut Locked<'_>,
    ) -> Result<()> {
        let Promised { credits, log } = std::mem::take(&mut file.promised);
        tx.release(log);
        self.space.return_credits(credits)
    }
}
