//! The page cache.

use super::page::{CachedPage, Change, Changes};
use super::{InitMap, PageImage, Snapshot};
use crate::base::{AlignedBuf, BLOCK_SIZE, Code, CopyPage, Error, Result};
use crate::device::Device;
use crate::format::{DescriptorTable, Geometry, PageBytes, PageMap, Region, layout, load_page};
use crate::transaction::{Closed, Transaction, cost};
use parking_lot::Mutex;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

const SHARDS: usize = 64;
/// Pages read together: 64 KiB, a cortex region, half an allocation group of descriptors.
const READ_RUN: u64 = 16;

/// Pages that the insert of one more looks at, to drop those that nobody needs.
const LOOKED_AT: usize = READ_RUN as usize * 2;
/// Changed pages for which a checkpoint is started even where memory is said to hold few clean ones.
const DIRTY_MIN: usize = 256;

#[derive(Default)]
struct Shard {
    pages: HashMap<u64, Arc<CachedPage>>,
    /// All of them: the next to be looked at for dropping first.
    clock: VecDeque<u64>,
}

impl Shard {
    /// Looks at the next few pages and drops those that are unused and clean: the cost of one more page stays the
    /// same however many are changed. Returns how many it looked at.
    fn drop_some(&mut self) -> usize {
        let looked_at = LOOKED_AT.min(self.clock.len());
        for _ in 0..looked_at {
            let Some(number) = self.clock.pop_front() else { break };
            let Some(page) = self.pages.get(&number) else { continue };
            let idle = Arc::strong_count(page) == 1 && !page.used.swap(false, Ordering::Relaxed);
            if idle && page.state.try_read().is_some_and(|state| state.is_clean()) {
                self.pages.remove(&number);
            } else {
                self.clock.push_back(number);
            }
        }
        looked_at
    }
}

/// Counters since the mount.
#[derive(Debug, Default)]
pub struct PageStats {
    /// Pages read from the device.
    pub reads: AtomicU64,
    /// Pages whose copy A was bad and copy B good.
    pub healed: AtomicU64,
    /// Pages bad in every copy.
    pub lost: AtomicU64,
    /// Pages brought to memory, and pages looked at to make room for them.
    pub inserts: AtomicU64,
    pub looked_at: AtomicU64,
}

/// Metadata pages of a volume; callable from many threads.
pub struct PageCache {
    pub(super) device: Arc<dyn Device>,
    pub map: PageMap,
    descriptors: DescriptorTable,
    pub(super) init: InitMap,
    pub(super) init_dirty: Mutex<BTreeSet<u64>>,
    /// Pages of INIT that became dirty since they were last asked for.
    init_first: Mutex<Vec<u64>>,
    /// Pages of INIT that no copy delivered; replay may bring them.
    pub(super) init_missing: Mutex<BTreeSet<u64>>,
    /// Such pages are left missing: what they would say is asked of the pages themselves.
    pub(super) does_without_init: AtomicBool,
    shards: Vec<Mutex<Shard>>,
    /// Held while pages of a shard are read: a page is never loaded twice.
    loading: Vec<Mutex<()>>,
    shard_capacity: usize,
    /// Changed pages at which a checkpoint is due.
    dirty_limit: usize,
    changed: Mutex<Vec<Arc<CachedPage>>>,
    dirty: Mutex<Vec<Arc<CachedPage>>>,
    /// Read-repair queues a rewrite only where writing is allowed.
    writable: AtomicBool,
    /// No page at home is of a later transaction.
    last: AtomicU64,
    pub stats: PageStats,
}

impl PageCache {
    /// An empty cache holding up to about `capacity` clean pages. Call [`PageCache::load_init`] next.
    pub fn new(device: Arc<dyn Device>, geometry: &Geometry, capacity: usize) -> PageCache {
        let map = geometry.map;
        PageCache {
            device,
            init: InitMap::new(map.pages_of(Region::Init)),
            map,
            descriptors: geometry.descriptors,
            init_dirty: Mutex::default(),
            init_first: Mutex::default(),
            init_missing: Mutex::default(),
            does_without_init: AtomicBool::new(false),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            loading: (0..SHARDS).map(|_| Mutex::default()).collect(),
            shard_capacity: capacity.div_ceil(SHARDS),
            dirty_limit: (capacity / 2).max(DIRTY_MIN),
            changed: Mutex::default(),
            dirty: Mutex::default(),
            writable: AtomicBool::new(false),
            last: AtomicU64::new(u64::MAX),
            stats: PageStats::default(),
        }
    }

    /// First block of each copy, A first.
    pub(super) fn copies(&self) -> impl Iterator<Item = (usize, crate::base::BlockNumber)> {
        [Some(self.map.copy_a), self.map.copy_b].into_iter().flatten().enumerate()
    }
    /// Nothing at home can be of a later transaction than `txn`, the last one of the log: what says so is forged, or
    /// of a log that was lost. A checkpoint raises it.
    pub fn set_last(&self, txn: u64) {
        self.last.store(txn, Ordering::Release);
    }
    /// The transaction of a page read from its home, or why it cannot be taken.
    pub(super) fn checked(
        &self,
        page: &mut PageBytes,
        region: Region,
        number: u64,
    ) -> std::result::Result<u64, &'static str> {
        match load_page(page, &self.map, region, number)? {
            txn if txn > self.last.load(Ordering::Acquire) => {
                Err("of a later transaction than the log's last")
            }
            txn => Ok(txn),
        }
    }
    pub fn set_writable(&self, yes: bool) {
        self.writable.store(yes, Ordering::Relaxed);
    }
    /// Whether a page was never written (no I/O).
    pub fn is_blank(&self, region: Region, number: u64) -> bool {
        self.map.page(region, number).is_some_and(|page| !self.init.is_set(page) && !self.is_unknown(page))
    }

    /// Whether a page is one of INIT, or initialised.
    pub fn is_written(&self, page: CopyPage) -> bool {
        matches!(self.map.locate(page), Some((Region::Init, _))) || self.init.is_set(page)
    }

    fn shard_of(page: CopyPage) -> usize {
        (page.0 / READ_RUN) as usize % SHARDS
    }

    /// The page, read from the device if needed. Corrupt: bad in every copy, or no such page.
    pub fn get(&self, region: Region, number: u64) -> Result<Arc<CachedPage>> {
        let Some(page) = self.map.page(region, number) else {
            return Err(Error::new(Code::Corrupt, format!("{region:?} has no page {number}")));
        };
        if let Some(found) = self.cached(page) {
            return Ok(found);
        }
        let shard = Self::shard_of(page);
        let _loading = self.loading[shard].lock();
        if let Some(found) = self.cached(page) {
            return Ok(found);
        }
        let is_set = self.init.is_set(page);
        if is_set || (self.is_unknown(page) && !self.holds_zeros(page)) {
            return self.load(page, region, number);
        }
        let blank = Arc::new(CachedPage::new(region, number, Arc::new([0; BLOCK_SIZE]), 0));
        self.insert(page, &blank);
        Ok(blank)
    }

    /// The page, if it is in memory.
    pub fn if_cached(&self, region: Region, number: u64) -> Option<Arc<CachedPage>> {
        self.cached(self.map.page(region, number)?)
    }

    fn cached(&self, page: CopyPage) -> Option<Arc<CachedPage>> {
        let found = self.shards[Self::shard_of(page)].lock().pages.get(&page.0).cloned();
        if let Some(found) = &found {
            found.mark_used();
        }
        found
    }

    /// Reads the aligned run around `page` from copy A; what fails its check there is looked up in copy B.
    fn load(&self, page: CopyPage, region: Region, number: u64) -> Result<Arc<CachedPage>> {
        let start = self.map.start(region).0;
        let first = (page.0 / READ_RUN * READ_RUN).max(start);
        let end = (page.0 / READ_RUN * READ_RUN + READ_RUN).min(start + self.map.pages_of(region));
        // Asked before the read: a page that is in memory now may be written home and dropped meanwhile,
        // and what was read of it would be its past. (The others cannot be loaded: `loading` is held.)
        let known: Vec<bool> = (first..end)
            .map(|at| !self.init.is_set(CopyPage(at)) || self.cached(CopyPage(at)).is_some())
            .collect();
        let mut buf = AlignedBuf::zeroed((end - first) as usize);
        let run_read = self.device.read(self.map.copy_a.plus(first), &mut buf).is_ok();
        let mut wanted = None;
        for at in first..end {
            let neighbour = CopyPage(at);
            let is_wanted = neighbour == page;
            if !is_wanted && known[(at - first) as usize] {
                continue;
            }
            let here = number + at - page.0;
            let offset = (at - first) as usize * BLOCK_SIZE;
            let image: &mut PageBytes =
                (&mut buf[offset..offset + BLOCK_SIZE]).try_into().expect("one block");
            let checked = if run_read { self.checked(image, region, here) } else { Err("read error") };
            let loaded = match checked {
                Ok(txn) => Arc::new(CachedPage::new(region, here, Arc::new(*image), txn)),
                Err(_) if !is_wanted => continue,
                Err(why) => self.load_from_copies(page, region, here, why)?,
            };
            self.stats.reads.fetch_add(1, Ordering::Relaxed);
            self.insert(neighbour, &loaded);
            if is_wanted {
                wanted = Some(loaded);
            }
        }
        wanted.ok_or_else(|| Error::from(Code::Io))
    }

    /// A page that the run read did not deliver: each copy alone, A first.
    fn load_from_copies(
        &self,
        page: CopyPage,
        region: Region,
        number: u64,
        why: &str,
    ) -> Result<Arc<CachedPage>> {
        let mut buf = AlignedBuf::zeroed(1);
        let mut last = why.to_string();
        for (copy, start) in self.copies() {
            if let Err(error) = self.device.read(start.plus(page.0), &mut buf) {
                last = error.to_string();
                continue;
            }
            let image: &mut PageBytes = (&mut buf[..]).try_into().expect("one block");
            match self.checked(image, region, number) {
                Ok(txn) => {
                    let loaded = Arc::new(CachedPage::new(region, number, Arc::new(*image), txn));
                    if copy > 0 {
                        self.stats.healed.fetch_add(1, Ordering::Relaxed);
                        self.queue_rewrite(&loaded);
                    }
                    return Ok(loaded);
                }
                Err(reason) => last = reason.to_string(),
            }
        }
        self.stats.lost.fetch_add(1, Ordering::Relaxed);
        Err(Error::new(
            Code::Corrupt,
            format!("{region:?} page {number}: no good copy ({last}); run hn4 scrub"),
        ))
    }

    /// Looks whether copy B holds a later state of a clean page than the one in memory, which came from a
    /// copy A whose last write was lost. Then memory takes it, and true is returned.
    pub fn recheck(&self, region: Region, number: u64) -> Result<bool> {
        let Some((_, start)) = self.copies().nth(1) else { return Ok(false) };
        let page = self.get(region, number)?;
        if self.is_blank(region, number) {
            return Ok(false);
        }
        let place = self.map.page(region, number).expect("cached pages exist");
        let mut buf = AlignedBuf::zeroed(1);
        self.device.read(start.plus(place.0), &mut buf)?;
        let image: &mut PageBytes = (&mut buf[..]).try_into().expect("one block");
        let Ok(txn) = self.checked(image, region, number) else { return Ok(false) };
        {
            let mut state = page.state.write();
            if !state.is_clean() || txn <= state.txn {
                return Ok(false);
            }
            state.image = Arc::new(*image);
            state.txn = txn;
        }
        self.stats.healed.fetch_add(1, Ordering::Relaxed);
        self.queue_rewrite(&page);
        Ok(true)
    }

    /// The next checkpoint writes the page again, in both copies.
    fn queue_rewrite(&self, page: &Arc<CachedPage>) {
        if self.writable.load(Ordering::Relaxed) {
            page.state.write().dirty = true;
            self.dirty.lock().push(page.clone());
        }
    }

    fn insert(&self, page: CopyPage, loaded: &Arc<CachedPage>) {
        let mut shard = self.shards[Self::shard_of(page)].lock();
        self.stats.inserts.fetch_add(1, Ordering::Relaxed);
        if shard.pages.len() >= self.shard_capacity {
            self.stats.looked_at.fetch_add(shard.drop_some() as u64, Ordering::Relaxed);
        }
        if shard.pages.insert(page.0, loaded.clone()).is_none() {
            shard.clock.push_back(page.0);
        }
    }

    /// Changes a page in the transaction. `f` gets the 4096 bytes; it must leave the trailer's alone.
    pub fn change<R>(
        &self,
        transaction: &Transaction<'_>,
        page: &Arc<CachedPage>,
        change: Change,
        f: impl FnOnce(&mut PageBytes) -> R,
    ) -> R {
        let mut state = page.state.write();
        let mut bytes = 0;
        if state.txn == 0 {
            state.born = true;
            let place = self.map.page(page.region, page.number).expect("cached pages exist");
            let init_page = self.init.set(place);
            if self.init_dirty.lock().insert(init_page) {
                self.init_first.lock().push(init_page);
                bytes += if self.map.copy_b.is_none() { cost::PAGE } else { 0 };
            }
            bytes += cost::RUN;
        }
        state.txn = transaction.number();
        match change {
            Change::Items { first, count } => {
                let mask = if count >= 128 { u128::MAX } else { ((1u128 << count) - 1) << first };
                let new = (mask & !state.items).count_ones() as u64;
                bytes += new
                    * match page.region {
                        Region::Descriptor => cost::descriptor(self.descriptors),
                        Region::Extension => cost::UNIT,
                        _ => cost::SLOT,
                    };
                state.items |= mask;
            }
            Change::Bits { first, count } => {
                // Consecutive changes of a run join, so that freeing a file stays one entry.
                match state.bits.last_mut() {
                    Some((last, n)) if *last + *n == first => *n += count,
                    Some((last, n)) if first + count == *last => {
                        *last = first;
                        *n += count;
                    }
                    _ => {
                        state.bits.push((first, count));
                        bytes += cost::RUN;
                    }
                }
            }
            Change::Touch => {}
        }
        if !state.changed {
            state.changed = true;
            bytes += cost::RUN * 2;
            let charged = state.base_charged == transaction.number();
            if self.map.copy_b.is_none() && state.first_since_checkpoint && !charged {
                bytes += cost::PAGE;
            }
            self.changed.lock().push(page.clone());
        }
        if !state.dirty {
            state.dirty = true;
            self.dirty.lock().push(page.clone());
        }
        transaction.charge(bytes);
        f(Arc::make_mut(&mut state.image))
    }

    /// Puts a page that replay rebuilt into the cache: memory is newer than home.
    pub fn adopt(&self, page: CopyPage, image: PageBytes, txn: u64) -> Result<()> {
        let Some((region, number)) = self.map.locate(page) else {
            return Err(Error::new(Code::Corrupt, format!("the log names page {} of a copy", page.0)));
        };
        if region == Region::Init {
            self.init.load(number, &image);
            self.init_missing.lock().remove(&number);
            self.init_dirty.lock().insert(number);
            return Ok(());
        }
        let loaded = Arc::new(CachedPage::new(region, number, Arc::new(image), txn));
        loaded.state.write().dirty = true;
        self.insert(page, &loaded);
        self.dirty.lock().push(loaded);
        Ok(())
    }

    /// The page of INIT as it is in memory.
    pub fn init_image(&self, number: u64) -> Box<PageBytes> {
        let mut image = Box::new([0; layout::BLOCK_SIZE as usize]);
        self.init.store(number, &mut image);
        image
    }

    /// Pages of INIT that changed for the first time since the last checkpoint took them.
    pub fn take_first_init_changes(&self) -> Vec<u64> {
        std::mem::take(&mut *self.init_first.lock())
    }

    /// What the closed transaction changed, in disk order.
    pub fn take_changes(&self, _: &Closed<'_>) -> Vec<Changes> {
        let mut pages = std::mem::take(&mut *self.changed.lock());
        pages.sort_unstable_by_key(|page| (page.region, page.number));
        pages.iter().map(|page| page.take_changes()).collect()
    }

    /// Whether the running transaction changed any page.
    pub fn has_changes(&self) -> bool {
        !self.changed.lock().is_empty()
    }

    /// Pages newer in memory than at home.
    pub fn dirty_pages(&self) -> usize {
        self.dirty.lock().len()
    }

    /// Whether so many pages are newer than at home that a checkpoint should be started, whatever room the log has.
    pub fn are_many_dirty(&self) -> bool {
        self.dirty_pages() >= self.dirty_limit
    }
    /// Whether so many are that a transaction has to wait for the checkpoint under way.
    pub fn are_too_many_dirty(&self) -> bool {
        self.dirty_pages() >= 2 * self.dirty_limit
    }

    /// The images a checkpoint writes in place: right after [`PageCache::take_changes`], so that they are the
    /// state at the end of `txn`.
    pub fn snapshot(&self, _: &Closed<'_>, txn: u64) -> Snapshot {
        self.last.fetch_max(txn, Ordering::AcqRel);
        let mut pages = std::mem::take(&mut *self.dirty.lock());
        pages.sort_unstable_by_key(|page| (page.region, page.number));
        let pages = pages
            .into_iter()
            .map(|page| {
                let mut state = page.state.write();
                state.dirty = false;
                state.writing = true;
                state.first_since_checkpoint = true;
                let (image, txn) = (state.image.clone(), state.txn);
                drop(state);
                PageImage { page, image, txn }
            })
            .collect();
        let init = std::mem::take(&mut *self.init_dirty.lock())
            .into_iter()
            .map(|number| (number, self.init_image(number)))
            .collect();
        Snapshot { txn, pages, init }
    }
}
