//! A volume: everything between the format and the operations.
//!
//! One transaction runs at a time and collects every change; a commit closes it at a moment when no
//! operation runs, writes its record together with its data, flushes once, and only then answers.
//! Only what a proven transaction wrote goes to its place (docs/design.md, "Transactions").
//!
//! The rooms, lowest first; each uses those above it in this list (test/tidy/house.test.ts):
//!
//! - `report`: lines for whoever mounted; `options`: how a volume is opened; `rescue`: what is left of a damaged one.
//! - `blocks`: where a block is, making it live, freeing it.
//! - `space`: what will be there, and what can be written before the next proof.
//! - `transaction`: entering the running transaction, waiting for its commit.
//! - `inode`: a file in memory, the cache of them, loading, extensions, what the next commit has to do.
//! - `meta`: directory blocks and presence nodes.
//! - `read`: what is at an index, its bytes, data and holes.
//! - `writeback`: from memory to blocks: delayed data, META blocks, slots, the overwrite area.
//! - `change`: the operations on one file: write, truncate, fallocate, copy, sync.
//! - `commit`: the commit thread, its record, checkpoints, deleting for good.
//! - `trim`: telling the host what is free.
//! - `recover`, `close`, `open`: the life of a volume; [`Volume`] here: what it is made of.

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
mod rescue;
mod space;
mod transaction;
mod trim;
mod writeback;

pub use change::guards;
pub use inode::{ExtensionChange, Inode, InodeState, Inodes, Locked, Shared, View};
pub use meta::Names;
pub use options::OpenOptions;
pub use report::{Condition, OpenReport, Reporter};
pub use space::Purpose;
pub use transaction::CommitStats;

use crate::base::BufPool;
use crate::cortex::Cortex;
use crate::device::{Device, IoQueue};
use crate::extension::UnitAllocator;
use crate::format::Geometry;
use crate::pages::PageCache;
use crate::transaction::Gate;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use blocks::Blocks;
use commit::{Checkpointer, Image, Reaper};
use inode::{Agenda, SlotPages};
use read::Neighbours;
use space::{Numbers, Space};
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
    blocks: Arc<Blocks>,
    pub space: Space,
    pub numbers: Numbers,
    units: Mutex<UnitAllocator>,
    pub inodes: Inodes,
    gate: Gate,
    buffers: Arc<BufPool>,
    /// What lies beside small files that were read.
    neighbours: Neighbours,
    /// Copies of META blocks: as many as of the metadata.
    copies: u64,
    agenda: Agenda,
    reaper: Reaper,
    /// Delayed blocks of all files.
    dirty_blocks: AtomicU64,
    /// Delayed blocks at most.
    dirty_limit: u64,
    checkpointer: Checkpointer,
    /// What must stand in the superblocks. Held while they are written.
    image: Mutex<Image>,
    commits: Arc<Commits>,
    threads: Mutex<Vec<std::thread::JoinHandle<()>>>,
}

impl Volume {
    /// Counters since the mount.
    pub fn stats(&self) -> &CommitStats {
        &self.commits.stats
    }

    /// How the volume stands now. Takes short locks only, so that it answers also while a disk does not.
    pub fn condition(&self) -> Condition {
        Condition {
            stopped: self.commits.check_running().err(),
            log_blocks: self.geometry.ring_blocks(),
            log_held: self.checkpointer.held(),
            delayed_blocks: self.dirty_blocks.load(Ordering::Relaxed),
        }
    }
}
