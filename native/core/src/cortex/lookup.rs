//! Finding an anchor, and changing the slot where it is found.

use super::Cortex;
use super::bucket;
use super::homes::Key;
use super::insert::lock_of;
use super::locks::{Held, VersionedLock};
use super::store::{In, Location, SlotPage, SlotStore};
use crate::base::{Code, Error, Result};
use crate::format::Region;
use crate::format::slot::{EMPTY, SlotBytes, checksum_holds};

/// An anchor, where it was when it was found.
struct Found<P> {
    at: Location,
    page: P,
    bytes: SlotBytes,
}

/// The two pages of a key, brought to memory once and kept over the retries.
struct Pages<P> {
    first: Result<P>,
    second: Option<Result<P>>,
}

/// An anchor that will be taken out, with what that touches in memory.
pub struct Removal<S: SlotStore> {
    key: Key,
    pages: Pages<S::Page>,
}

impl<S: SlotStore> Cortex<S> {
    /// The anchor and where it stands. `None` is proven: no anchor is missed because it moves.
    /// At most two pages are read. Errors: the store's, if the anchor was not found and a page
    /// on which it may stand cannot be read.
    pub fn find(&self, number: u64, hint: u32) -> Result<Option<(Location, SlotBytes)>> {
        let found = self.locate(Key { number, hint })?;
        Ok(found.map(|found| (found.at, found.bytes)))
    }

    /// Replaces the bytes of an anchor that is in the table. One slot changes. Errors: `NotFound`;
    /// `InvalidArgument` for bytes whose checksum is wrong or that name another file; those of
    /// [`Cortex::find`].
    pub fn update(&self, number: u64, hint: u32, bytes: &SlotBytes, inside: In<'_, S>) -> Result<Location> {
        let key = Key { number, hint };
        if !checksum_holds(bytes) || Key::of(bytes) != key {
            return Err(Error::new(
                Code::InvalidArgument,
                "cortex: slot without its checksum, or of another file",
            ));
        }
        self.change(key, |page, at, _| page.put(usize::from(at.slot), bytes, inside))
    }

    /// Takes an anchor out, as [`Cortex::prepare_remove`] and [`Cortex::carry_out_remove`].
    pub fn remove(&self, number: u64, hint: u32, inside: In<'_, S>) -> Result<()> {
        loop {
            let removal = self.prepare_remove(number, hint)?;
            if self.carry_out_remove(removal, inside) {
                return Ok(());
            }
        }
    }

    /// Finds the anchor and keeps both pages on which it may stand in memory, so that taking it out cannot
    /// fail. Errors: `NotFound`; those of [`Cortex::find`].
    pub fn prepare_remove(&self, number: u64, hint: u32) -> Result<Removal<S>> {
        let key = Key { number, hint };
        let homes = self.placement.homes(key);
        let mut pages = self.pages_of(key);
        // Both pages in hand: no I/O happens under the locks.
        let held = self.locks.take([homes.h1, homes.h2], true);
        let found = self.scan(key, &mut pages)?;
        drop(held);
        if found.is_some() { Ok(Removal { key, pages }) } else { Err(Code::NotFound.into()) }
    }

    /// Takes an anchor out that nobody has taken out since it was found. At most three slots change (one of
    /// the stash may move to the place that became free). False: it moved meanwhile to a page that could not be
    /// read before; nothing changed, try again.
    pub fn carry_out_remove(&self, removal: Removal<S>, inside: In<'_, S>) -> bool {
        let Removal { key, mut pages } = removal;
        let removed = self.change_locked(key, &mut pages, |page, at, held| {
            if at.region == Region::Stash {
                self.stash.remove(key, inside);
                return;
            }
            page.put(usize::from(at.slot), &EMPTY, inside);
            let count = || self.occupancy.set(at.page, page.with(bucket::used));
            if self.stash.len() == 0 {
                return count();
            }
            let held = [held, Held::new(self.locks.stash())];
            self.refill_from_stash(at.page, page, &held, inside);
            count();
        });
        if removed.is_ok() {
            self.count_used(-1);
        }
        removed.is_ok()
    }

    fn pages_of(&self, key: Key) -> Pages<S::Page> {
        let homes = self.placement.homes(key);
        Pages {
            first: self.store.page(Region::Cortex, homes.h1),
            second: Some(self.store.page(Region::Cortex, homes.h2)),
        }
    }

    /// Finds the anchor and calls `f` with its page and its lock held.
    fn change(&self, key: Key, f: impl FnOnce(&S::Page, Location, Held<'_>)) -> Result<Location> {
        for _ in 0..self.optimistic_tries {
            let found = self.locate(key)?.ok_or(Code::NotFound)?;
            let held = lock_of(&self.locks, &found.at);
            if self.is_still_there(&found, key) {
                f(&found.page, found.at, held);
                return Ok(found.at);
            }
        }
        self.change_locked(key, &mut self.pages_of(key), f)
    }

    /// As [`Cortex::change`], for an anchor that moved between finding and locking each time:
    /// with both its pages and the stash locked it cannot.
    fn change_locked(
        &self,
        key: Key,
        pages: &mut Pages<S::Page>,
        f: impl FnOnce(&S::Page, Location, Held<'_>),
    ) -> Result<Location> {
        let homes = self.placement.homes(key);
        let mut held = self.locks.take([homes.h1, homes.h2], true);
        let found = self.scan(key, pages)?.ok_or(Code::NotFound)?;
        let stash = held.pop().expect("the stash's lock was taken");
        if found.at.region == Region::Stash {
            f(&found.page, found.at, stash);
            return Ok(found.at);
        }
        // `f` may want the stash's lock, which comes last in the order anyway.
        drop(stash);
        let own = if held.len() == 2 && !held[0].is(self.locks.of(found.at.page)) { 1 } else { 0 };
        f(&found.page, found.at, held.swap_remove(own));
        Ok(found.at)
    }

    fn is_still_there(&self, found: &Found<S::Page>, key: Key) -> bool {
        found.page.with(|payload| {
            let bytes = bucket::slot(payload, usize::from(found.at.slot));
            Key::of(bytes) == key && checksum_holds(bytes)
        })
    }

    fn locate(&self, key: Key) -> Result<Option<Found<S::Page>>> {
        let homes = self.placement.homes(key);
        let mut pages = Pages { first: self.store.page(Region::Cortex, homes.h1), second: None };
        let locks = [self.locks.of(homes.h1), self.locks.of(homes.h2), self.locks.stash()];
        for _ in 0..self.optimistic_tries {
            let versions = locks.map(VersionedLock::version);
            let found = self.scan(key, &mut pages)?;
            if found.is_some() || locks.iter().zip(versions).all(|(lock, seen)| lock.unmoved_since(seen)) {
                return Ok(found);
            }
        }
        // Both pages in hand: no I/O happens under the locks.
        pages.second.get_or_insert_with(|| self.store.page(Region::Cortex, homes.h2));
        let _held = self.locks.take([homes.h1, homes.h2], true);
        self.scan(key, &mut pages)
    }

    /// Looks at H1, H2 and the stash, in this order.
    fn scan(&self, key: Key, pages: &mut Pages<S::Page>) -> Result<Option<Found<S::Page>>> {
        let homes = self.placement.homes(key);
        if let Some(found) = pages.first.as_ref().ok().and_then(|page| on_page(page, homes.h1, key)) {
            return Ok(Some(found));
        }
        let second = pages.second.get_or_insert_with(|| self.store.page(Region::Cortex, homes.h2));
        if let Some(found) = second.as_ref().ok().and_then(|page| on_page(page, homes.h2, key)) {
            return Ok(Some(found));
        }
        if let Some((at, page, bytes)) = self.stash.find(key) {
            return Ok(Some(Found { at, page, bytes }));
        }
        let unread = pages.first.as_ref().err().or(second.as_ref().err()).or(self.stash.damage());
        match unread {
            Some(error) => Err(error.clone()),
            None => Ok(None),
        }
    }
}

fn on_page<P: SlotPage>(page: &P, number: u64, key: Key) -> Option<Found<P>> {
    let (slot, bytes) = page.with(|payload| bucket::find(payload, key))?;
    let at = Location { region: Region::Cortex, page: number, slot: slot as u16 };
    Some(Found { at, page: page.clone(), bytes })
}
