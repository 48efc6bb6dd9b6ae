//! An in-memory page store for tests and simulations: counts what the cortex asks for, fails where
//! it is told to, and lets other threads run in the middle of an operation.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;

use super::{SlotPage, SlotStore};
use crate::base::{Code, Error, Result};
use crate::format::layout::PAGE_PAYLOAD;
use crate::format::slot::{SLOT_SIZE, is_empty};
use crate::format::{Region, SlotBytes};

type PageName = (Region, u64);

/// What happens when a page is asked for.
type Interruption = (PageName, Box<dyn FnOnce() + Send>);

/// All pages of cortex and stash, zero until written.
#[derive(Default)]
pub struct RamStore {
    pages: Mutex<HashMap<PageName, RamPage>>,
    failing: Mutex<HashSet<PageName>>,
    reads: AtomicU64,
    puts: Arc<AtomicU64>,
    interruption: Mutex<Option<Interruption>>,
    yielding: Arc<AtomicBool>,
}

/// A page of a [`RamStore`].
#[derive(Clone)]
pub struct RamPage {
    payload: Arc<Mutex<[u8; PAGE_PAYLOAD as usize]>>,
    /// Ever written.
    born: Arc<AtomicBool>,
    /// Written since the count of written pages was taken.
    written: Arc<AtomicBool>,
    puts: Arc<AtomicU64>,
    yielding: Arc<AtomicBool>,
}

impl RamStore {
    /// Pages asked for since the last call.
    pub fn take_reads(&self) -> u64 {
        self.reads.swap(0, Ordering::Relaxed)
    }

    /// Makes every access give way to other threads, so that races show on few processors.
    pub fn yield_often(&self) {
        self.yielding.store(true, Ordering::Relaxed);
    }

    /// Runs `f` once, in the middle of the operation that next asks for this page.
    pub fn interrupt_at(&self, region: Region, page: u64, f: impl FnOnce() + Send + 'static) {
        *self.interruption.lock() = Some(((region, page), Box::new(f)));
    }

    /// From now on the page cannot be read (handles given before stay good), or can again.
    pub fn set_failing(&self, region: Region, page: u64, failing: bool) {
        let mut pages = self.failing.lock();
        if failing {
            pages.insert((region, page));
        } else {
            pages.remove(&(region, page));
        }
    }

    /// Pages written since the last call (the dirty pages of a transaction).
    pub fn take_written(&self) -> usize {
        self.pages.lock().values().filter(|page| page.written.swap(false, Ordering::Relaxed)).count()
    }

    /// Slots written since the last call (each is a log item).
    pub fn take_written_slots(&self) -> u64 {
        self.puts.swap(0, Ordering::Relaxed)
    }

    /// The slots in use and their bytes, for comparing two moments.
    pub fn image(&self) -> HashMap<(Region, u64, usize), SlotBytes> {
        let mut image = HashMap::new();
        for ((region, number), page) in self.pages.lock().iter() {
            for (slot, bytes) in page.payload.lock().chunks_exact(SLOT_SIZE).enumerate() {
                if !is_empty(bytes) {
                    image.insert((*region, *number, slot), bytes.try_into().expect("192 bytes"));
                }
            }
        }
        image
    }

    fn handle(&self, region: Region, page: u64) -> RamPage {
        let mut pages = self.pages.lock();
        let entry = pages.entry((region, page)).or_insert_with(|| RamPage {
            payload: Arc::new(Mutex::new([0; PAGE_PAYLOAD as usize])),
            born: Arc::default(),
            written: Arc::default(),
            puts: Arc::clone(&self.puts),
            yielding: Arc::clone(&self.yielding),
        });
        entry.clone()
    }
}

impl SlotStore for RamStore {
    type Page = RamPage;

    fn page(&self, region: Region, page: u64) -> Result<RamPage> {
        #[cfg(test)]
        assert_eq!(super::locks::held_here(), 0, "I/O while a pool lock is held");
        self.reads.fetch_add(1, Ordering::Relaxed);
        give_way(&self.yielding);
        let due = self.interruption.lock().take_if(|(name, _)| *name == (region, page));
        if let Some((_, run)) = due {
            run();
        }
        if self.failing.lock().contains(&(region, page)) {
            return Err(Error::new(Code::Io, format!("{region:?} page {page}")));
        }
        Ok(self.handle(region, page))
    }

    fn is_blank(&self, region: Region, page: u64) -> bool {
        !self.pages.lock().get(&(region, page)).is_some_and(|page| page.born.load(Ordering::Relaxed))
    }
}

impl SlotPage for RamPage {
    fn with<R>(&self, f: impl FnOnce(&[u8]) -> R) -> R {
        give_way(&self.yielding);
        f(&*self.payload.lock())
    }

    type In<'a> = ();

    fn put(&self, slot: usize, bytes: &SlotBytes, (): ()) {
        give_way(&self.yielding);
        self.payload.lock()[slot * SLOT_SIZE..][..SLOT_SIZE].copy_from_slice(bytes);
        self.born.store(true, Ordering::Relaxed);
        self.written.store(true, Ordering::Relaxed);
        self.puts.fetch_add(1, Ordering::Relaxed);
        give_way(&self.yielding);
    }
}

fn give_way(yielding: &AtomicBool) {
    if yielding.load(Ordering::Relaxed) {
        std::thread::yield_now();
    }
}
