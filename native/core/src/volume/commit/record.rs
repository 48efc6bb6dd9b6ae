//! From what a transaction changed to its log record (docs/format.md 7).

use super::place::NamedData;
use crate::base::Result;
use crate::format::bit;
use crate::format::{BlockPlace, Descriptor, PageBytes, Region, Stamp, layout};
use crate::log::RecordBuilder;
use crate::pages::Changes;
use crate::transaction::Closed;
use crate::volume::Volume;
use std::collections::HashMap;
use std::sync::Arc;

const SLOT: usize = layout::SLOT_SIZE as usize;
const UNIT: usize = layout::UNIT_SIZE as usize;
const BITS: u64 = layout::MAP_BITS_PER_PAGE;
const UNITS: u64 = layout::UNITS_PER_PAGE;
/// Longest run of descriptors in one item.
const RUN_MAX: usize = 8192;

/// Images of the map pages a record needs to look at.
struct Maps<'a> {
    volume: &'a Volume,
    region: Region,
    pages: HashMap<u64, Arc<PageBytes>>,
}

impl Maps<'_> {
    fn is_set(&mut self, number: u64) -> Result<bool> {
        let page = number / BITS;
        if let Some(image) = self.pages.get(&page) {
            return Ok(bit(image, number % BITS));
        }
        let image = self.volume.pages.get(self.region, page)?.image();
        let set = bit(&image, number % BITS);
        self.pages.insert(page, image);
        Ok(set)
    }
}

/// A run of descriptors being collected.
#[derive(Default)]
struct Run {
    /// First data block and its place.
    head: Option<(u64, BlockPlace)>,
    count: u64,
    stamps: Vec<Stamp>,
}

impl Run {
    fn add(&mut self, builder: &mut RecordBuilder, data: u64, found: &Descriptor) {
        let place = found.place();
        let continues = self.head.is_some_and(|(first, head)| {
            first + self.count == data && head.plus(self.count) == place && self.stamps.len() < RUN_MAX
        });
        if !continues {
            self.finish(builder);
            self.head = Some((data, place));
        }
        self.count += 1;
        if !place.is_unwritten() {
            self.stamps.push(found.stamp);
        }
    }

    fn finish(&mut self, builder: &mut RecordBuilder) {
        if let Some((data, place)) = self.head.take() {
            if place.is_unwritten() {
                builder.unwritten(data, &place, self.count as u32);
            } else {
                builder.descriptors(data, &place, &self.stamps);
            }
        }
        self.count = 0;
        self.stamps.clear();
    }
}

impl Volume {
    /// Fills the record of the closed transaction.
    pub(in crate::volume) fn describe(
        &self,
        _: &Closed<'_>,
        _: &NamedData,
        changes: &[Changes],
        builder: &mut RecordBuilder,
    ) -> Result<()> {
        let mut free = Maps { volume: self, region: Region::Free, pages: HashMap::new() };
        let mut units = Maps { volume: self, region: Region::Unit, pages: HashMap::new() };
        let mut run = Run::default();
        for number in self.pages.take_first_init_changes() {
            if self.copies == 1 {
                let image = self.pages.init_image(number);
                let payload = image[..layout::PAGE_PAYLOAD as usize].try_into().expect("a payload");
                builder.page(self.geometry.map.start(Region::Init).0 + number, payload);
            }
        }
        for page in changes {
            let of_copy = self.geometry.map.start(page.region).0 + page.number;
            if page.born {
                builder.birth(of_copy, 1);
            }
            // A page that is born needs no base; a record names a page once.
            if self.copies == 1 && page.first_since_checkpoint && !page.born {
                let payload = page.image[..layout::PAGE_PAYLOAD as usize].try_into().expect("a payload");
                builder.page(of_copy, payload);
            }
            match page.region {
                Region::Cortex | Region::Stash => self.describe_slots(page, builder),
                Region::Descriptor => {
                    let table = self.geometry.descriptors;
                    for i in each(page.items) {
                        let data = page.number * table.per_page + i;
                        if free.is_set(data)? {
                            run.add(builder, data, &table.decode(&page.image[..], i as usize));
                        }
                    }
                }
                Region::Extension => {
                    for i in each(page.items) {
                        let unit = page.number * UNITS + i;
                        if units.is_set(unit)? {
                            let bytes = page.image[i as usize * UNIT..(i as usize + 1) * UNIT].try_into();
                            builder.unit(unit, bytes.expect("a unit"));
                        }
                    }
                }
                Region::Free => clear_runs(page, |first, count| builder.blocks_free(first, count)),
                Region::Unit => clear_runs(page, |first, count| builder.units_free(first, count)),
                Region::Init | Region::Key | Region::Scrub => {}
            }
        }
        run.finish(builder);
        Ok(())
    }

    fn describe_slots(&self, page: &Changes, builder: &mut RecordBuilder) {
        for i in each(page.items) {
            let bytes: &[u8; SLOT] =
                page.image[i as usize * SLOT..(i as usize + 1) * SLOT].try_into().expect("a slot");
            if bytes.iter().all(|byte| *byte == 0) {
                builder.slot_clear(page.region, page.number, i as u16);
            } else {
                builder.slot(page.region, page.number, i as u16, bytes);
            }
        }
    }
}

/// Positions of the set bits.
fn each(items: u128) -> impl Iterator<Item = u64> {
    (0..128).filter(move |i| items >> i & 1 == 1)
}

/// Runs of bits that are clear now among the ranges that changed.
fn clear_runs(page: &Changes, mut give: impl FnMut(u64, u64)) {
    let mut ranges = page.bits.clone();
    ranges.sort_unstable();
    let mut next = 0;
    let mut open: Option<(u64, u64)> = None;
    for (first, count) in ranges {
        let (first, end) = (u64::from(first).max(next), u64::from(first + count));
        for i in first..end.max(first) {
            if bit(&page.image, i) {
                continue;
            }
            open = match open {
                Some((start, len)) if start + len == i => Some((start, len + 1)),
                other => {
                    if let Some((start, len)) = other {
                        give(page.number * BITS + start, len);
                    }
                    Some((i, 1))
                }
            };
        }
        next = next.max(end);
    }
    if let Some((start, len)) = open {
        give(page.number * BITS + start, len);
    }
}
