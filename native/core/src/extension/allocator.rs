//! Free units of the extension region.
//!
//! Records that will grow are placed at the start of empty pages from the end of the region down,
//! small ones are packed from its start up: they meet only when the region is nearly full.

use crate::base::{Code, Error, Result};
use crate::format::layout::{EXTENSION_SEGMENTS, MAP_BITS_PER_PAGE, PAGE_PAYLOAD, UNITS_PER_PAGE};

/// Extension pages whose bits are loaded together.
const CHUNK_PAGES: u64 = 2048;
const PAGE_FULL: u16 = (1 << UNITS_PER_PAGE) - 1;

/// The unit map of a volume.
pub trait UnitMap {
    /// Copies the payload of page `page` of the unit map as it stands now, running transaction included.
    fn read_page(&mut self, page: u64, bits: &mut [u8; PAGE_PAYLOAD as usize]) -> Result<()>;
}

struct Chunk {
    /// Per extension page, a bit for each unit in use.
    pages: Vec<u16>,
    /// No page of the chunk has more free units in a row.
    longest: u64,
}

/// The units of a volume's extension region, loaded from the unit map as they are needed. Taking
/// and releasing changes memory only; the caller logs the bits.
pub struct UnitAllocator {
    extension_pages: u64,
    /// Units in use.
    used: u64,
    chunks: Vec<Option<Chunk>>,
}

impl UnitAllocator {
    /// For a region of `extension_pages` pages of which `used` units are in use.
    pub fn new(extension_pages: u64, used: u64) -> UnitAllocator {
        let chunks = extension_pages.div_ceil(CHUNK_PAGES) as usize;
        UnitAllocator { extension_pages, used, chunks: (0..chunks).map(|_| None).collect() }
    }

    /// Units in use.
    pub fn used(&self) -> u64 {
        self.used
    }

    /// Units that types other than SEGMENTS may have together: half of the region.
    pub fn others_max(&self) -> u64 {
        self.extension_pages * UNITS_PER_PAGE / 2
    }

    fn allow(&self, units: u64, kind: u32) -> bool {
        kind == EXTENSION_SEGMENTS || self.used + units <= self.others_max()
    }

    /// Takes `units` (1 to 15) units in a row in one page, packed, if possible in the page of unit
    /// `near`. Error: `ExtensionFull`.
    pub fn take<M: UnitMap + ?Sized>(
        &mut self,
        map: &mut M,
        units: u64,
        kind: u32,
        near: Option<u64>,
    ) -> Result<u64> {
        if !self.allow(units, kind) {
            return Err(full());
        }
        if let Some(page) = near.map(|unit| unit / UNITS_PER_PAGE) {
            let chunk = self.load(map, page / CHUNK_PAGES)?;
            if let Some(unit) = free_run(chunk.pages[(page % CHUNK_PAGES) as usize], units) {
                return Ok(self.mark(page, unit, units));
            }
        }
        for number in 0..self.chunks.len() as u64 {
            let chunk = self.load(map, number)?;
            if chunk.longest < units {
                continue;
            }
            let found = (0..).zip(&chunk.pages).find_map(|(at, &page)| Some((at, free_run(page, units)?)));
            match found {
                Some((at, unit)) => return Ok(self.mark(number * CHUNK_PAGES + at, unit, units)),
                None => chunk.longest = units - 1,
            }
        }
        Err(full())
    }

    /// As `take`, at the start of an empty page, so that the record can grow; packed if there is none.
    pub fn take_in_empty_page<M: UnitMap + ?Sized>(
        &mut self,
        map: &mut M,
        units: u64,
        kind: u32,
    ) -> Result<u64> {
        if !self.allow(units, kind) {
            return Err(full());
        }
        for number in (0..self.chunks.len() as u64).rev() {
            let chunk = self.load(map, number)?;
            if chunk.longest < UNITS_PER_PAGE {
                continue;
            }
            match chunk.pages.iter().rposition(|&page| page == 0) {
                Some(at) => return Ok(self.mark(number * CHUNK_PAGES + at as u64, 0, units)),
                None => chunk.longest = UNITS_PER_PAGE - 1,
            }
        }
        self.take(map, units, kind, None)
    }

    /// Takes up to `wanted` units that follow unit `end` - 1 in its page; returns how many.
    pub fn extend<M: UnitMap + ?Sized>(
        &mut self,
        map: &mut M,
        end: u64,
        wanted: u64,
        kind: u32,
    ) -> Result<u64> {
        let page = (end - 1) / UNITS_PER_PAGE;
        let first = end - page * UNITS_PER_PAGE;
        let word = self.load(map, page / CHUNK_PAGES)?.pages[(page % CHUNK_PAGES) as usize];
        let mut units = 0;
        while units < wanted && first + units < UNITS_PER_PAGE && word & (1 << (first + units)) == 0 {
            units += 1;
        }
        if units == 0 || !self.allow(units, kind) {
            return Ok(0);
        }
        self.mark(page, first, units);
        Ok(units)
    }

    /// Loads what a later `release` of the unit needs.
    pub fn prepare_release<M: UnitMap + ?Sized>(&mut self, map: &mut M, unit: u64) -> Result<()> {
        self.load(map, unit / UNITS_PER_PAGE / CHUNK_PAGES).map(|_| ())
    }

    /// Gives units back. Those of a chunk that was never loaded come from the unit map when it is.
    pub fn release(&mut self, first: u64, count: u64) {
        self.used = self.used.saturating_sub(count);
        for unit in first..first + count {
            let page = unit / UNITS_PER_PAGE;
            let chunk = self.chunks.get_mut((page / CHUNK_PAGES) as usize);
            if let Some(chunk) = chunk.and_then(Option::as_mut) {
                chunk.pages[(page % CHUNK_PAGES) as usize] &= !(1 << (unit % UNITS_PER_PAGE));
                chunk.longest = UNITS_PER_PAGE;
            }
        }
    }

    /// `page` is inside the region and its chunk loaded.
    fn mark(&mut self, page: u64, first: u64, units: u64) -> u64 {
        if let Some(chunk) = &mut self.chunks[(page / CHUNK_PAGES) as usize] {
            chunk.pages[(page % CHUNK_PAGES) as usize] |= ((1 << units) - 1) << first;
        }
        self.used += units;
        page * UNITS_PER_PAGE + first
    }

    fn load<M: UnitMap + ?Sized>(&mut self, map: &mut M, number: u64) -> Result<&mut Chunk> {
        let Some(place) = self.chunks.get_mut(number as usize) else {
            return Err(Error::new(Code::Corrupt, "an extension unit outside the region"));
        };
        let chunk = match place.take() {
            Some(chunk) => chunk,
            None => read_chunk(map, number, self.extension_pages)?,
        };
        Ok(place.insert(chunk))
    }
}

fn read_chunk<M: UnitMap + ?Sized>(map: &mut M, number: u64, extension_pages: u64) -> Result<Chunk> {
    let first_page = number * CHUNK_PAGES;
    let mut pages = vec![0u16; CHUNK_PAGES.min(extension_pages - first_page) as usize];
    let mut bits = [0; PAGE_PAYLOAD as usize];
    let mut loaded = None;
    for (at, page) in (first_page..).zip(pages.iter_mut()) {
        for unit in 0..UNITS_PER_PAGE {
            let bit = at * UNITS_PER_PAGE + unit;
            let map_page = bit / MAP_BITS_PER_PAGE;
            if loaded.replace(map_page) != Some(map_page) {
                map.read_page(map_page, &mut bits)?;
            }
            let bit = bit % MAP_BITS_PER_PAGE;
            if bits[bit as usize / 8] & (1 << (bit % 8)) != 0 {
                *page |= 1 << unit;
            }
        }
    }
    if number == 0 {
        // Unit 0 means "none" and is never given.
        if let Some(page) = pages.first_mut() {
            *page |= 1;
        }
    }
    Ok(Chunk { pages, longest: UNITS_PER_PAGE })
}

/// First of `units` free units in a row.
fn free_run(page: u16, units: u64) -> Option<u64> {
    let free = !page & PAGE_FULL;
    let starts = (1..units).fold(free, |starts, unit| starts & (free >> unit));
    (starts != 0).then(|| u64::from(starts.trailing_zeros()))
}

#[cold]
fn full() -> Error {
    Error::new(Code::ExtensionFull, "the extension region is full")
}
