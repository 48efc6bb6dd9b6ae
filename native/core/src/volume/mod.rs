//! A volume: everything between the format and the operations.
//!
//! One transaction runs at a time and collects every change; a commit closes it at a moment when no
//! operation runs, writes its record together with its data, flushes once, and only then answers.
//! Only proven transactions go home (docs/design.md, "Transactions").

mod blocks;
mod change;
mod close;
mod commit;
mod inode;
mod meta;
#[cfg(hn4_misuse)]
mod misuse;
mod open;
mod options;
mod read;
mod recover;
mod report;
mod space;
mod transaction;
mod writeback;

pub use change::guards;
pub use inode::{Inode, InodeState, Inodes, Locked, Shared, View};
pub use meta::Names;
pub use options::OpenOptions;
pub use report::{OpenReport, Reporter};
pub use space::Purpose;
pub use transaction::CommitStats;

use crate::allocator::Allocator;
use crate::base::BufPool;
use crate::cortex::Cortex;
use crate::device::{Device, IoQueue};
use crate::extension::UnitAllocator;
use crate::format::{Geometry, Window};
use crate::pages::PageCache;
use crate::transaction::Gate;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use blocks::{BlockTable, Coder, Overwrites};
use commit::Log;
use inode::SlotPages;
use space::{Credits, Numbers, Space};
use transaction::Commits;

/// A mounted volume. Shared by the session's threads; [`Volume::close`] ends it.
pub struct Volume {
    pub geometry: Geometry,
    pub options: OpenOptions,
    reporter: Reporter,
    pub device: Arc<dyn Device>,
    /// Writes of data and log; one error stops it for good.
    queue: IoQueue,
    pub pages: Arc<PageCache>,
    pub cortex: Cortex<SlotPages>,
    pub window: Window,
    /// V and M of new files.
    new_stride: u64,
    new_scale: u16,
    table: BlockTable,
    area: Overwrites,
    coder: Coder,
    pub space: Space,
    pub numbers: Numbers,
    alloc: Mutex<Allocator>,
    units: Mutex<UnitAllocator>,
    pub inodes: Inodes,
    gate: Gate,
    buffers: Arc<BufPool>,
    /// Copies of META blocks: as many as of the metadata.
    copies: u64,
    /// Files for the next commit: their slots changed, or they have blocks to place.
    changed: Mutex<Vec<Arc<Inode>>>,
    /// Files whose entry in the orphan directory may have to come or go at the next commit.
    orphan_changes: Mutex<Vec<Arc<Inode>>>,
    /// Files to be deleted for good.
    to_reap: Mutex<Vec<Arc<Inode>>>,
    /// Files whose delayed data the next commit must take along.
    to_sync: Mutex<BTreeMap<u64, Arc<Inode>>>,
    /// Files with a growth window behind their end, and when they last grew.
    growth_windows: Mutex<BTreeMap<u64, Instant>>,
    /// Files that took another's place in the running transaction: it waits for their data.
    to_place_first: Mutex<Vec<Arc<Inode>>>,
    /// Delayed blocks of all files.
    dirty_blocks: AtomicU64,
    /// Who may use the blocks that can be written before the next proof.
    room: Credits,
    /// Delayed blocks at most.
    dirty_limit: u64,
    log: Log,
    commits: Commits,
    threads: Mutex<Vec<std::thread::JoinHandle<()>>>,
}

impl Volume {
    /// Counters since the mount.
    pub fn stats(&self) -> &CommitStats {
        &self.commits.stats
    }
}
