//! Checking the data of the last transaction: its record and its blocks were written together, so a
//! crash may have kept the one without the others.

use super::item::{DescriptorRun, Item};
use super::{Dropped, RecordView};
use crate::base::{AlignedBuf, BLOCK_SIZE, crc32c};
use crate::device::Device;
use crate::format::Geometry;

/// Blocks read at a time: 1 MiB.
const READ_RUN: u32 = 256;
/// Bad copies of directory blocks noted before the transaction counts as lost.
const BAD_COPIES_MAX: usize = 256;

/// One copy of a META block is bad, the other good: it is to be copied before the volume is writable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rewrite {
    /// Data number of the bad copy.
    pub bad: u64,
    /// Data number of the good copy.
    pub good: u64,
    /// CRC32C of the block.
    pub crc: u32,
}

struct BadCopy {
    owner: u64,
    index: u64,
    copy: u16,
    data: u64,
}

/// Reads every block the record makes live. Gives the META copies to rewrite, or the block for which
/// the transaction must be dropped.
pub(super) fn check_data(
    device: &dyn Device,
    geometry: &Geometry,
    record: &RecordView<'_>,
) -> Result<Vec<Rewrite>, Dropped> {
    let mut bad_copies: Vec<BadCopy> = Vec::new();
    let mut buf = AlignedBuf::zeroed(READ_RUN as usize);
    for run in written_runs(record) {
        for_bad_blocks(device, geometry, &run, &mut buf, &mut |i| {
            let data = run.data + u64::from(i);
            let index = run.index + u64::from(i);
            if !run.is_meta() || bad_copies.len() == BAD_COPIES_MAX {
                return Err(Dropped { txn: record.txn(), data, owner: run.owner, index });
            }
            bad_copies.push(BadCopy { owner: run.owner, index, copy: run.copy(), data });
            Ok(())
        })?;
    }
    bad_copies.iter().map(|bad| find_good_copy(record, &bad_copies, bad)).collect()
}

/// The runs whose blocks hold data.
fn written_runs<'a>(record: &RecordView<'a>) -> impl Iterator<Item = DescriptorRun<'a>> {
    record.items().filter_map(|item| match item {
        Item::Descriptors(run) if !run.is_unwritten() => Some(run),
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
            if !readable || crc32c(block) != run.crc(number) {
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
    bad_copies: &[BadCopy],
    bad: &BadCopy,
) -> Result<Rewrite, Dropped> {
    let lost = Dropped { txn: record.txn(), data: bad.data, owner: bad.owner, index: bad.index };
    let twin_is_bad = bad_copies
        .iter()
        .any(|other| (other.owner, other.index) == (bad.owner, bad.index) && other.copy != bad.copy);
    if twin_is_bad {
        return Err(lost);
    }
    let holds_twin = |run: &DescriptorRun<'_>| {
        run.is_meta()
            && run.owner == bad.owner
            && run.copy() != bad.copy
            && (run.index..run.index + u64::from(run.count)).contains(&bad.index)
    };
    let run = written_runs(record).find(holds_twin).ok_or(lost)?;
    let i = (bad.index - run.index) as u32;
    Ok(Rewrite { bad: bad.data, good: run.data + u64::from(i), crc: run.crc(i) })
}
