//! What the log holds, as recovery finds it.

use super::Counters;
use crate::format::{BlockPlace, Stamp};

/// A place in the log: what follows transaction `txn - 1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogPoint {
    /// Ring position of the next record.
    pub position: u64,
    /// Its transaction.
    pub txn: u64,
    /// CRC of the record before it.
    pub previous_crc: u32,
    /// The volume's numbers before it.
    pub counters: Counters,
}

/// A block as the record names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedBlock {
    pub data: u64,
    pub place: BlockPlace,
    pub stamp: Stamp,
}

/// One copy of a META block is bad, the other good: it is to be written anew before the volume is
/// writable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rewrite {
    pub bad: NamedBlock,
    pub good: NamedBlock,
}

/// A transaction that was never answered as durable, or whose data rotted since: its record is whole,
/// a block it made live is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped {
    pub txn: u64,
    /// Data number of the first block that failed, and whose it was to be.
    pub data: u64,
    pub owner: u64,
    pub index: u64,
}

/// What the log holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Records to apply.
    pub records: u64,
    /// Behind the last transaction that exists: where, and as which transaction, the log goes on.
    pub next: LogPoint,
    /// Whether the last transaction was proven before this recovery read its data.
    pub was_proven: bool,
    /// Time of the last transaction, ns since 1970, if the log holds one.
    pub time: Option<i64>,
    /// To be reported: a last record that does not count.
    pub dropped: Option<Dropped>,
    /// META copies to be rewritten and flushed before the checkpoint block that calls the transaction
    /// proven is written: a later recovery would not look at them again.
    pub rewrites: Vec<Rewrite>,
    /// Log blocks that the device could not read (taken as zeros).
    pub unreadable_blocks: u64,
}

impl Recovered {
    /// The last transaction that exists.
    pub fn last_txn(&self) -> u64 {
        self.next.txn - 1
    }
    /// The volume's numbers after it.
    pub fn counters(&self) -> Counters {
        self.next.counters
    }
}
