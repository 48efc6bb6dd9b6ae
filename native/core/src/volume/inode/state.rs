//! A file in memory: its slot, delayed data, blocks of its own metadata.

use super::MetaBlocks;
use crate::base::{BLOCK_SIZE, BlockBuf, Ino};
use crate::directory::DirTable;
use crate::extension::Chain;
use crate::format::layout;
use crate::format::{BlockPlace, Equations, Kind, Slot};
use crate::presence::Presence;
use crate::volume::blocks::Candidates;
use parking_lot::{Mutex, RwLock};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

/// No read waits: the slot's atime stands. No clock says this (`now_ns`); every other number is a time.
const NOT_READ: i64 = i64::MIN;

/// A file that someone uses. Found through [`super::Inodes`].
pub struct Inode {
    pub ino: Ino,
    pub hint: u32,
    pub random: u32,
    pub kind: Kind,
    /// Last read, ns, or [`NOT_READ`].
    read_at: AtomicI64,
    /// Listed for the next commit.
    pub listed: AtomicBool,
    /// Its equations may claim blocks of others: see [`Inode::doubt`].
    doubted: AtomicBool,
    pub(super) state: RwLock<InodeState>,
}

/// A block in memory that is newer than the disk.
pub type BlockBytes = Arc<BlockBuf>;

/// A delayed block.
pub struct Delayed {
    pub block: BlockBytes,
    /// The file owns no block there yet: one is reserved.
    pub new: bool,
}

/// Room for delayed data, taken when a file takes a name.
#[derive(Clone, Copy, Debug, Default)]
pub struct Promised {
    /// Blocks that can be written before the next proof.
    pub credits: u64,
    /// Bytes of the running transaction's record.
    pub log: u64,
}

pub struct InodeState {
    /// What the next commit writes. Its mass counts only what is placed.
    pub slot: Slot,
    /// Bytes, with delayed data.
    pub size: u64,
    /// Bytes of an append-only file that the kernel has yet to hand over, behind which pages came already.
    pub skipped: Vec<Range<u64>>,
    /// Written, not yet placed. Bytes of a block behind the file's end are zero.
    pub dirty: BTreeMap<u64, Delayed>,
    /// Placed; the write or its commit is under way. Value: the transaction.
    pub in_flight: BTreeMap<u64, (u64, BlockBytes)>,
    /// How many of `dirty` are new.
    pub new_delayed: u64,
    /// An inline file that becomes sparse when its delayed block is placed.
    pub sparse_when_placed: bool,
    /// Where its blocks are; loaded with the inode.
    pub equations: Equations,
    /// The extension chain, once loaded.
    pub chain: Option<Chain>,
    /// Presence of a sparse file, once it changed.
    pub presence: Option<Presence>,
    /// Directory table, once loaded.
    pub table: Option<DirTable>,
    /// Directory blocks or presence nodes; behind a lock of its own because reads fill it.
    pub meta: Mutex<MetaBlocks>,
    /// Blocks reserved for new META blocks.
    pub meta_reserved: u64,
    /// Presence nodes of level 1 whose blocks are reserved.
    pub reserved_nodes: BTreeSet<u64>,
    /// It took a name in the running transaction, which does not end before its delayed data is placed.
    pub takes_name: bool,
    /// What all its delayed data was given in advance for that.
    pub promised: Promised,
    /// The running transaction's record has been charged for the slot.
    pub charged: bool,
    /// The slot in the cortex is older than `slot`.
    pub slot_dirty: bool,
    /// Number and hint of a directory beside the slot's that has a name of the file, or had one. In memory only.
    pub another_parent: Option<(Ino, u32)>,
    /// Has an entry in the orphan directory.
    pub orphaned: bool,
    /// The slot has been taken out of the cortex: nothing may write it again.
    pub gone: bool,
    /// Blocks found in the overwrite area that must leave it at the next placement.
    pub leaves_overwrites: bool,
}

impl InodeState {
    pub fn new(slot: Slot, equations: Equations) -> InodeState {
        InodeState {
            size: slot.anchor.mass,
            slot,
            skipped: Vec::new(),
            dirty: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            new_delayed: 0,
            sparse_when_placed: false,
            equations,
            chain: None,
            presence: None,
            table: None,
            meta: Mutex::default(),
            meta_reserved: 0,
            reserved_nodes: BTreeSet::new(),
            takes_name: false,
            promised: Promised::default(),
            charged: false,
            slot_dirty: false,
            another_parent: None,
            orphaned: false,
            gone: false,
            leaves_overwrites: false,
        }
    }

    pub fn has(&self, flag: u64) -> bool {
        self.slot.has(flag)
    }
    pub fn set(&mut self, flag: u64, on: bool) {
        let class = &mut self.slot.anchor.data_class;
        if on {
            *class |= flag
        } else {
            *class &= !flag
        }
        self.slot_dirty = true;
    }
    /// Blocks below the placed size.
    pub fn placed_blocks(&self) -> u64 {
        self.slot.anchor.mass.div_ceil(BLOCK_SIZE as u64)
    }
    /// Blocks below the size with delayed data.
    pub fn size_blocks(&self) -> u64 {
        self.size.div_ceil(BLOCK_SIZE as u64)
    }
    pub fn is_sparse(&self) -> bool {
        self.has(layout::DATA_CLASS_SPARSE)
    }
    pub fn is_inline(&self) -> bool {
        self.has(layout::DATA_CLASS_INLINE)
    }
    /// Where its blocks can be.
    pub(in crate::volume) fn candidates(&self) -> Candidates<'_> {
        Candidates { equations: &self.equations, kmax: self.slot.kmax() }
    }
    /// The newest bytes of a block in memory, if it is delayed or in flight.
    pub fn in_memory(&self, index: u64) -> Option<&BlockBytes> {
        self.dirty
            .get(&index)
            .map(|delayed| &delayed.block)
            .or_else(|| self.in_flight.get(&index).map(|(_, block)| block))
    }
    /// The next index at or after `from` that is in memory.
    pub fn next_in_memory(&self, from: u64) -> Option<u64> {
        let dirty = self.dirty.range(from..).next().map(|(index, _)| *index);
        let flight = self.in_flight.range(from..).next().map(|(index, _)| *index);
        match (dirty, flight) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}

impl Inode {
    pub fn new(slot: Slot, kind: Kind, equations: Equations) -> Inode {
        let mut state = InodeState::new(slot, equations);
        if kind == Kind::Directory {
            // Also without its table: what takes its blocks to memory must know which of them are on the disk.
            let blocks = state.placed_blocks();
            let meta = state.meta.get_mut();
            (meta.disk_length, meta.length) = (blocks, blocks);
        }
        Inode {
            ino: slot.anchor.number,
            hint: slot.anchor.hint,
            random: slot.anchor.random,
            kind,
            read_at: AtomicI64::new(NOT_READ),
            listed: AtomicBool::new(false),
            doubted: AtomicBool::new(false),
            state: RwLock::new(state),
        }
    }
    /// Something went wrong with the file, or a crash interrupted its deletion: from now on a block is
    /// freed only where its descriptor names the file, never by the equation alone.
    pub fn doubt(&self) {
        self.doubted.store(true, Ordering::Release);
    }
    pub fn is_doubted(&self) -> bool {
        self.doubted.load(Ordering::Acquire)
    }
    /// Notes a read at `now`, ns. True: none waited yet.
    pub(super) fn note_read_at(&self, now: i64) -> bool {
        self.read_at.swap(now, Ordering::Relaxed) == NOT_READ
    }
    /// The time of the last read, ns, that the slot does not have yet.
    pub fn read_at(&self) -> Option<i64> {
        Some(self.read_at.load(Ordering::Relaxed)).filter(|time| *time != NOT_READ)
    }
    /// Takes that time out: for the slot, or because another one is set.
    pub fn take_read_at(&self) -> Option<i64> {
        Some(self.read_at.swap(NOT_READ, Ordering::Relaxed)).filter(|time| *time != NOT_READ)
    }
    pub fn is_directory(&self) -> bool {
        self.kind == Kind::Directory
    }
    /// Whether a block with this index is one of the file's own metadata.
    pub fn is_meta(&self, index: u64) -> bool {
        self.is_directory() || index >= layout::FILE_BLOCKS_MAX
    }
    /// What the descriptor of a written block of this file says.
    pub fn place(&self, index: u64, copy: u8) -> BlockPlace {
        let flag = if self.is_meta(index) { layout::DESCRIPTOR_META as u16 } else { 0 };
        let stored = layout::BLOCK_SIZE as u16;
        BlockPlace { owner: self.ino, hint: self.hint, index, flags: flag | u16::from(copy), stored }
    }
    /// What the descriptor of a preallocated block of this file says.
    pub fn unwritten_place(&self, index: u64, copy: u8) -> BlockPlace {
        let flags = layout::DESCRIPTOR_UNWRITTEN as u16 | u16::from(copy);
        BlockPlace { flags, stored: 0, ..self.place(index, copy) }
    }
}
