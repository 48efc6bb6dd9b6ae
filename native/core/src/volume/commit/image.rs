//! The image under a volume: whether it is still there, and still this volume's.
//!
//! Looked at before a commit writes, so that an fsync that answers has been answered by the volume's own image,
//! and nothing is written into another's. While nobody opens the image beside us this costs no transfer.

use crate::base::{Code, Error, Result};
use crate::format::layout::{COMPAT_FROZEN, Superblock};
use crate::format::superblock::same_but_position;
use crate::superblocks::{self, Opened, PlaceState};
use crate::volume::Volume;

/// What must stand on the device.
pub struct Image {
    superblock: Superblock,
    /// Places that hold it.
    places: usize,
    /// That it was moved is said once.
    is_moved: bool,
}

impl Image {
    /// `repaired`: places that were written again when the volume was opened.
    pub fn new(opened: &Opened, repaired: u64) -> Image {
        Image { superblock: opened.superblock, places: current(opened) + repaired as usize, is_moved: false }
    }

    /// Error: `Io`, the image is gone, cut, or was overwritten. `thorough`: compares whatever the host says.
    pub(super) fn check(&mut self, volume: &Volume, thorough: bool) -> Result<()> {
        let outside = volume.device.outside(thorough)?;
        if outside.moved && !std::mem::replace(&mut self.is_moved, true) {
            volume.reporter.line("the image is no longer at its path; it is still written where it went");
        }
        if outside.touched { self.compare(volume) } else { Ok(()) }
    }

    /// Writes the superblocks with FROZEN, once. Error: `Io`, of the image or of a write.
    fn freeze(&mut self, volume: &Volume) -> Result<()> {
        if self.superblock.compat & COMPAT_FROZEN != 0 {
            return Ok(());
        }
        self.check(volume, false)?;
        self.superblock.compat |= COMPAT_FROZEN;
        superblocks::write(&*volume.device, &mut self.superblock)?;
        self.places = 4;
        Ok(())
    }

    fn compare(&self, volume: &Volume) -> Result<()> {
        let overwritten = |what: &str| {
            Error::new(Code::Io, format!("the image was overwritten while it was in use: {what}"))
        };
        let found = match superblocks::read_for(&*volume.device, volume.options.known_descriptors()) {
            Ok(found) => found,
            Err(error) if error.code == Code::Io => return Err(error),
            Err(error) => return Err(overwritten(error.detail())),
        };
        if !same_but_position(&found.superblock, &self.superblock) {
            return Err(overwritten("it is another volume, or another state of this one"));
        }
        if current(&found) < self.places {
            return Err(overwritten("superblocks are gone"));
        }
        if !volume.checkpointer.stands() {
            return Err(overwritten("the checkpoint block is not the one that was written last"));
        }
        Ok(())
    }
}

impl Volume {
    /// The volume says durably, before the first regular file takes IMMUTABLE or APPEND, that it has such files:
    /// later mounts ask at every open (FROZEN, docs/format.md 1). Call without any lock. Error: `Io`; the volume
    /// stops, as after any write that failed.
    pub fn freeze(&self) -> Result<()> {
        self.commits.check_open()?;
        self.image.lock().freeze(self).inspect_err(|error| self.commits.fail(error))
    }
}

fn current(opened: &Opened) -> usize {
    opened.places.iter().filter(|&&place| place == PlaceState::Current).count()
}
