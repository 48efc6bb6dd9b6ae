//! Recovery's first half: which transactions exist (docs/format.md 7, "Replay"). Reads only.

use super::RecordView;
use super::later::find_later;
use super::outcome::{LogPoint, Recovered};
use super::read::{Link, Walk};
use super::verify::check_data;
use crate::base::{Code, Error, Result};
use crate::device::Device;
use crate::format::Geometry;
use crate::format::layout::Checkpoint;

/// Finds the last transaction that exists. Memory: two records at most, which a quarter of the ring
/// bounds. Error: `Corrupt`, if the log is damaged: a record before a valid later one, or one that is
/// known to be proven, is missing.
pub fn recover(device: &dyn Device, geometry: &Geometry, checkpoint: &Checkpoint) -> Result<Recovered> {
    recover_past(device, geometry, checkpoint, &mut Err)
}

/// As `recover`; where the log is damaged, `damaged` decides: if it returns Ok, the log ends there.
pub fn recover_past(
    device: &dyn Device,
    geometry: &Geometry,
    checkpoint: &Checkpoint,
    damaged: &mut dyn FnMut(Error) -> Result<()>,
) -> Result<Recovered> {
    let mut walk = Walk::new(device, geometry, checkpoint);
    let (mut before_last, mut last): (Option<Link>, Option<Link>) = (None, None);
    let mut records = 0;
    if !checkpoint.is_clean() {
        while let Some((link, _)) = walk.next() {
            before_last = last.replace(link);
            records += 1;
        }
    }
    check_end(device, geometry, checkpoint, &mut walk).or_else(damaged)?;
    let mut recovered = Recovered {
        records,
        next: point_behind(checkpoint, geometry, last.as_ref()),
        was_proven: walk.txn - 1 <= checkpoint.proven_txn,
        time: last.map(|link| link.header.time),
        dropped: None,
        rewrites: Vec::new(),
        unreadable_blocks: walk.reader.unreadable,
    };
    if let Some(link) = last.filter(|_| !recovered.was_proven) {
        match check_data(device, geometry, &walk.again(&link)?) {
            Ok(rewrites) => recovered.rewrites = rewrites,
            Err(dropped) => {
                // The record before it is proven: this one could only be written after its flush.
                recovered.records -= 1;
                recovered.next = point_behind(checkpoint, geometry, before_last.as_ref());
                recovered.was_proven = true;
                recovered.time = before_last.map(|link| link.header.time);
                recovered.dropped = Some(dropped);
            }
        }
    }
    Ok(recovered)
}

/// Gives every record that exists to `apply`, in order. May be called several times, as long as nobody
/// writes the log. Errors: `Corrupt`, if the log no longer reads as `recover` found it; those of
/// `apply`.
pub fn replay(
    device: &dyn Device,
    geometry: &Geometry,
    checkpoint: &Checkpoint,
    recovered: &Recovered,
    apply: &mut dyn FnMut(&RecordView<'_>) -> Result<()>,
) -> Result<()> {
    let mut walk = Walk::new(device, geometry, checkpoint);
    for _ in 0..recovered.records {
        let txn = walk.txn;
        match walk.next() {
            Some((_, view)) => apply(&view)?,
            None => {
                let text = format!("the log's record {txn} was readable a moment ago and is not now");
                return Err(Error::new(Code::Corrupt, text));
            }
        }
    }
    Ok(())
}

/// The log ends where `walk` stands: is that possible?
fn check_end(
    device: &dyn Device,
    geometry: &Geometry,
    checkpoint: &Checkpoint,
    walk: &mut Walk<'_>,
) -> Result<()> {
    let (txn, position) = (walk.txn, walk.position);
    let damage = |why: String| {
        let text = format!("the log is damaged at record {txn} (ring block {position}): {why}");
        Err(Error::new(Code::Corrupt, text))
    };
    if txn <= checkpoint.proven_txn {
        return damage(format!("transactions up to {} are proven", checkpoint.proven_txn));
    }
    let later = if checkpoint.is_clean() {
        // Closed: at most a checkpoint block that got lost would show, by the record after it.
        find_later_at(walk, geometry, checkpoint)
    } else {
        find_later(device, geometry, checkpoint.epoch, txn - 1).map(|later| (later.txn, later.position))
    };
    match later {
        Some((later, at)) => damage(format!("a valid record {later} stands at ring block {at}")),
        None => Ok(()),
    }
}

fn find_later_at(walk: &mut Walk<'_>, geometry: &Geometry, checkpoint: &Checkpoint) -> Option<(u64, u64)> {
    let position = walk.position;
    let header = super::view::peek(walk.reader.block(position), geometry)?;
    let later = header.epoch >= checkpoint.epoch && header.txn >= checkpoint.tail_txn;
    let link = Link { position, header };
    (later && walk.again(&link).is_ok()).then_some((header.txn, position))
}

/// The place behind a record, or the tail if there is none.
fn point_behind(checkpoint: &Checkpoint, geometry: &Geometry, last: Option<&Link>) -> LogPoint {
    match last {
        Some(link) => LogPoint {
            position: (link.position + u64::from(link.header.blocks)) % geometry.ring_blocks(),
            txn: link.header.txn + 1,
            previous_crc: link.header.crc,
            counters: link.counters(),
        },
        None => LogPoint {
            position: checkpoint.tail,
            txn: checkpoint.tail_txn,
            previous_crc: checkpoint.tail_crc,
            counters: checkpoint.counters(),
        },
    }
}
