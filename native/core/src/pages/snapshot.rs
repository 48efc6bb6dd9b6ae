//! Writing proven page images home: copy A, flush, copy B, flush; then the initialised map the same way.

use super::{PageCache, Snapshot};
use crate::base::{AlignedBuf, BLOCK_SIZE, BlockNumber, Code, Error, Result};
use crate::device::Device;
use crate::format::{PageBytes, Region, store_page};

/// Pages of one vectored write: 1 MiB.
const WRITE_RUN: usize = 256;

/// Region, page number, image and transaction of a page to write.
pub(super) type HomeImage<'a> = (Region, u64, &'a PageBytes, u64);

impl PageCache {
    /// Writes the snapshot home, flushing after each copy. Returns the pages written per copy. On an
    /// error the volume must stop writing: home may hold any mixture, the log still has it all. Corrupt: a page
    /// that no reader would take.
    pub fn write_in_place(&self, device: &dyn Device, snapshot: &Snapshot) -> Result<usize> {
        self.write_groups(device, snapshot, &|_| Ok(()))
    }

    /// Writes the pages, then the initialised map: `before` is called with each group first.
    pub(super) fn write_groups(
        &self,
        device: &dyn Device,
        snapshot: &Snapshot,
        before: &dyn Fn(&[HomeImage<'_>]) -> Result<()>,
    ) -> Result<usize> {
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
            before(group)?;
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

    /// Stretches of at most `most` images that stand side by side, with the page of the copy where each
    /// begins.
    pub(super) fn runs<'a, 'b>(
        &self,
        pages: &'b [HomeImage<'a>],
        most: usize,
    ) -> impl Iterator<Item = (u64, &'b [HomeImage<'a>])> {
        let place = |image: &HomeImage<'_>| self.map.page(image.0, image.1).expect("cached pages exist").0;
        let mut rest = pages;
        std::iter::from_fn(move || {
            let first = place(rest.first()?);
            let beside = |(i, image): &(usize, &HomeImage<'_>)| place(image) == first + *i as u64;
            let count = rest.iter().take(most).enumerate().take_while(beside).count();
            let (run, behind) = rest.split_at(count);
            rest = behind;
            Some((first, run))
        })
    }

    pub(super) fn write_copy(
        &self,
        device: &dyn Device,
        copy: BlockNumber,
        pages: &[HomeImage<'_>],
    ) -> Result<()> {
        let mut buf = AlignedBuf::zeroed(WRITE_RUN);
        for (first, run) in self.runs(pages, WRITE_RUN) {
            for (i, (region, number, image, txn)) in run.iter().enumerate() {
                if *txn == 0 {
                    let text = format!("{region:?} page {number} is not written: no transaction made it");
                    return Err(Error::new(Code::Corrupt, text));
                }
                let target: &mut PageBytes =
                    (&mut buf[i * BLOCK_SIZE..(i + 1) * BLOCK_SIZE]).try_into().expect("one block");
                target.copy_from_slice(&image[..]);
                store_page(target, &self.map, *region, *number, *txn);
            }
            device.write(copy.plus(first), &buf[..run.len() * BLOCK_SIZE])?;
        }
        Ok(())
    }
}
