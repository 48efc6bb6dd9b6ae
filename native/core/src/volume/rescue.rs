//! Opening what is left of a damaged volume, read-only (docs/format.md, "What is left of a damaged volume"): what
//! can be read is read, what is missing is named.

use super::report::Reporter;
use crate::base::{Code, CopyPage, Error, Result};
use crate::device::{CutDevice, Device};
use crate::format::Geometry;
use crate::format::layout::{CHECKPOINT_CLEAN, Checkpoint};
use crate::log::{NUMBER_MAX, TXN_MAX};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Behind the error of a volume that cannot be opened without it.
pub const HINT: &str = "mount it with -o ro,rescue to read what is left";

/// Whether damage ends the opening, or is named and passed over.
#[derive(Clone)]
pub(super) struct Rescue {
    on: bool,
    reporter: Reporter,
}

impl Rescue {
    pub(super) fn new(on: bool, reporter: &Reporter) -> Rescue {
        Rescue { on, reporter: reporter.clone() }
    }

    pub(super) fn is_on(&self) -> bool {
        self.on
    }

    /// Whether the error is damage that may be passed over.
    pub(super) fn passes(&self, error: &Error) -> bool {
        self.on && is_damage(error)
    }

    /// Names damage that is passed over; without rescue it is the error.
    pub(super) fn pass(&self, error: Error) -> Result<()> {
        if !self.passes(&error) {
            return Err(error);
        }
        self.reporter.line(&format!("missing: {}", error.detail()));
        Ok(())
    }

    /// A device that has all blocks of the volume, though what is missing of them cannot be read.
    pub(super) fn device(&self, device: Arc<dyn Device>, geometry: &Geometry) -> Result<Arc<dyn Device>> {
        let (wanted, there) = (geometry.block_count, device.block_count());
        if wanted <= there {
            return Ok(device);
        }
        let text = format!("the volume has {wanted} blocks, its device only {there}");
        self.pass(Error::new(Code::Corrupt, text))?;
        Ok(Arc::new(CutDevice::new(device, wanted)))
    }

    /// Names the pages that the log changes and no copy has.
    pub(super) fn name_lost_pages(&self, geometry: &Geometry, lost: &BTreeSet<CopyPage>) {
        /// Lines at most; the rest is counted.
        const NAMED: usize = 20;
        for (region, number) in lost.iter().take(NAMED).filter_map(|page| geometry.map.locate(*page)) {
            self.reporter.line(&format!("missing: {region:?} page {number}: no good copy"));
        }
        if lost.len() > NAMED {
            self.reporter.line(&format!("missing: {} more metadata pages", lost.len() - NAMED));
        }
    }
}

/// In place of a checkpoint block where none is left: nothing is replayed.
pub(super) fn no_checkpoint() -> Checkpoint {
    Checkpoint {
        flags: CHECKPOINT_CLEAN as u32,
        generation: 1,
        epoch: 1,
        tail_epoch: 1,
        epoch_txn: 2,
        // Whatever a page or a descriptor says is older.
        tail_txn: TXN_MAX,
        proven_txn: TXN_MAX - 1,
        next_number: NUMBER_MAX,
        magic: 0,
        salt: [0; 16],
        tail: 0,
        tail_crc: 0,
        live_blocks: 0,
        files: 0,
        units: 0,
        crc: 0,
    }
}

/// An error of an opening, with what helps.
pub(super) fn with_hint(error: Error, read_only: bool) -> Error {
    // A writer may have failed to write.
    if !is_damage(&error) || (error.code == Code::Io && !read_only) {
        return error;
    }
    Error::new(error.code, format!("{}; {HINT}", error.detail()))
}

fn is_damage(error: &Error) -> bool {
    matches!(error.code, Code::Corrupt | Code::DataDamaged | Code::Io)
}
