//! Room taken in advance for delayed data that has to be placed before its transaction ends.

use crate::base::Result;
use crate::transaction::{Transaction, cost};
use crate::volume::Volume;
use crate::volume::inode::{InodeState, Locked, Promised};

/// Presence nodes that a scattered block of a sparse file may change: its own and two above it.
const NODES: u64 = 3;
/// Where metadata has one copy, the first change of a page is a whole page of the record: one for so many blocks.
const BLOCKS_OF_A_PAGE: u64 = 32;

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
        let page = if self.copies == 1 { cost::PAGE / BLOCKS_OF_A_PAGE } else { 0 };
        let each = cost::block(descriptors) + nodes * cost::meta(descriptors) + page;
        // Of the others the block that they replace is freed, too.
        let replaced = blocks.saturating_sub(file.new_delayed);
        Promised { credits: blocks * (1 + nodes), log: blocks * each + replaced * cost::FREE }
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
