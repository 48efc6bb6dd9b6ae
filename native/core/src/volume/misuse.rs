//! Calls that must not compile. `test/misuse.test.ts` builds the crate once with each `hn4_misuse` and expects
//! the error named there: a missing or a wrong argument.

use crate::base::Result;
use crate::device::Run as WriteRun;
use crate::transaction::{Closed, Transaction};
use crate::volume::Volume;
use crate::volume::inode::Locked;

/// What is right, so that the others fail for no other reason than theirs.
#[cfg(hn4_misuse = "none")]
pub fn none(
    volume: &Volume,
    closed: &Closed<'_>,
    file: &mut Locked<'_>,
    to: &mut Vec<WriteRun>,
) -> Result<()> {
    volume.mark(closed, file);
    volume.place_meta(closed, file, to)?;
    volume.write_slot(closed, file)
}

/// Outside a transaction nothing is marked for its commit. E0061: an argument is missing.
#[cfg(hn4_misuse = "mark")]
pub fn mark(volume: &Volume, file: &mut Locked<'_>) {
    volume.mark(file);
}

/// While operations run no META block is placed. E0308: the argument has the wrong type.
#[cfg(hn4_misuse = "place_meta")]
pub fn place_meta(
    volume: &Volume,
    tx: &Transaction<'_>,
    file: &mut Locked<'_>,
    to: &mut Vec<WriteRun>,
) -> Result<()> {
    volume.place_meta(tx, file, to)
}

/// While operations run no slot goes to the cortex. E0308.
#[cfg(hn4_misuse = "write_slot")]
pub fn write_slot(volume: &Volume, tx: &Transaction<'_>, file: &mut Locked<'_>) -> Result<()> {
    volume.write_slot(tx, file)
}

/// What a transaction changed is taken when nobody is inside it any more. E0308.
#[cfg(hn4_misuse = "take_changes")]
pub fn take_changes(volume: &Volume, tx: &Transaction<'_>) {
    volume.pages.take_changes(tx);
}

/// A record is made when the data of renamed files is placed. E0061.
#[cfg(hn4_misuse = "describe")]
pub fn describe(volume: &Volume, closed: &Closed<'_>, record: &mut crate::log::RecordBuilder) -> Result<()> {
    volume.describe(closed, &volume.pages.take_changes(closed), record)
}
