//! The files in memory, by number.
//!
//! An entry lives while the front end holds lookups of it, or its inode is in use. Clean inodes
//! beyond a limit are dropped; the entry keeps the hint that leads back to the anchor. Of those that the front
//! end has forgotten less stay: it forgets where memory is short. What keeps an
//! inode from being clean is bounded itself: the changes of a transaction, and the times of reads
//! ([`ReadTimes`]); once it is gone, [`Inodes::trim`] brings the cache back to its limit.

use super::meta_cache::MetaCache;
use super::read_times::ReadTimes;
use super::state::Inode;
use crate::base::{Code, Ino, Result, give_memory_back};
use crate::format::{Kind, layout};
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const SHARDS: usize = 64;
/// Inodes looked at when one more comes than the cache should hold.
const LOOKED_AT: usize = 8;

/// Part of the limit up to which a clean inode stays that the front end forgets.
const FORGOTTEN_PART: usize = 8;
/// Forgotten files whose memory goes back to the system together: some MiB.
const GIVE_BACK_AT: usize = 16_384;

/// Bits of chattr +i and +a.
const MARKS: u64 = layout::PERMISSION_IMMUTABLE | layout::PERMISSION_APPEND;

struct Entry {
    hint: u32,
    lookups: u64,
    inode: Option<Arc<Inode>>,
}

#[derive(Default)]
struct Entries {
    by_number: HashMap<Ino, Entry>,
    /// Numbers whose inode came to memory, and some of files gone since: the next to be looked at for dropping
    /// first.
    clock: VecDeque<Ino>,
}

impl Entries {
    /// Files that were deleted leave the clock too.
    fn forget_gone(&mut self) {
        let known = &self.by_number;
        self.clock.retain(|ino| known.get(ino).is_some_and(|entry| entry.inode.is_some()));
    }

    /// Memory for many more entries than there are goes back.
    fn shrink(&mut self) {
        let (entries, clock) = (self.by_number.len(), self.clock.len());
        if self.by_number.capacity() > 8 * entries + 64 {
            self.by_number.shrink_to(2 * entries);
        }
        if clock > 2 * entries + 64 {
            self.forget_gone();
        }
        let clock = self.clock.len();
        if self.clock.capacity() > 8 * clock + 64 {
            self.clock.shrink_to(2 * clock);
        }
    }
}

struct Shard {
    entries: Mutex<Entries>,
    /// Held while an inode of the shard is loaded, so that none is loaded twice.
    loading: Mutex<()>,
}

pub struct Inodes {
    shards: Vec<Shard>,
    in_memory: AtomicUsize,
    capacity: usize,
    has_marked: AtomicBool,
    /// Entries that went by being forgotten since memory was last given back.
    forgotten: AtomicUsize,
    /// Where the next [`Inodes::trim`] goes on.
    next_shard: AtomicUsize,
    pub(in crate::volume) read_times: ReadTimes,
    pub(in crate::volume) meta: MetaCache,
}

impl Inodes {
    /// Keeps up to about `capacity` unused clean inodes, and `meta` META blocks of all of them.
    pub fn new(capacity: usize, meta: usize) -> Inodes {
        let shard = || Shard { entries: Mutex::default(), loading: Mutex::default() };
        Inodes {
            shards: (0..SHARDS).map(|_| shard()).collect(),
            in_memory: AtomicUsize::new(0),
            capacity,
            has_marked: AtomicBool::new(false),
            forgotten: AtomicUsize::new(0),
            next_shard: AtomicUsize::new(0),
            read_times: ReadTimes::new(capacity),
            meta: MetaCache::new(meta),
        }
    }

    fn shard(&self, ino: Ino) -> &Shard {
        &self.shards[(ino.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58) as usize]
    }

    /// The inode, if it is in memory.
    pub fn cached(&self, ino: Ino) -> Option<Arc<Inode>> {
        self.shard(ino).entries.lock().by_number.get(&ino)?.inode.clone()
    }

    /// The inode of a number that the front end has looked up. Stale: it holds no lookup.
    pub fn by_ino(&self, ino: Ino, load: impl FnOnce(u32) -> Result<Inode>) -> Result<Arc<Inode>> {
        let hint = {
            let entries = self.shard(ino).entries.lock();
            let entry = entries.by_number.get(&ino).ok_or(Code::Stale)?;
            if let Some(inode) = &entry.inode {
                return Ok(inode.clone());
            }
            entry.hint
        };
        self.get(ino, hint, load)
    }

    /// The inode, loaded if need be.
    pub fn get(&self, ino: Ino, hint: u32, load: impl FnOnce(u32) -> Result<Inode>) -> Result<Arc<Inode>> {
        if let Some(inode) = self.cached(ino) {
            return Ok(inode);
        }
        let shard = self.shard(ino);
        let _loading = shard.loading.lock();
        if let Some(inode) = self.cached(ino) {
            return Ok(inode);
        }
        let inode = Arc::new(load(hint)?);
        if u64::from(inode.share().slot.anchor.permissions) & MARKS != 0 {
            self.note_marked(&inode);
        }
        self.publish(&inode);
        Ok(inode)
    }

    /// Whether the volume says that a regular file is, or was, immutable or append-only, or one was met.
    pub fn has_marked(&self) -> bool {
        self.has_marked.load(Ordering::Acquire)
    }

    /// The file is, or becomes, immutable or append-only.
    pub fn note_marked(&self, inode: &Inode) {
        if inode.kind == Kind::Regular {
            self.set_has_marked();
        }
    }

    /// There are such files, or were.
    pub(in crate::volume) fn set_has_marked(&self) {
        self.has_marked.store(true, Ordering::Release);
    }

    /// Enters a new or loaded inode.
    pub fn publish(&self, inode: &Arc<Inode>) {
        let mut entries = self.shard(inode.ino).entries.lock();
        if self.in_memory.load(Ordering::Relaxed) >= self.capacity {
            self.drop_some(&mut entries, LOOKED_AT);
        }
        self.keep(&mut entries, inode);
    }

    /// The inode's entry, with the inode.
    fn keep<'a>(&self, entries: &'a mut Entries, inode: &Arc<Inode>) -> &'a mut Entry {
        let fresh = || Entry { hint: inode.hint, lookups: 0, inode: None };
        let entry = entries.by_number.entry(inode.ino).or_insert_with(fresh);
        if entry.inode.replace(inode.clone()).is_none() {
            self.in_memory.fetch_add(1, Ordering::Relaxed);
            entries.clock.push_back(inode.ino);
            if entries.clock.len() > 2 * entries.by_number.len() + 64 {
                entries.forget_gone();
            }
        }
        entries.by_number.get_mut(&inode.ino).expect("entered above")
    }

    /// Looks at the next few inodes and drops those that nobody needs: the cost of a new one stays the same
    /// however many are in use.
    fn drop_some(&self, entries: &mut Entries, looked_at: usize) {
        for _ in 0..looked_at.min(entries.clock.len()) {
            let Some(ino) = entries.clock.pop_front() else { return };
            let Some(entry) = entries.by_number.get_mut(&ino) else { continue };
            match &entry.inode {
                None => {}
                Some(inode) if is_idle(inode) => {
                    entry.inode = None;
                    self.in_memory.fetch_sub(1, Ordering::Relaxed);
                    if entry.lookups == 0 {
                        entries.by_number.remove(&ino);
                    }
                }
                Some(_) => entries.clock.push_back(ino),
            }
        }
    }

    /// Drops inodes beyond the limit that nobody needs any more. Looks at no more than twice as many as are too
    /// many: calls go on where the last one ended.
    pub(in crate::volume) fn trim(&self) {
        let mut budget = 2 * self.loaded().saturating_sub(self.capacity);
        for _ in 0..SHARDS {
            if budget == 0 || self.loaded() <= self.capacity {
                return;
            }
            let next = self.next_shard.fetch_add(1, Ordering::Relaxed);
            let mut entries = self.shards[next % SHARDS].entries.lock();
            let looked_at = entries.clock.len().min(budget.div_ceil(SHARDS).max(LOOKED_AT));
            self.drop_some(&mut entries, looked_at);
            entries.shrink();
            budget = budget.saturating_sub(looked_at);
        }
    }

    /// Looks at every inode in memory.
    pub(super) fn each(&self, mut look: impl FnMut(&Arc<Inode>)) {
        for shard in &self.shards {
            shard
                .entries
                .lock()
                .by_number
                .values()
                .filter_map(|entry| entry.inode.as_ref())
                .for_each(&mut look);
        }
    }

    /// Inodes in memory.
    pub fn loaded(&self) -> usize {
        self.in_memory.load(Ordering::Relaxed)
    }

    /// Adds lookups to an inode that the caller has in hand.
    pub fn add_lookups(&self, inode: &Arc<Inode>, count: u64) {
        let mut entries = self.shard(inode.ino).entries.lock();
        let known = entries.by_number.get_mut(&inode.ino).filter(|entry| entry.inode.is_some());
        match known {
            Some(entry) => entry.lookups += count,
            None => self.keep(&mut entries, inode).lookups += count,
        }
    }

    /// Takes lookups back; returns the inode if none are left and it stays in memory.
    pub fn forget(&self, ino: Ino, count: u64) -> Option<Arc<Inode>> {
        {
            let mut entries = self.shard(ino).entries.lock();
            let entry = entries.by_number.get_mut(&ino)?;
            entry.lookups = entry.lookups.saturating_sub(count);
            if entry.lookups > 0 {
                return None;
            }
            if let Some(inode) = &entry.inode {
                if self.loaded() <= self.capacity / FORGOTTEN_PART || !is_idle(inode) {
                    return Some(inode.clone());
                }
                self.in_memory.fetch_sub(1, Ordering::Relaxed);
            }
            entries.by_number.remove(&ino);
            entries.shrink();
        }
        if self.forgotten.fetch_add(1, Ordering::Relaxed) + 1 == GIVE_BACK_AT {
            self.forgotten.store(0, Ordering::Relaxed);
            give_memory_back();
        }
        None
    }

    pub fn is_held(&self, ino: Ino) -> bool {
        self.shard(ino).entries.lock().by_number.get(&ino).is_some_and(|entry| entry.lookups > 0)
    }

    /// Drops a file that no longer exists.
    pub fn remove(&self, ino: Ino) {
        let removed = self.shard(ino).entries.lock().by_number.remove(&ino);
        if removed.is_some_and(|entry| entry.inode.is_some()) {
            self.in_memory.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Whether nobody uses the inode and the disk has all it knows.
fn is_idle(inode: &Arc<Inode>) -> bool {
    Arc::strong_count(inode) == 1
        && inode.read_at().is_none()
        && !inode.listed.load(Ordering::Relaxed)
        && inode.state.try_read().is_some_and(|state| {
            let meta = state.meta.lock();
            !state.slot_dirty
                && state.dirty.is_empty()
                && state.in_flight.is_empty()
                && state.meta_reserved == 0
                && state.slot.attributes.nlink > 0
                && meta.dirty.is_empty()
                && meta.removed.is_empty()
        })
}
