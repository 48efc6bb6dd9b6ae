//! The metadata pages as they are after the log, in memory.

use super::Context;
use crate::base::{AlignedBuf, BLOCK_SIZE, Code, CopyPage, Error, Result};
use crate::extension::{Unit, Units};
use crate::format::layout as l;
use crate::format::{Geometry, PageBytes, Region, load_page};
use crate::log::{Counters, PageImages, apply_record, checkpoint, recover, replay};
use std::collections::BTreeMap;

/// Pages that exist, by page of the copy. All others are blank.
pub struct Image {
    pages: BTreeMap<u64, Box<PageBytes>>,
    geometry: Geometry,
    pub counters: Counters,
    /// Last transaction that exists.
    pub last_txn: u64,
}

impl PageImages for Image {
    fn page(&mut self, page: CopyPage) -> Result<&mut PageBytes> {
        let entry = self.pages.entry(page.0).or_insert_with(|| Box::new([0; BLOCK_SIZE]));
        Ok(entry)
    }
    fn blank(&mut self, page: CopyPage) -> Result<()> {
        self.pages.insert(page.0, Box::new([0; BLOCK_SIZE]));
        Ok(())
    }
}

impl Image {
    /// Reads every initialised page and replays the log over them.
    pub fn load(context: &mut Context) -> Result<Image> {
        let device = context.device;
        let geometry = context.geometry.clone();
        let found = checkpoint::read(device, &geometry)?.checkpoint;
        let recovered = recover(device, &geometry, &found)?;
        context.report.clean = found.is_clean();
        context.report.replayed = recovered.records;
        context.report.dropped = recovered.dropped.map(|dropped| dropped.txn);
        let mut image = Image {
            pages: BTreeMap::new(),
            geometry: geometry.clone(),
            counters: recovered.counters(),
            last_txn: recovered.last_txn(),
        };
        for number in 0..geometry.map.pages_of(Region::Init) {
            image.read_page(context, Region::Init, number);
        }
        for page in geometry.map.pages_of(Region::Init)..geometry.copy_pages() {
            let (init, bit) = geometry.init_bit(CopyPage(page));
            let set = image.pages.get(&init.0).is_some_and(|bytes| bytes[bit / 8] >> (bit % 8) & 1 == 1);
            if let (true, Some((region, number))) = (set, geometry.map.locate(CopyPage(page))) {
                image.read_page(context, region, number);
            }
        }
        replay(device, &geometry, &found, &recovered, &mut |record| {
            apply_record(record, &geometry, &mut image)
        })?;
        Ok(image)
    }

    /// Takes a page of the home copies. After a clean close both are good and the same.
    fn read_page(&mut self, context: &mut Context, region: Region, number: u64) {
        let page = self.geometry.map.start(region).plus(number);
        let mut first: Option<Box<PageBytes>> = None;
        let mut bad = 0;
        for copy in 0..self.geometry.copies() {
            let block = self.geometry.page_block(copy, page).expect("a page of the copy");
            let mut buf = AlignedBuf::zeroed(1);
            let read = context.device.read(block, &mut buf);
            let bytes: &mut PageBytes = (&mut buf[..]).try_into().expect("one block");
            if read.is_err() || load_page(bytes, &self.geometry.map, region, number).is_err() {
                bad += 1;
            } else if let Some(first) = &first {
                if context.report.clean && first[..] != bytes[..] {
                    context.problem(format!("{region:?} page {number}: the copies differ"));
                }
            } else {
                first = Some(Box::new(*bytes));
            }
        }
        if context.report.clean && bad > 0 {
            context.problem(format!("{region:?} page {number}: {bad} bad copies of a closed volume"));
        }
        // With a log to replay a page may be torn; a record that only changes parts of it then finds
        // nothing to change, and what is missing shows.
        if let Some(first) = first {
            self.pages.insert(page.0, first);
        }
    }

    /// A page, `None` if it is blank.
    pub fn get(&self, region: Region, number: u64) -> Option<&PageBytes> {
        self.pages.get(&self.geometry.map.page(region, number)?.0).map(|bytes| &**bytes)
    }

    /// The pages of a region that are not blank.
    pub fn pages(&self, region: Region) -> impl Iterator<Item = (u64, &PageBytes)> {
        let start = self.geometry.map.start(region).0;
        let pages = self.pages.range(start..start + self.geometry.map.pages_of(region));
        pages.map(move |(page, bytes)| (page - start, &**bytes))
    }

    /// The set bits of a map region, ascending.
    pub fn bits(&self, region: Region) -> impl Iterator<Item = u64> {
        self.pages(region).flat_map(|(number, bytes)| {
            (0..l::MAP_BITS_PER_PAGE)
                .filter(move |bit| bytes[*bit as usize / 8] >> (bit % 8) & 1 == 1)
                .map(move |bit| number * l::MAP_BITS_PER_PAGE + bit)
        })
    }
}

/// The extension region for [`crate::extension::Chain::read`].
pub struct UnitsOf<'a>(pub &'a Image);

impl Units for UnitsOf<'_> {
    fn unit(&mut self, unit: u64) -> Result<Unit> {
        let (page, at) = self.0.geometry.unit_place(unit);
        let missing = || Error::new(Code::Corrupt, format!("unit {unit}: its page was never written"));
        let bytes = self.0.pages.get(&page.0).ok_or_else(missing)?;
        Ok(bytes[at..at + l::UNIT_SIZE as usize].try_into().expect("a unit"))
    }
    fn in_use(&mut self, unit: u64) -> Result<bool> {
        let (page, bit) = self.0.geometry.unit_bit(unit);
        Ok(self.0.pages.get(&page.0).is_some_and(|bytes| bytes[bit / 8] >> (bit % 8) & 1 == 1))
    }
}
