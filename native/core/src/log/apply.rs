//! Applying a record to page images (docs/format.md 7, "Replay").

use super::RecordView;
use super::item::{DescriptorRun, Item};
use crate::base::{CopyPage, Result};
use crate::format::layout as l;
use crate::format::{Geometry, PageBytes, Region, set_page_txn};

/// The page images that a replay works on.
pub trait PageImages {
    /// Whether changes of this page are of interest; others are skipped. A replay with little memory
    /// goes over the log several times and wants a part of the pages each time.
    fn wants(&self, _page: CopyPage) -> bool {
        true
    }
    /// The image of a page: as left by the records before; at first the copy that verifies, or empty if
    /// its initialised bit is clear. Only the transaction of the trailer is kept up to date.
    fn page(&mut self, page: CopyPage) -> Result<&mut PageBytes>;
    /// Makes the image of the page empty, whatever the disk holds.
    fn blank(&mut self, page: CopyPage) -> Result<()>;
}

/// Brings the images to the condition after the record. Error: only what `images` reports; the images
/// are then of no use.
pub fn apply_record(record: &RecordView<'_>, geometry: &Geometry, images: &mut dyn PageImages) -> Result<()> {
    let mut target = Target { geometry, images, txn: record.txn() };
    for item in record.items() {
        target.apply(&item)?;
    }
    Ok(())
}

struct Target<'a> {
    geometry: &'a Geometry,
    images: &'a mut dyn PageImages,
    txn: u64,
}

impl Target<'_> {
    fn apply(&mut self, item: &Item<'_>) -> Result<()> {
        match *item {
            Item::Slot { region, page, slot, bytes } => {
                self.store(self.geometry.map.start(region).plus(page), Geometry::slot_offset(slot), bytes)
            }
            Item::SlotClear { region, page, slot } => {
                let empty = [0; l::SLOT_SIZE as usize];
                self.store(self.geometry.map.start(region).plus(page), Geometry::slot_offset(slot), &empty)
            }
            Item::Descriptors(run) => self.descriptors(&run),
            Item::BlocksFree { first, count } => self.bits(Region::Free, first, count, false),
            Item::Unit { number, bytes } => {
                let (page, at) = self.geometry.unit_place(number);
                self.store(page, at, bytes)?;
                self.bits(Region::Unit, number, 1, true)
            }
            Item::UnitsFree { first, count } => self.bits(Region::Unit, first, count, false),
            Item::Birth { first, count } => {
                for page in (first..first + count).map(CopyPage) {
                    if self.images.wants(page) {
                        self.images.blank(page)?;
                        self.change(page, |_| {})?;
                    }
                }
                self.bits(Region::Init, first, count, true)
            }
            Item::Page { page, payload } => {
                if !self.images.wants(CopyPage(page)) {
                    return Ok(());
                }
                self.images.blank(CopyPage(page))?;
                self.store(CopyPage(page), 0, payload)
            }
        }
    }

    fn descriptors(&mut self, run: &DescriptorRun<'_>) -> Result<()> {
        let (txn, table) = (self.txn, self.geometry.descriptors);
        let mut i = 0;
        while i < run.count {
            let (page, at) = self.geometry.descriptor_place(run.data + u64::from(i));
            let here = (run.count - i).min(table.per_page as u32 - at as u32);
            if self.images.wants(page) {
                self.change(page, |image| {
                    for offset in 0..here {
                        let descriptor = run.descriptor(i + offset, txn);
                        table.encode(image, at + offset as usize, &descriptor);
                    }
                })?;
            }
            i += here;
        }
        self.bits(Region::Free, run.data, u64::from(run.count), true)
    }

    /// Sets or clears bits of a map region.
    fn bits(&mut self, region: Region, first: u64, count: u64, value: bool) -> Result<()> {
        let end = first + count;
        let mut bit = first;
        while bit < end {
            let page = self.geometry.map.start(region).plus(bit / l::MAP_BITS_PER_PAGE);
            let from = (bit % l::MAP_BITS_PER_PAGE) as usize;
            let here = (l::MAP_BITS_PER_PAGE - from as u64).min(end - bit);
            if self.images.wants(page) {
                self.change(page, |image| set_bits(image, from, here as usize, value))?;
            }
            bit += here;
        }
        Ok(())
    }

    fn store(&mut self, page: CopyPage, at: usize, bytes: &[u8]) -> Result<()> {
        if !self.images.wants(page) {
            return Ok(());
        }
        self.change(page, |image| image[at..at + bytes.len()].copy_from_slice(bytes))
    }

    fn change(&mut self, page: CopyPage, f: impl FnOnce(&mut PageBytes)) -> Result<()> {
        let image = self.images.page(page)?;
        f(image);
        set_page_txn(image, self.txn);
        Ok(())
    }
}

/// Sets or clears `count` bits from bit `first` on; bit i is bit i mod 8 of byte i / 8.
fn set_bits(bytes: &mut [u8], first: usize, count: usize, value: bool) {
    let mut set = |at: usize, mask: u8| {
        if value { bytes[at] |= mask } else { bytes[at] &= !mask }
    };
    let end = first + count;
    let mut bit = first;
    while bit < end {
        let from = bit % 8;
        let here = (8 - from).min(end - bit);
        set(bit / 8, (((1u16 << here) - 1) << from) as u8);
        bit += here;
    }
}

#[cfg(test)]
mod tests {
    use super::set_bits;

    #[test]
    fn bit_runs_agree_with_single_bits() {
        for first in 0..40 {
            for count in 0..40 {
                for value in [true, false] {
                    let mut bytes = [if value { 0x00 } else { 0xff }; 12];
                    set_bits(&mut bytes, first, count, value);
                    for bit in 0..96 {
                        let inside = bit >= first && bit < first + count;
                        assert_eq!(bytes[bit / 8] >> (bit % 8) & 1 == 1, inside == value, "bit {bit}");
                    }
                }
            }
        }
    }
}
