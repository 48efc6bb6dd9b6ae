//! Extension chains on the volume: segments, extended attributes, long symlink targets.

use super::{Locked, View};
use crate::base::{Code, Error, Ino, Result};
use crate::extension::{
    Chain, Change as ChainChange, PAYLOAD_MAX, Plan, Unit, UnitAllocator, UnitMap, Units,
};
use crate::format::layout;
use crate::format::slot::CHAIN_FLAGS;
use crate::format::{Equations, Region, SEGMENT_SIZE, Slot};
use crate::format::{bit, is_later, set_bit};
use crate::pages::{CachedPage, Change, PageCache};
use crate::transaction::Transaction;
use crate::volume::Volume;
use parking_lot::Mutex;
use std::sync::Arc;

const UNIT: usize = layout::UNIT_SIZE as usize;
const PER_PAGE: u64 = layout::UNITS_PER_PAGE;
const BITS: u64 = layout::MAP_BITS_PER_PAGE;
const PAYLOAD: usize = layout::PAGE_PAYLOAD as usize;

/// The extension region through the page cache.
struct ExtensionPages<'a>(&'a PageCache);

impl Units for ExtensionPages<'_> {
    fn unit(&mut self, unit: u64) -> Result<Unit> {
        let at = (unit % PER_PAGE) as usize * UNIT;
        let page = self.0.get(Region::Extension, unit / PER_PAGE)?;
        Ok(page.with(|bytes| bytes[at..at + UNIT].try_into().expect("a unit")))
    }
    fn in_use(&mut self, unit: u64) -> Result<bool> {
        Ok(self.0.get(Region::Unit, unit / BITS)?.with(|bytes| bit(bytes, unit % BITS)))
    }
}

impl UnitMap for ExtensionPages<'_> {
    fn read_page(&mut self, page: u64, bits: &mut [u8; PAYLOAD]) -> Result<()> {
        self.0.get(Region::Unit, page)?.with(|bytes| bits.copy_from_slice(&bytes[..PAYLOAD]));
        Ok(())
    }
}

/// A unit with its page and that of the map.
type UnitPages = (u64, Arc<CachedPage>, Arc<CachedPage>);

/// New payloads of a file's chain: units taken, pages in memory. Made by [`Volume::plan_extension`], so that
/// [`Volume::change_extension`] cannot fail; dropped, it changes nothing.
pub struct ExtensionChange<'a> {
    units: &'a Mutex<UnitAllocator>,
    /// `None`: carried out.
    plan: Option<Plan>,
    written: Vec<UnitPages>,
    freed: Vec<UnitPages>,
    kinds: Vec<u32>,
}

impl ExtensionChange<'_> {
    /// What the slot of the changed file says: where the chain begins, and which types it has.
    pub fn announce(&self, slot: &mut Slot) {
        let Some(plan) = &self.plan else { return };
        slot.attributes.extension = plan.chain.head();
        for &kind in &self.kinds {
            let flag = match kind {
                layout::EXTENSION_SEGMENTS => layout::DATA_CLASS_HAS_SEGMENTS,
                layout::EXTENSION_XATTR => layout::DATA_CLASS_HAS_XATTR,
                layout::EXTENSION_ACL => layout::DATA_CLASS_HAS_ACL,
                layout::EXTENSION_TAGS => layout::DATA_CLASS_HAS_TAGS,
                layout::EXTENSION_SYMLINK => layout::DATA_CLASS_LONG_SYMLINK,
                _ => 0,
            };
            let class = &mut slot.anchor.data_class;
            *class = if plan.chain.has(kind) { *class | flag } else { *class & !flag };
        }
    }
}

impl Drop for ExtensionChange<'_> {
    fn drop(&mut self) {
        if let Some(plan) = self.plan.take() {
            plan.cancel(&mut self.units.lock());
        }
    }
}

impl Volume {
    /// The chain of a file, as its slot announces it. Corrupt: a flag without a record of its type, or a record
    /// without its flag.
    pub(super) fn chain_of(&self, slot: &Slot) -> Result<Chain> {
        let number = slot.anchor.number;
        let chain = self.load_chain(number, slot.attributes.extension)?;
        for (flag, kind) in CHAIN_FLAGS {
            if slot.has(flag) != chain.has(kind) {
                let what = if slot.has(flag) { "is missing" } else { "stands there without its flag" };
                return Err(Error::new(
                    Code::Corrupt,
                    format!("file {number}: extension of type {kind} {what}"),
                ));
            }
        }
        Ok(chain)
    }

    /// The chain that begins at a unit (0: none).
    fn load_chain(&self, owner: Ino, head: u64) -> Result<Chain> {
        let pages = self.geometry.map.pages_of(Region::Extension);
        let chain = Chain::read(&mut ExtensionPages(&self.pages), owner, head, pages)?;
        for record in &chain.records {
            if is_later(record.generation, self.pages.get(Region::Extension, record.unit / PER_PAGE)?.txn()) {
                let text = format!(
                    "file {owner}, extension unit {}: the record is of a later transaction than its page",
                    record.unit
                );
                return Err(Error::new(Code::Corrupt, text));
            }
        }
        Ok(chain)
    }

    /// The payload of a type the file is said to have.
    pub fn extension_payload(&self, file: View<'_>, kind: u32) -> Result<Vec<u8>> {
        let loaded;
        let chain = match &file.chain {
            Some(chain) => chain,
            None => {
                loaded = self.chain_of(&file.slot)?;
                &loaded
            }
        };
        if !chain.has(kind) {
            let text = format!("file {}: extension of type {kind} is missing", file.inode.ino);
            return Err(Error::new(Code::Corrupt, text));
        }
        Ok(chain.payload(kind))
    }

    /// Plans new payloads of some types (empty: none). `None`: they change nothing.
    pub fn plan_extension(
        &self,
        tx: &Transaction<'_>,
        file: View<'_>,
        changes: &[ChainChange<'_>],
    ) -> Result<Option<ExtensionChange<'_>>> {
        let loaded;
        let chain = match &file.chain {
            Some(chain) => chain,
            None => {
                loaded = self.chain_of(&file.slot)?;
                &loaded
            }
        };
        let comes_or_goes = |change: &&ChainChange| !change.payload.is_empty() || chain.has(change.kind);
        let changes: Vec<ChainChange> = changes.iter().filter(comes_or_goes).copied().collect();
        if changes.is_empty() {
            return Ok(None);
        }
        let generation = tx.number() as u32;
        let mut pages = ExtensionPages(&self.pages);
        let plan = chain.plan(&changes, generation, &mut self.units.lock(), &mut pages)?;
        let written: Vec<u64> = plan.writes.iter().map(|(unit, _)| *unit).collect();
        let freed: Vec<u64> = plan.freed.iter().flat_map(|run| run.first..run.first + run.count).collect();
        let kinds = changes.iter().map(|change| change.kind).collect();
        // From here on its end gives the units back.
        let mut change = ExtensionChange {
            units: &self.units,
            plan: Some(plan),
            written: Vec::new(),
            freed: Vec::new(),
            kinds,
        };
        change.written = written.into_iter().map(|unit| self.unit_pages(unit)).collect::<Result<_>>()?;
        change.freed = freed.into_iter().map(|unit| self.unit_pages(unit)).collect::<Result<_>>()?;
        Ok(Some(change))
    }

    fn unit_pages(&self, unit: u64) -> Result<UnitPages> {
        let page = self.pages.get(Region::Extension, unit / PER_PAGE)?;
        Ok((unit, page, self.pages.get(Region::Unit, unit / BITS)?))
    }

    /// Carries a plan out, of a file whose chain has not changed since, and marks the file.
    pub fn change_extension(
        &self,
        tx: &Transaction<'_>,
        file: &mut Locked<'_>,
        mut change: ExtensionChange<'_>,
    ) {
        change.announce(&mut file.slot);
        let Some(plan) = change.plan.take() else { return };
        for ((unit, bytes), (_, page, map)) in plan.writes.iter().zip(&change.written) {
            let slot = (unit % PER_PAGE) as usize;
            self.pages.change(tx, page, Change::Items { first: slot, count: 1 }, |image| {
                image[slot * UNIT..(slot + 1) * UNIT].copy_from_slice(bytes);
            });
            self.pages.change(tx, map, Change::Touch, |image| set_bit(image, unit % BITS, true));
        }
        for (unit, _, map) in &change.freed {
            let bits = Change::Bits { first: (unit % BITS) as u32, count: 1 };
            self.pages.change(tx, map, bits, |image| set_bit(image, unit % BITS, false));
        }
        file.chain = Some(plan.keep(&mut self.units.lock()));
        self.mark(tx, file);
    }

    /// Writes the segments of `next` if they differ from what the chain holds. An error changes nothing.
    pub(in crate::volume) fn write_segments(
        &self,
        tx: &Transaction<'_>,
        file: &mut Locked<'_>,
        next: &Equations,
    ) -> Result<()> {
        if !file.has(layout::DATA_CLASS_HAS_SEGMENTS) && next.segments.is_empty() {
            return Ok(());
        }
        let payload = next.segments.encode(self.blocks.window());
        let segments = ChainChange { kind: layout::EXTENSION_SEGMENTS, payload: &payload };
        if let Some(change) = self.plan_extension(tx, file.view(), &[segments])? {
            self.change_extension(tx, file, change);
        }
        Ok(())
    }

    /// Segments that the extension region can still take for a file: what is left, less a page that
    /// a moved record may need and one that is kept for META blocks, whose placement must not fail.
    pub(in crate::volume) fn segment_slots(&self, is_meta: bool) -> u64 {
        let region = self.geometry.units().saturating_sub(1);
        let left = region.saturating_sub(self.units.lock().used());
        if is_meta {
            return left.saturating_sub(1) * (UNIT / SEGMENT_SIZE / 2) as u64;
        }
        let per_page = (PAYLOAD_MAX / SEGMENT_SIZE) as u64;
        left.saturating_sub(3 * PER_PAGE) / PER_PAGE * per_page
    }
}
