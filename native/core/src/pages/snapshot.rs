//! Writing proven page images home: copy A, flush, copy B, flush; then the initialised map the same way.

use super::{CachedPage, PageCache};
use crate::base::{AlignedBuf, BLOCK_SIZE, Block, Result};
use crate::device::Device;
use crate::format::{PageBytes, Region, seal_page};
use std::sync::Arc;

/// Pages of one vectored write: 1 MiB.
const WRITE_RUN: usize = 256;

/// An image to write home.
pub struct HomePage {
    pub(super) page: Arc<CachedPage>,
    pub(super) image: Arc<PageBytes>,
    pub(super) txn: u64,
}

/// The pages that differ from home at the end of a transaction.
pub struct Snapshot {
    /// The transaction whose end the images show.
    pub txn: u64,
    pub(super) pages: Vec<HomePage>,
    pub(super) init: Vec<(u64, Box<PageBytes>)>,
}

impl Snapshot {
    /// Pages to write, per copy.
    pub fn len(&self) -> usize {
        self.pages.len() + self.init.len()
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl PageCache {
    /// Writes the snapshot home, flushing after each copy. Returns the pages written per copy. On an
    /// error the volume must stop writing: home may hold any mixture, the log still has it all.
    pub fn write_home(&self, device: &dyn Device, snapshot: &Snapshot) -> Result<usize> {
        let pages: Vec<_> = snapshot
            .pages
            .iter()
            .map(|home| (home.page.region, home.page.number, &*home.image, home.txn))
            .collect();
        // An empty transaction number never stands on disk; the map takes the snapshot's.
        let init: Vec<_> = snapshot
            .init
            .iter()
            .map(|(number, image)| (Region::Init, *number, &**image, snapshot.txn.max(1)))
            .collect();
        for group in [&pages, &init] {
            if group.is_empty() {
                continue;
            }
            for (_, start) in self.copies() {
                self.write_copy(device, start, group)?;
                device.flush()?;
            }
        }
        for home in &snapshot.pages {
            home.page.state.write().writing = false;
        }
        Ok(snapshot.len())
    }

    fn write_copy(
        &self,
        device: &dyn Device,
        copy: Block,
        pages: &[(Region, u64, &PageBytes, u64)],
    ) -> Result<()> {
        let place = |i: usize| self.map.page(pages[i].0, pages[i].1).expect("cached pages exist").0;
        let mut buf = AlignedBuf::zeroed(WRITE_RUN);
        let mut first = 0;
        while first < pages.len() {
            let mut end = first + 1;
            while end < pages.len()
                && end - first < WRITE_RUN
                && place(end) == place(first) + (end - first) as u64
            {
                end += 1;
            }
            for (i, (region, number, image, txn)) in pages[first..end].iter().enumerate() {
                let target: &mut PageBytes =
                    (&mut buf[i * BLOCK_SIZE..(i + 1) * BLOCK_SIZE]).try_into().expect("one block");
                target.copy_from_slice(&image[..]);
                seal_page(target, &self.map, *region, *number, *txn);
            }
            device.write(copy.plus(place(first)), &buf[..(end - first) * BLOCK_SIZE])?;
            first = end;
        }
        Ok(())
    }
}
