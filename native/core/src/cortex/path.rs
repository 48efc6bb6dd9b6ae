//! The search for a free slot: which anchors to kick, and where to (breadth-first, so the
//! shortest path; no slot is changed here).

use std::collections::{HashMap, HashSet};

use super::bucket::{self, SLOTS};
use super::homes::{Homes, Key};
use super::locks::Held;
use super::store::{SlotPage, SlotStore};
use super::{Cortex, SEARCH_PAGES_MAX};
use crate::base::Result;
use crate::format::Region;
use crate::format::layout::KICKS_MAX;
use crate::format::slot::checksum_holds;

/// The pages an operation has in hand; `None` for one that cannot be read.
pub type PageSet<P> = HashMap<u64, Option<P>>;

/// One displacement: `key`, in `slot` of `page`, goes to the next page of the path.
#[derive(Clone, Copy)]
pub struct Hop {
    pub page: u64,
    pub slot: usize,
    pub key: Key,
}

/// A way to a free slot: each hop's anchor moves to the page of the next hop, the last one's to
/// `last`. Without hops the new anchor goes straight to `last`.
pub struct Path {
    pub hops: Vec<Hop>,
    pub last: u64,
}

/// Outcome of a search.
pub enum Plan {
    Path(Path),
    /// No free slot within 16 kicks and the page limit.
    Full,
    /// The page must be brought to memory first (only when the search may not do I/O).
    Needs(u64),
}

/// How the search may get pages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// No lock is held: pages are loaded as needed.
    Unlocked,
    /// Every lock is held: no I/O.
    AllLocked,
}

/// A page of the search tree and the displacement that leads to it.
struct Node {
    page: u64,
    /// Index of the parent node, and the hop from it.
    from: Option<(usize, Hop)>,
    depth: u64,
}

/// A page that is needed and not in memory.
struct Missing(u64);

struct Search<'a, S: SlotStore> {
    cortex: &'a Cortex<S>,
    pages: &'a mut PageSet<S::Page>,
    access: Access,
    nodes: Vec<Node>,
    seen: HashSet<u64>,
}

impl<S: SlotStore> Cortex<S> {
    /// Searches from H1, then H2. Pages that cannot be read are passed by.
    pub(super) fn plan(&self, homes: Homes, pages: &mut PageSet<S::Page>, access: Access) -> Plan {
        let mut search = Search { cortex: self, pages, access, nodes: Vec::new(), seen: HashSet::new() };
        match search.run(homes) {
            Ok(Some(node)) => Plan::Path(search.path_to(node)),
            Ok(None) => Plan::Full,
            Err(Missing(page)) => Plan::Needs(page),
        }
    }

    /// Brings a cortex page to memory and learns its count.
    pub(super) fn load(&self, page: u64) -> Result<S::Page> {
        let handle = self.store.page(Region::Cortex, page)?;
        if self.occupancy.page(page).is_none() {
            let _held = Held::new(self.locks.of(page));
            self.occupancy.set(page, handle.with(bucket::used));
        }
        Ok(handle)
    }
}

impl<S: SlotStore> Search<'_, S> {
    /// The index of a node whose page has a free slot.
    fn run(&mut self, homes: Homes) -> std::result::Result<Option<usize>, Missing> {
        for page in [homes.h1, homes.h2] {
            if let Some(found) = self.visit(page, None)? {
                return Ok(Some(found));
            }
        }
        let mut next = 0;
        while next < self.nodes.len() {
            if let Some(found) = self.expand(next)? {
                return Ok(Some(found));
            }
            next += 1;
        }
        Ok(None)
    }

    /// Enters the pages to which the anchors of a full page could move: first one that is known to
    /// have room, then those not known, the full ones last and unread.
    fn expand(&mut self, node: usize) -> std::result::Result<Option<usize>, Missing> {
        let Node { page, depth, .. } = self.nodes[node];
        if depth == KICKS_MAX {
            return Ok(None);
        }
        let Some(handle) = self.get(page)? else { return Ok(None) };
        let payload = bucket::snapshot(&handle);
        let mut steps = Vec::with_capacity(SLOTS);
        for slot in 0..SLOTS {
            let bytes = bucket::slot(&payload, slot);
            // A damaged anchor, or one that must not stand here, never moves.
            if !checksum_holds(bytes) {
                continue;
            }
            let key = Key::of(bytes);
            let Some(to) = self.cortex.placement.homes(key).other(page) else { continue };
            if !self.seen.contains(&to) {
                let rank = match self.cortex.occupancy.page(to) {
                    Some(SLOTS) => 2,
                    Some(_) => 0,
                    None => 1,
                };
                steps.push((rank, to, Hop { page, slot, key }));
            }
        }
        steps.sort_by_key(|(rank, ..)| *rank);
        for (_, to, hop) in steps {
            if self.seen.contains(&to) {
                continue;
            }
            if let Some(found) = self.visit(to, Some((node, hop)))? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Enters a page; its node if it has a free slot. A page known to be full is not read now.
    fn visit(
        &mut self,
        page: u64,
        from: Option<(usize, Hop)>,
    ) -> std::result::Result<Option<usize>, Missing> {
        let depth = from.map_or(0, |(parent, _)| self.nodes[parent].depth + 1);
        let full = self.cortex.occupancy.page(page) == Some(SLOTS);
        let handle = if full { None } else { self.get(page)? };
        self.seen.insert(page);
        self.nodes.push(Node { page, from, depth });
        let free = handle.is_some_and(|handle| handle.with(bucket::free_slot).is_some());
        Ok(free.then(|| self.nodes.len() - 1))
    }

    /// The page's handle; `None` if it cannot be read or the limit of pages is reached.
    fn get(&mut self, page: u64) -> std::result::Result<Option<S::Page>, Missing> {
        if let Some(handle) = self.pages.get(&page) {
            return Ok(handle.clone());
        }
        if self.pages.len() >= SEARCH_PAGES_MAX {
            return Ok(None);
        }
        if self.access == Access::AllLocked {
            return Err(Missing(page));
        }
        let handle = self.cortex.load(page).ok();
        self.pages.insert(page, handle.clone());
        Ok(handle)
    }

    fn path_to(&self, node: usize) -> Path {
        let mut hops = Vec::new();
        let mut at = node;
        while let Some((parent, hop)) = self.nodes[at].from {
            hops.push(hop);
            at = parent;
        }
        hops.reverse();
        Path { hops, last: self.nodes[node].page }
    }
}
