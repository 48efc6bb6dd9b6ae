//! Entering an anchor: find the whole path first, then lock it, check it again, and move from the
//! far end.

use super::bucket;
use super::homes::{Homes, Key};
use super::locks::{Held, LockPool, Moving};
use super::path::{Access, PageSet, Path, Plan};
use super::store::{In, Location, SlotPage, SlotStore};
use super::{Cortex, SEARCH_PAGES_MAX};
use crate::base::{Code, Error, Result};
use crate::format::Region;
use crate::format::slot::{SlotBytes, checksum_holds};

impl<S: SlotStore> Cortex<S> {
    /// Enters a slot, with its checksum, whose number is new to the volume. At most 16 anchors move and at most
    /// 17 slots change, all before it returns. Errors: `CortexFull`; `InvalidArgument` for bytes
    /// whose checksum is wrong; the store's if page H1 cannot be read (another hint may help). After
    /// an error every slot is as it was.
    pub fn insert(&self, bytes: &SlotBytes, inside: In<'_, S>) -> Result<Location> {
        if !checksum_holds(bytes) {
            return Err(Error::new(Code::InvalidArgument, "cortex: slot without valid checksums"));
        }
        let homes = self.placement.homes(Key::of(bytes));
        let first = self.store.page(Region::Cortex, homes.h1)?;
        let at = match self.insert_direct(homes.h1, &first, bytes, inside) {
            Some(at) => at,
            None => self.insert_by_path(homes, first, bytes, inside)?,
        };
        self.count_used(1);
        Ok(at)
    }

    /// The common case: H1 has a free slot.
    fn insert_direct(
        &self,
        page: u64,
        handle: &S::Page,
        bytes: &SlotBytes,
        inside: In<'_, S>,
    ) -> Option<Location> {
        let _held = Held::new(self.locks.of(page));
        let free = handle.with(bucket::free_slot);
        if let Some(slot) = free {
            handle.put(slot, bytes, inside);
        }
        self.occupancy.set(page, handle.with(bucket::used));
        free.map(|slot| cortex_slot(page, slot))
    }

    fn insert_by_path(
        &self,
        homes: Homes,
        first: S::Page,
        bytes: &SlotBytes,
        inside: In<'_, S>,
    ) -> Result<Location> {
        let mut pages = PageSet::from([(homes.h1, Some(first))]);
        for _ in 0..self.optimistic_tries {
            match self.plan(homes, &mut pages, Access::Unlocked) {
                Plan::Path(path) => {
                    let hops = path.hops.iter().map(|hop| hop.page);
                    let held = self.locks.take(hops.chain([path.last]), false);
                    if let Some(at) = self.execute(&path, &pages, &held, bytes, inside) {
                        return Ok(at);
                    }
                }
                Plan::Full | Plan::Needs(_) => return self.insert_stash(homes, bytes, inside),
            }
        }
        self.insert_exclusively(homes, &mut pages, bytes, inside)
    }

    /// Others kept changing the paths found. With every lock held a path stays true; a page the
    /// search misses is brought to memory after the locks are dropped, so each round but the last
    /// adds a page to those in hand, and the search's limit of pages bounds the rounds.
    fn insert_exclusively(
        &self,
        homes: Homes,
        pages: &mut PageSet<S::Page>,
        bytes: &SlotBytes,
        inside: In<'_, S>,
    ) -> Result<Location> {
        while pages.len() <= SEARCH_PAGES_MAX {
            let held = self.locks.take_all();
            match self.plan(homes, pages, Access::AllLocked) {
                Plan::Path(path) => {
                    if let Some(at) = self.execute(&path, pages, &held, bytes, inside) {
                        return Ok(at);
                    }
                    break;
                }
                Plan::Full => break,
                Plan::Needs(page) => {
                    drop(held);
                    pages.insert(page, self.load(page).ok());
                }
            }
        }
        self.insert_stash(homes, bytes, inside)
    }

    /// Moves the anchors of the path and enters the new one, if the path is still as it was
    /// found; `None`, and nothing changed, if not. The caller holds the locks of its pages.
    fn execute(
        &self,
        path: &Path,
        pages: &PageSet<S::Page>,
        held: &[Held<'_>],
        bytes: &SlotBytes,
        inside: In<'_, S>,
    ) -> Option<Location> {
        let handle = |page: u64| pages.get(&page)?.as_ref();
        // The path ends at the first page with a free slot: it may have become shorter.
        let mut end = 0;
        let (last, mut free) = loop {
            let page = path.hops.get(end).map_or(path.last, |hop| hop.page);
            let hop = path.hops.get(end);
            let (free, in_place) = handle(page)?.with(|payload| {
                let in_place = hop.is_some_and(|hop| {
                    let bytes = bucket::slot(payload, hop.slot);
                    Key::of(bytes) == hop.key && checksum_holds(bytes)
                });
                (bucket::free_slot(payload), in_place)
            });
            match free {
                Some(slot) => break (page, slot),
                None if in_place => end += 1,
                None => return None,
            }
        };
        let end_page = handle(last)?;
        let moving = (end > 0).then(|| Moving::begin(held));
        let mut to = end_page;
        for hop in path.hops[..end].iter().rev() {
            let from = handle(hop.page)?;
            // Written to its new page before its old slot is overwritten: never on none.
            let moved = from.with(|payload| *bucket::slot(payload, hop.slot));
            to.put(free, &moved, inside);
            (to, free) = (from, hop.slot);
        }
        to.put(free, bytes, inside);
        drop(moving);
        self.occupancy.set(last, end_page.with(bucket::used));
        let page = path.hops[..end].first().map_or(last, |hop| hop.page);
        Some(cortex_slot(page, free))
    }

    fn insert_stash(&self, homes: Homes, bytes: &SlotBytes, inside: In<'_, S>) -> Result<Location> {
        let _held = Held::new(self.locks.stash());
        self.stash.insert(Key::of(bytes), homes, bytes, inside).ok_or_else(|| {
            let text =
                format!("the cortex has no room for another file ({} of {})", self.used(), self.capacity());
            Error::new(Code::CortexFull, text)
        })
    }

    /// A slot of `page` became free: an anchor of the stash that belongs there takes it, so that
    /// the stash serves the next burst. The caller has locked `page` and the stash, nothing else.
    pub(super) fn refill_from_stash(
        &self,
        page: u64,
        handle: &S::Page,
        held: &[Held<'_>],
        inside: In<'_, S>,
    ) {
        let Some(key) = self.stash.candidate_for(page) else { return };
        let Some((_, _, bytes)) = self.stash.find(key) else { return };
        let Some(slot) = handle.with(bucket::free_slot) else { return };
        let _moving = Moving::begin(held);
        handle.put(slot, &bytes, inside);
        self.stash.remove(key, inside);
    }
}

/// The locks a slot's change needs: its page's, or the stash's.
pub(super) fn lock_of<'a>(locks: &'a LockPool, at: &Location) -> Held<'a> {
    match at.region {
        Region::Stash => Held::new(locks.stash()),
        _ => Held::new(locks.of(at.page)),
    }
}

fn cortex_slot(page: u64, slot: usize) -> Location {
    Location { region: Region::Cortex, page, slot: slot as u16 }
}
