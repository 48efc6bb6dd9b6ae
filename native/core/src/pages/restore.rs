//! Writing home after a crash: the power may fail again, and the only good copy of a page must not be
//! the one that is being written then.

use super::snapshot::HomeImage;
use super::{PageCache, Snapshot};
use crate::base::{AlignedBuf, BLOCK_SIZE, BlockNumber, Result};
use crate::device::Device;
use crate::format::PageBytes;

/// Pages of one read: 1 MiB.
const READ_RUN: usize = 256;

impl PageCache {
    /// As [`PageCache::write_in_place`], for recovery: where an earlier crash has left copy B bad and copy A
    /// good, copy B is written and flushed before copy A. (A then B would pass through a moment in
    /// which both are bad: examples/explore_commit, "copy A always first in recovery".)
    pub fn write_in_place_after_crash(&self, device: &dyn Device, snapshot: &Snapshot) -> Result<usize> {
        self.write_groups(device, snapshot, &|group| self.write_bad_copies_b(device, group))
    }

    fn write_bad_copies_b(&self, device: &dyn Device, group: &[HomeImage<'_>]) -> Result<()> {
        let Some(copy_b) = self.map.copy_b else {
            return Ok(());
        };
        let bad_b = select(group, &self.verified(device, copy_b, group), false);
        let only_a = select(&bad_b, &self.verified(device, self.map.copy_a, &bad_b), true);
        if only_a.is_empty() {
            return Ok(());
        }
        self.write_copy(device, copy_b, &only_a)?;
        device.flush()
    }

    /// For each page whether it verifies in the metadata copy that begins at `copy`.
    fn verified(&self, device: &dyn Device, copy: BlockNumber, pages: &[HomeImage<'_>]) -> Vec<bool> {
        let mut verified = Vec::with_capacity(pages.len());
        let mut buf = AlignedBuf::zeroed(READ_RUN);
        for (first, run) in self.runs(pages, READ_RUN) {
            let bytes = &mut buf[..run.len() * BLOCK_SIZE];
            let whole = device.read(copy.plus(first), bytes).is_ok();
            for (i, image) in run.iter().enumerate() {
                let page = &mut bytes[i * BLOCK_SIZE..(i + 1) * BLOCK_SIZE];
                let readable = whole || device.read(copy.plus(first + i as u64), page).is_ok();
                let page: &mut PageBytes = page.try_into().expect("one block");
                verified.push(readable && self.checked(page, image.0, image.1).is_ok());
            }
        }
        verified
    }
}

/// The pages whose flag is `wanted`.
fn select<'a>(pages: &[HomeImage<'a>], flags: &[bool], wanted: bool) -> Vec<HomeImage<'a>> {
    pages.iter().zip(flags).filter(|(_, flag)| **flag == wanted).map(|(page, _)| *page).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::CopyPage;
    use crate::device::testing::{MemDevice, RecordingDevice};
    use crate::format::{Geometry, Region, load_page, store_page};
    use crate::superblocks;
    use crate::testing::{FormatOptions, format_volume};
    use crate::transaction::Gate;
    use std::sync::Arc;

    const PAGES: [u64; 5] = [1, 2, 3, 7, 40];

    fn page(geometry: &Geometry, number: u64) -> CopyPage {
        geometry.map.page(Region::Descriptor, number).unwrap()
    }

    /// A volume whose five pages are good in both copies, but for the copies B of pages 2 and 40.
    fn crashed() -> (MemDevice, Geometry) {
        let device = MemDevice::new(16_384);
        format_volume(&device, &FormatOptions::new(16_384)).unwrap();
        let geometry = superblocks::read(&device).unwrap().geometry;
        for number in PAGES {
            let mut image = [number as u8; BLOCK_SIZE];
            store_page(&mut image, &geometry.map, Region::Descriptor, number, 5);
            for copy in 0..2 {
                device.write(geometry.page_block(copy, page(&geometry, number)).unwrap(), &image).unwrap();
            }
        }
        for number in [2, 40] {
            let block = geometry.page_block(1, page(&geometry, number)).unwrap();
            device.write(block, &[0xdd; BLOCK_SIZE]).unwrap();
        }
        (device, geometry)
    }

    /// Good copies of the five pages on a device.
    fn good_copies(device: &dyn Device, geometry: &Geometry) -> [usize; 5] {
        PAGES.map(|number| {
            let good = |copy: &usize| {
                let mut image = [0; BLOCK_SIZE];
                let block = geometry.page_block(*copy, page(geometry, number)).unwrap();
                device.read(block, &mut image).unwrap();
                load_page(&mut image, &geometry.map, Region::Descriptor, number).is_ok()
            };
            (0..2).filter(good).count()
        })
    }

    /// Fewest good copies of any page over the power cuts while a recovery writes home.
    fn fewest_good_copies(after_crash: bool) -> usize {
        let (base, geometry) = crashed();
        let device = Arc::new(RecordingDevice::new(Arc::new(base.snapshot())));
        let cache = PageCache::new(device.clone(), &geometry, 100);
        cache.load_init().unwrap();
        for number in PAGES {
            cache.adopt(page(&geometry, number), [9; BLOCK_SIZE], 6).unwrap();
        }
        let snapshot = cache.snapshot(&Gate::new(7, 0).close().unwrap(), 6);
        if after_crash {
            cache.write_in_place_after_crash(&*device, &snapshot).unwrap();
        } else {
            cache.write_in_place(&*device, &snapshot).unwrap();
        }
        assert_eq!(good_copies(&*device, &geometry), [2; 5]);
        let mut fewest = 2;
        device.take_trace().each_crash(&base, 60, 1, |state| {
            let found = good_copies(&state.image, &geometry);
            fewest = fewest.min(found.into_iter().min().unwrap());
        });
        fewest
    }

    #[test]
    fn a_second_crash_leaves_a_good_copy_of_every_page() {
        assert_eq!(fewest_good_copies(true), 1);
        // The order of an ordinary checkpoint would not: this is what the test can see.
        assert_eq!(fewest_good_copies(false), 0);
    }
}
