//! What the commit thread keeps from one commit to the next.

use crate::base::BLOCK_SIZE;
use crate::device::Ticket;
use crate::format::DescriptorTable;
use crate::log::LogPoint;
use crate::log::RecordBuilder;
use crate::volume::inode::Inode;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// Blocks of data of one transaction at most: 256 MiB.
pub(super) const DATA_MAX: u64 = (256 << 20) / BLOCK_SIZE as u64;

/// What only the commit thread touches.
pub struct Committer {
    pub(super) epoch: u64,
    /// The running transaction.
    pub(super) txn: u64,
    /// CRC of the last record.
    pub(super) crc: u32,
    pub(super) builder: RecordBuilder,
    /// Writes of the running transaction that are under way.
    pub(super) tickets: Vec<Ticket>,
    /// Blocks of data placed in the running transaction.
    pub(super) data_blocks: u64,
    /// Files with blocks in flight.
    pub(super) in_flight: BTreeMap<u64, Arc<Inode>>,
    pub(super) last_commit: Instant,
    /// Blocks placed in the overwrite area before the running transaction.
    pub(super) overwrites_before: u64,
    /// Live blocks when the area could not be emptied.
    pub(super) overwrites_stuck_at: Option<u64>,
    /// Times in a row that data placed in the background found no room at all.
    pub(super) fruitless: usize,
}

impl Committer {
    pub fn new(epoch: u64, next: &LogPoint, descriptors: DescriptorTable) -> Committer {
        Committer {
            epoch,
            txn: next.txn,
            crc: next.previous_crc,
            builder: RecordBuilder::new(descriptors),
            tickets: Vec::new(),
            data_blocks: 0,
            in_flight: BTreeMap::new(),
            last_commit: Instant::now(),
            overwrites_before: 0,
            overwrites_stuck_at: None,
            fruitless: 0,
        }
    }
}
