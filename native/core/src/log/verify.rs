//! Checking the data of the last transaction: its record and its blocks were written together, so a
//! crash may have kept the one without the others.

use super::RecordView;
use super::item::{DescriptorRun, Item};
use super::outcome::{Dropped, NamedBlock, Rewrite};
use crate::base::{AlignedBuf, BLOCK_SIZE, crc32c};
use crate::device::Device;
use crate::format::{BlockPlace, Geometry};

/// Blocks read at a time: 1 MiB.
const READ_RUN: u32 = 256;
/// Bad copies of directory blocks noted before the transaction counts as lost.
const BAD_COPIES_MAX: usize = 256;

/// Reads every block the record makes live. Gives the META copies to rewrite, or the block for which
/// the transaction must be dropped.
pub(super) fn check_data(
    device: &dyn Device,
    geometry: &Geometry,
    record: &RecordView<'_>,
) -> Result<Vec<Rewrite>, Dropped> {
    let mut bad_copies: Vec<NamedBlock> = Vec::new();
    let mut buf = AlignedBuf::zeroed(READ_RUN as usize);
    for run in written_runs(record) {
        for_bad_blocks(device, geometry, &run, &mut buf, &mut |i| {
            let bad = named(&run, i);
            if !bad.place.is_meta() || bad_copies.len() == BAD_COPIES_MAX {
                return Err(lost(record, &bad));
            }
            bad_copies.push(bad);
            Ok(())
        })?;
    }
    bad_copies.iter().map(|bad| find_good_copy(record, &bad_copies, bad)).collect()
}

fn named(run: &DescriptorRun<'_>, i: u32) -> NamedBlock {
    NamedBlock { data: run.data + u64::from(i), place: run.place(i), stamp: run.stamp(i) }
}

/// The transaction does not exist: this block of it is not there.
fn lost(record: &RecordView<'_>, bad: &NamedBlock) -> Dropped {
    Dropped { txn: record.txn(), data: bad.data, owner: bad.place.owner, index: bad.place.index }
}

/// The runs whose blocks hold data.
fn written_runs<'a>(record: &RecordView<'a>) -> impl Iterator<Item = DescriptorRun<'a>> {
    record.items().filter_map(|item| match item {
        Item::Descriptors(run) if !run.place.is_unwritten() => Some(run),
        _ => None,
    })
}

/// Calls `bad` with the number in the run of every block that does not have its CRC, or that the
/// device cannot read.
fn for_bad_blocks(
    device: &dyn Device,
    geometry: &Geometry,
    run: &DescriptorRun<'_>,
    buf: &mut [u8],
    bad: &mut dyn FnMut(u32) -> Result<(), Dropped>,
) -> Result<(), Dropped> {
    let mut done = 0;
    while done < run.count {
        let count = (run.count - done).min(READ_RUN);
        let first = geometry.data_block(run.data + u64::from(done));
        let bytes = &mut buf[..count as usize * BLOCK_SIZE];
        let whole = device.read(first, bytes).is_ok();
        for (i, block) in bytes.chunks_exact_mut(BLOCK_SIZE).enumerate() {
            let readable = whole || device.read(first.plus(i as u64), block).is_ok();
            let number = done + i as u32;
            if !readable || crc32c(block) != run.stamp(number).crc {
                bad(number)?;
            }
        }
        done += count;
    }
    Ok(())
}

/// The record's other copy of the same block, if that one is good.
fn find_good_copy(
    record: &RecordView<'_>,
    bad_copies: &[NamedBlock],
    bad: &NamedBlock,
) -> Result<Rewrite, Dropped> {
    let BlockPlace { owner, index, .. } = bad.place;
    let is_other_copy = |place: &BlockPlace| place.owner == owner && place.copy() != bad.place.copy();
    if bad_copies.iter().any(|other| is_other_copy(&other.place) && other.place.index == index) {
        return Err(lost(record, bad));
    }
    let holds_twin = |run: &DescriptorRun<'_>| {
        let first = run.place.index;
        run.place.is_meta()
            && is_other_copy(&run.place)
            && (first..first + u64::from(run.count)).contains(&index)
    };
    let run = written_runs(record).find(holds_twin).ok_or_else(|| lost(record, bad))?;
    Ok(Rewrite { bad: *bad, good: named(&run, (index - run.place.index) as u32) })
}
