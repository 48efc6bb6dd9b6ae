//! The stash: at most a few pages of anchors that found no place, indexed in memory.
//!
//! Changes need the pool's stash lock; lookups only the index's own short lock.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::bucket::{self, SLOTS};
use super::homes::{Homes, Key, Placement};
use super::store::{Location, SlotPage, SlotStore};
use crate::base::{Code, Error, Result};
use crate::format::Region;
use crate::format::slot::{EMPTY, SlotBytes, checksum_holds};

/// Most pages a stash may have: it stays in memory, whatever a superblock claims.
const PAGES_MAX: u64 = 64;

struct Entry {
    page: usize,
    slot: usize,
    homes: Homes,
}

pub struct Stash<P> {
    /// Held for the life of the cortex. `None`: unreadable, its anchors are not to be had.
    pages: Vec<Option<P>>,
    index: Mutex<HashMap<Key, Entry>>,
    /// Entries of the index: most volumes have none, and a lookup then takes no lock.
    count: AtomicUsize,
    /// Why a page is missing.
    damage: Option<Error>,
}

impl<P: SlotPage> Stash<P> {
    /// Loads the stash. An unreadable page leaves the rest usable (see [`Stash::damage`]); damaged
    /// slots stay occupied. Error: `Corrupt` for an impossible number of pages.
    pub fn open<S: SlotStore<Page = P>>(store: &S, pages: u64, placement: &Placement) -> Result<Stash<P>> {
        if pages > PAGES_MAX {
            return Err(Error::new(Code::Corrupt, format!("superblock: stash_pages {pages}")));
        }
        let mut stash =
            Stash { pages: Vec::new(), index: Mutex::default(), count: AtomicUsize::new(0), damage: None };
        let index = stash.index.get_mut();
        for page in 0..pages as usize {
            match store.page(Region::Stash, page as u64) {
                Ok(handle) => {
                    let payload = bucket::snapshot(&handle);
                    for slot in 0..SLOTS {
                        let bytes = bucket::slot(&payload, slot);
                        if checksum_holds(bytes) {
                            let key = Key::of(bytes);
                            let homes = placement.homes(key);
                            index.entry(key).or_insert(Entry { page, slot, homes });
                        }
                    }
                    stash.pages.push(Some(handle));
                }
                Err(error) => {
                    stash.damage = Some(error);
                    stash.pages.push(None);
                }
            }
        }
        stash.count = AtomicUsize::new(index.len());
        Ok(stash)
    }

    /// Why "not found" may be wrong: a page of the stash could not be read.
    pub fn damage(&self) -> Option<&Error> {
        self.damage.as_ref()
    }

    /// Pages of the stash.
    pub fn page_count(&self) -> u64 {
        self.pages.len() as u64
    }

    /// Anchors in the stash.
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// The anchor's place, page and bytes.
    pub fn find(&self, key: Key) -> Option<(Location, P, SlotBytes)> {
        if self.len() == 0 {
            return None;
        }
        let index = self.index.lock();
        let entry = index.get(&key)?;
        let page = self.pages[entry.page].as_ref()?;
        let bytes = page.with(|payload| *bucket::slot(payload, entry.slot));
        let checksummed = checksum_holds(&bytes) && Key::of(&bytes) == key;
        checksummed.then(|| (location(entry.page, entry.slot), page.clone(), bytes))
    }

    /// Puts an anchor into a free slot; `None` if there is none. The caller holds the stash lock.
    pub fn insert(&self, key: Key, homes: Homes, bytes: &SlotBytes, inside: P::In<'_>) -> Option<Location> {
        for (page, handle) in self.pages.iter().enumerate() {
            let Some(handle) = handle else { continue };
            let Some(slot) = handle.with(bucket::free_slot) else { continue };
            handle.put(slot, bytes, inside);
            let mut index = self.index.lock();
            index.insert(key, Entry { page, slot, homes });
            self.count.store(index.len(), Ordering::Release);
            return Some(location(page, slot));
        }
        None
    }

    /// Takes an anchor out. The caller holds the stash lock.
    pub fn remove(&self, key: Key, inside: P::In<'_>) {
        let mut index = self.index.lock();
        let Some(entry) = index.remove(&key) else { return };
        if let Some(page) = &self.pages[entry.page] {
            page.put(entry.slot, &EMPTY, inside);
        }
        self.count.store(index.len(), Ordering::Release);
    }

    /// An anchor that could stand on this cortex page.
    pub fn candidate_for(&self, page: u64) -> Option<Key> {
        let index = self.index.lock();
        index.iter().find(|(_, entry)| entry.homes.contains(page)).map(|(key, _)| *key)
    }
}

fn location(page: usize, slot: usize) -> Location {
    Location { region: Region::Stash, page: page as u64, slot: slot as u16 }
}
