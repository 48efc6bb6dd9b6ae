//! Descriptors and the free map as one table: what each data block holds (docs/format.md 2).
//!
//! A descriptor counts only while its free map bit is set. Numbers of data blocks are counted from
//! the first block of the window.

use crate::base::{Code, Error, Result};
use crate::format::{
    BlockPlace, Descriptor, DescriptorTable, Geometry, PageBytes, Region, Stamp, bit, layout, set_bit,
};
use crate::pages::{CachedPage, Change, PageCache};
use crate::transaction::Transaction;
use std::sync::Arc;

const BITS: u64 = layout::MAP_BITS_PER_PAGE;

/// Which block of which file: what a descriptor names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlockKey {
    pub owner: u64,
    pub index: u64,
    pub copy: u8,
}

impl BlockKey {
    /// Whether a descriptor names this block.
    pub(super) fn is_of(&self, found: &Descriptor) -> bool {
        (found.owner, found.index, found.copy()) == (self.owner, self.index, self.copy)
    }
    /// The key of the block `count` indices further on.
    pub(super) fn plus(&self, count: u64) -> BlockKey {
        BlockKey { index: self.index + count, ..*self }
    }
}

/// The tables of one volume.
pub struct BlockTable {
    pages: Arc<PageCache>,
    descriptors: DescriptorTable,
    /// Metadata copies.
    copies: usize,
    /// Window and overwrite area.
    data_blocks: u64,
}

impl BlockTable {
    pub fn new(pages: Arc<PageCache>, geometry: &Geometry) -> BlockTable {
        let (descriptors, copies) = (geometry.descriptors, geometry.copies());
        BlockTable { pages, descriptors, copies, data_blocks: geometry.data_blocks() }
    }

    fn check(&self, data: u64) -> Result<()> {
        if data < self.data_blocks {
            return Ok(());
        }
        Err(Error::new(Code::Corrupt, format!("data block {data} lies outside the volume")))
    }
    fn map_page(&self, data: u64) -> Result<Arc<CachedPage>> {
        self.check(data)?;
        self.pages.get(Region::Free, data / BITS)
    }
    fn descriptor_page(&self, data: u64) -> Result<Arc<CachedPage>> {
        self.check(data)?;
        self.pages.get(Region::Descriptor, self.descriptors.page_of(data))
    }

    /// Whether the block is in use.
    pub fn is_set(&self, data: u64) -> Result<bool> {
        Ok(self.map_page(data)?.with(|bytes| bit(bytes, data % BITS)))
    }

    /// The live descriptor of a block, if it is in use.
    pub fn live(&self, data: u64) -> Result<Option<Descriptor>> {
        if !self.is_set(data)? {
            return Ok(None);
        }
        self.descriptor_page(data)?.with_txn(|bytes, txn| self.descriptor(bytes, txn, data)).map(Some)
    }

    /// How many live descriptors from `data` on name `key` and the indices after it, at most `max`, and
    /// whether they are preallocated; written and preallocated blocks end each other's run. `take` gets the
    /// stamps of written ones.
    pub fn run(
        &self,
        data: u64,
        key: BlockKey,
        max: u64,
        mut take: impl FnMut(Stamp),
    ) -> Result<(u64, bool)> {
        let max = max.min(self.data_blocks.saturating_sub(data));
        let (mut count, mut unwritten) = (0, None);
        while count < max {
            let at = data + count;
            let map = self.map_page(at)?;
            if !map.with(|bits| bit(bits, at % BITS)) {
                break;
            }
            let page = self.descriptor_page(at)?;
            let end = max.min(count + self.rest_of_page(at).min(BITS - at % BITS));
            let start = count;
            map.with(|bits| {
                page.with_txn(|bytes, txn| -> Result<()> {
                    while count < end {
                        let here = data + count;
                        if !bit(bits, here % BITS) {
                            break;
                        }
                        let found = self.descriptor(bytes, txn, here)?;
                        let is_unwritten = found.is_unwritten();
                        let continues = *unwritten.get_or_insert(is_unwritten) == is_unwritten;
                        if !continues || !key.plus(count).is_of(&found) {
                            break;
                        }
                        if !is_unwritten {
                            take(found.stamp);
                        }
                        count += 1;
                    }
                    Ok(())
                })
            })?;
            if count < end || count == start {
                break;
            }
        }
        Ok((count, unwritten.unwrap_or(false)))
    }

    /// Whether copy B knows more of a block than copy A did: a lost write of its free map or descriptor
    /// page. Then the tables in memory are right now, and the caller looks again.
    pub fn recheck(&self, data: u64) -> Result<bool> {
        self.check(data)?;
        let map = self.pages.recheck(Region::Free, data / BITS)?;
        Ok(self.pages.recheck(Region::Descriptor, self.descriptors.page_of(data))? || map)
    }

    /// Brings the pages that a change of these blocks touches to memory, where `held` keeps them, and
    /// refuses blocks whose descriptor page is newer than their free map page: a lost write of the map.
    pub fn prepare(&self, first: u64, count: u64, held: &mut Vec<Arc<CachedPage>>) -> Result<()> {
        let mut data = first;
        while data < first + count {
            let map = self.map_page(data)?;
            let page = self.descriptor_page(data)?;
            if page.txn() > map.txn() {
                return Err(Error::new(
                    Code::Corrupt,
                    format!(
                        "free map page {} is older than descriptor page {}: a write was lost; run hn4 scrub",
                        map.number, page.number
                    ),
                ));
            }
            held.extend([map, page]);
            data += self.rest_of_page(data);
        }
        Ok(())
    }

    /// Makes a run of blocks live: consecutive blocks, consecutive indices from that of `place` on. `stamps`
    /// is empty for preallocated blocks. The pages must be prepared.
    pub fn set_run(
        &self,
        tx: &Transaction<'_>,
        first: u64,
        place: &BlockPlace,
        count: u64,
        stamps: &[Stamp],
    ) -> Result<()> {
        let mut done = 0;
        while done < count {
            let at = first + done;
            let n = (count - done).min(self.rest_of_page(at));
            let map = self.map_page(at)?;
            let page = self.descriptor_page(at)?;
            let position = self.descriptors.position(at);
            let items = Change::Items { first: position, count: n as usize };
            self.pages.change(tx, &page, items, |bytes| {
                for i in 0..n {
                    let stamp = stamps.get((done + i) as usize).copied().unwrap_or_default();
                    let one = Descriptor::new(&place.plus(done + i), tx.number(), stamp);
                    self.descriptors.encode(bytes, position + i as usize, &one);
                }
            });
            // A descriptor page never straddles two map pages.
            self.pages.change(tx, &map, Change::Touch, |bytes| {
                for i in 0..n {
                    set_bit(bytes, (at + i) % BITS, true);
                }
            });
            done += n;
        }
        Ok(())
    }

    /// The pages of the free map that have a run of blocks; `None`: not all of it is in use.
    pub fn map_pages(&self, first: u64, count: u64) -> Result<Option<Vec<Arc<CachedPage>>>> {
        let mut pages = Vec::new();
        for (at, n) in parts(first, count) {
            let map = self.map_page(at)?;
            self.check(at + n - 1)?;
            if !map.with(|bits| (at..at + n).all(|at| bit(bits, at % BITS))) {
                return Ok(None);
            }
            pages.push(map);
        }
        Ok(Some(pages))
    }

    /// Frees a run of blocks in the running transaction; their space may be reused once it is proven. `maps`
    /// are their [`BlockTable::map_pages`].
    pub fn free_run(&self, tx: &Transaction<'_>, maps: &[Arc<CachedPage>], first: u64, count: u64) {
        for (map, (at, n)) in maps.iter().zip(parts(first, count)) {
            let bits = Change::Bits { first: (at % BITS) as u32, count: n as u32 };
            self.pages.change(tx, map, bits, |bytes| {
                for i in 0..n {
                    set_bit(bytes, (at + i) % BITS, false);
                }
            });
        }
    }

    /// The first data block whose descriptor is on the page behind that of `data`.
    pub fn next_page(&self, data: u64) -> u64 {
        data + self.rest_of_page(data)
    }

    /// Descriptors of its page from that of `data` on.
    fn rest_of_page(&self, data: u64) -> u64 {
        self.descriptors.per_page - data % self.descriptors.per_page
    }

    /// The descriptor of a block in a page that transaction `txn` changed last.
    fn descriptor(&self, bytes: &PageBytes, txn: u64, data: u64) -> Result<Descriptor> {
        let found = self.descriptors.decode(bytes, self.descriptors.position(data));
        let later = (found.txn > txn).then_some("of a later transaction than its page");
        match found.problem(self.copies).or(later) {
            None => Ok(found),
            Some(problem) => {
                Err(Error::new(Code::Corrupt, format!("descriptor of data block {data}: {problem}")))
            }
        }
    }
}

/// A run of blocks, cut at the pages of the free map: (first, count) of each part.
fn parts(first: u64, count: u64) -> impl Iterator<Item = (u64, u64)> {
    let end = first + count;
    let next = move |at: u64| (at + BITS - at % BITS).min(end);
    let starts = std::iter::successors((count > 0).then_some(first), move |at| {
        let next = next(*at);
        (next < end).then_some(next)
    });
    starts.map(move |at| (at, next(at) - at))
}
