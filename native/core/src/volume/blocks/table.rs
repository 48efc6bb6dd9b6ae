//! Descriptors and the free map as one table: what each data block holds (docs/format.md 2).
//!
//! A descriptor counts only while its free map bit is set. Numbers of data blocks are counted from
//! the first block of the window.

use crate::base::{Code, Error, Result};
use crate::format::layout::{self, Descriptor};
use crate::format::{PageBytes, Region, bit, set_bit};
use crate::pages::{CachedPage, Change, PageCache};
use crate::transaction::Transaction;
use std::sync::Arc;

const PER_PAGE: u64 = layout::DESCRIPTORS_PER_PAGE;
const BITS: u64 = layout::MAP_BITS_PER_PAGE;
const SIZE: usize = layout::DESCRIPTOR_SIZE as usize;

/// Which block of which file: what a descriptor names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlockKey {
    pub owner: u64,
    pub index: u64,
    pub copy: u8,
}

/// Copy number of a descriptor.
pub fn copy_of(descriptor: &Descriptor) -> u8 {
    (descriptor.flags & 0xf) as u8
}
/// Whether the block is preallocated and reads as zeros.
pub fn is_unwritten(descriptor: &Descriptor) -> bool {
    u64::from(descriptor.flags) & layout::DESCRIPTOR_UNWRITTEN != 0
}

/// The tables of one volume.
pub struct BlockTable {
    pages: Arc<PageCache>,
    /// Window and overwrite area.
    data_blocks: u64,
}

impl BlockTable {
    pub fn new(pages: Arc<PageCache>, data_blocks: u64) -> BlockTable {
        BlockTable { pages, data_blocks }
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
        self.pages.get(Region::Descriptor, data / PER_PAGE)
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
        self.descriptor_page(data)?.with(|bytes| descriptor(bytes, data)).map(Some)
    }

    /// How many live descriptors from `data` on name `key` and the indices after it, at most `max`;
    /// written and preallocated blocks end each other's run. Their CRCs go to `crcs` (written ones only).
    pub fn run(&self, data: u64, key: BlockKey, max: u64, crcs: &mut Vec<u32>) -> Result<(u64, bool)> {
        let max = max.min(self.data_blocks.saturating_sub(data));
        let (mut count, mut unwritten) = (0, None);
        while count < max {
            let at = data + count;
            let map = self.map_page(at)?;
            let page = self.descriptor_page(at)?;
            let end = max.min(count + (PER_PAGE - at % PER_PAGE).min(BITS - at % BITS));
            let start = count;
            map.with(|bits| {
                page.with(|bytes| -> Result<()> {
                    while count < end {
                        let here = data + count;
                        if !bit(bits, here % BITS) {
                            break;
                        }
                        let found = descriptor(bytes, here)?;
                        let names_it = found.owner == key.owner
                            && found.index == key.index + count
                            && copy_of(&found) == key.copy
                            && *unwritten.get_or_insert(is_unwritten(&found)) == is_unwritten(&found);
                        if !names_it {
                            break;
                        }
                        if unwritten == Some(false) {
                            crcs.push(found.crc);
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
        Ok(self.pages.recheck(Region::Descriptor, data / PER_PAGE)? || map)
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
            data += PER_PAGE - data % PER_PAGE;
        }
        Ok(())
    }

    /// Makes a run of blocks live: consecutive blocks, consecutive indices. `crcs` is empty for
    /// preallocated blocks. The pages must be prepared.
    pub fn set_run(
        &self,
        tx: &Transaction<'_>,
        first: u64,
        like: &Descriptor,
        count: u64,
        crcs: &[u32],
    ) -> Result<()> {
        let mut done = 0;
        while done < count {
            let at = first + done;
            let n = (count - done).min(PER_PAGE - at % PER_PAGE);
            let map = self.map_page(at)?;
            let page = self.descriptor_page(at)?;
            let items = Change::Items { first: (at % PER_PAGE) as usize, count: n as usize };
            self.pages.change(tx, &page, items, |bytes| {
                for i in 0..n {
                    let mut one = *like;
                    one.index += done + i;
                    one.crc = crcs.get((done + i) as usize).copied().unwrap_or(0);
                    one.encode(&mut bytes[(at + i) as usize % PER_PAGE as usize * SIZE..]);
                }
            });
            // An entry page never straddles two map pages (256 of them make one).
            self.pages.change(tx, &map, Change::Touch, |bytes| {
                for i in 0..n {
                    set_bit(bytes, (at + i) % BITS, true);
                }
            });
            done += n;
        }
        Ok(())
    }

    /// Frees a run of blocks in the running transaction; their space may be reused once it is proven.
    pub fn free_run(&self, tx: &Transaction<'_>, first: u64, count: u64) -> Result<()> {
        let mut done = 0;
        while done < count {
            let at = first + done;
            let n = (count - done).min(BITS - at % BITS);
            let map = self.map_page(at)?;
            let bits = Change::Bits { first: (at % BITS) as u32, count: n as u32 };
            self.pages.change(tx, &map, bits, |bytes| {
                for i in 0..n {
                    set_bit(bytes, (at + i) % BITS, false);
                }
            });
            done += n;
        }
        Ok(())
    }
}

fn descriptor(bytes: &PageBytes, data: u64) -> Result<Descriptor> {
    let at = (data % PER_PAGE) as usize * SIZE;
    // No reserved bytes in a descriptor: decode cannot fail on a whole one.
    let found = Descriptor::decode(&bytes[at..at + SIZE]).ok_or(Code::Corrupt)?;
    let unknown = found.flags & !(0xf | (layout::DESCRIPTOR_UNWRITTEN | layout::DESCRIPTOR_META) as u16);
    let stored = if is_unwritten(&found) { 0 } else { layout::BLOCK_SIZE as u16 };
    if unknown != 0 || found.stored != stored || found.owner == 0 || found.txn == 0 {
        return Err(Error::new(Code::Corrupt, format!("descriptor of data block {data}: illegal fields")));
    }
    Ok(found)
}
