//! Extension chains on the volume: segments, extended attributes, long symlink targets.

use super::{Locked, View};
use crate::base::{Code, Error, Ino, Result};
use crate::extension::{Chain, Change as ChainChange, PAYLOAD_MAX, Unit, UnitMap, Units};
use crate::format::layout;
use crate::format::slot::CHAIN_FLAGS;
use crate::format::{Equations, Region, SEGMENT_SIZE, Slot};
use crate::format::{bit, set_bit};
use crate::pages::{Change, PageCache};
use crate::transaction::Transaction;
use crate::volume::Volume;

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
        Chain::read(&mut ExtensionPages(&self.pages), owner, head, pages)
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

    /// Gives the file a new payload of a type (empty: none). The caller sets the flag that announces it
    /// and marks the file. An error changes nothing.
    pub fn store_extension(
        &self,
        tx: &Transaction<'_>,
        file: &mut Locked<'_>,
        kind: u32,
        payload: &[u8],
    ) -> Result<()> {
        if file.chain.is_none() {
            file.chain = Some(self.chain_of(&file.slot)?);
        }
        let chain = file.chain.as_ref().expect("just loaded");
        if payload.is_empty() && !chain.has(kind) {
            return Ok(());
        }
        let mut units = self.units.lock();
        let changes = [ChainChange { kind, payload }];
        let generation = tx.number() as u32;
        let plan = chain.plan(&changes, generation, &mut units, &mut ExtensionPages(&self.pages))?;
        // Bring every page to memory before the first is changed.
        let touched = plan.writes.iter().map(|(unit, _)| *unit).chain(plan.freed.iter().map(|run| run.first));
        let mut pages = Vec::new();
        for unit in touched {
            let loaded = self
                .pages
                .get(Region::Extension, unit / PER_PAGE)
                .and_then(|page| Ok((page, self.pages.get(Region::Unit, unit / BITS)?)));
            match loaded {
                Ok(loaded) => pages.push(loaded),
                Err(error) => {
                    plan.cancel(&mut units);
                    return Err(error);
                }
            }
        }
        for ((unit, bytes), (page, map)) in plan.writes.iter().zip(&pages) {
            let slot = (unit % PER_PAGE) as usize;
            self.pages.change(tx, page, Change::Items { first: slot, count: 1 }, |image| {
                image[slot * UNIT..(slot + 1) * UNIT].copy_from_slice(bytes);
            });
            self.pages.change(tx, map, Change::Touch, |image| set_bit(image, unit % BITS, true));
        }
        for (run, (_, map)) in plan.freed.iter().zip(&pages[plan.writes.len()..]) {
            // A record lies in one page of units, and a page of the map holds whole pages of units or
            // splits one: then the rest is in the next page of the map.
            for unit in run.first..run.first + run.count {
                let map = if unit / BITS == run.first / BITS {
                    map.clone()
                } else {
                    self.pages.get(Region::Unit, unit / BITS)?
                };
                let bits = Change::Bits { first: (unit % BITS) as u32, count: 1 };
                self.pages.change(tx, &map, bits, |image| set_bit(image, unit % BITS, false));
            }
        }
        let chain = plan.keep(&mut units);
        drop(units);
        file.slot.attributes.extension = chain.head();
        file.slot_dirty = true;
        file.chain = Some(chain);
        Ok(())
    }

    /// Writes the segments of `next` if they differ from what the chain holds.
    pub(in crate::volume) fn write_segments(
        &self,
        tx: &Transaction<'_>,
        file: &mut Locked<'_>,
        next: &mut Equations,
    ) -> Result<()> {
        let had = file.has(layout::DATA_CLASS_HAS_SEGMENTS);
        if !had && next.segments.is_empty() {
            return Ok(());
        }
        let payload = next.segments.encode(self.blocks.window());
        self.store_extension(tx, file, layout::EXTENSION_SEGMENTS, &payload)?;
        file.set(layout::DATA_CLASS_HAS_SEGMENTS, !payload.is_empty());
        Ok(())
    }

    /// Writes the file's segments as they are in memory.
    pub(in crate::volume) fn store_segments(
        &self,
        tx: &Transaction<'_>,
        file: &mut Locked<'_>,
    ) -> Result<()> {
        let mut equations = std::mem::replace(&mut file.equations, Equations::empty(self.blocks.window(), 0));
        let done = self.write_segments(tx, file, &mut equations);
        file.equations = equations;
        done
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

    /// Frees the whole chain of a file that goes away.
    pub fn drop_chain(&self, tx: &Transaction<'_>, file: &mut Locked<'_>) -> Result<()> {
        for kind in layout::EXTENSION_SEGMENTS..=layout::EXTENSION_SYMLINK {
            self.store_extension(tx, file, kind, &[])?;
        }
        Ok(())
    }
}
