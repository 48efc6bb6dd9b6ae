//! The busy bitmap and its hints, page by page.
//!
//! Life of a page: *unknown* until something asks for it; then *free* (never written, takes no
//! memory) or *mixed* (4 KiB of busy bits; 4 KiB more while a growth window touches it). Pages are
//! never dropped: a block stays busy here while the disk already calls it free (see `defer_free`).
//!
//! A block is *available* if it is neither busy nor reserved. The hint of a group of 4,032 blocks
//! is an upper bound of the longest available run that starts in it (65,535 = unknown or longer):
//! claims leave it, frees raise it, a search that has seen the whole group makes it exact.

use super::FreeMapSource;
use super::bits::{BITS, WORDS, Words, first_one, for_each_mask, ones_before, ones_from};
use crate::base::{Code, Error, Result};
use crate::format::layout::GROUP_BLOCKS;

/// Groups of a page.
const GROUPS: usize = 8;
/// Pages of a chunk, the unit in which the table itself grows: 63 GiB of blocks.
const CHUNK: usize = 512;
/// A hint that says nothing.
pub(super) const UNKNOWN: u16 = u16::MAX;

enum Page {
    Unknown,
    Free,
    Mixed(Box<Mixed>),
}

struct Mixed {
    busy: Words,
    reserved: Option<Box<Words>>,
}

impl Mixed {
    fn available(&self, word: usize) -> u64 {
        !(self.busy[word] | self.reserved.as_ref().map_or(0, |reserved| reserved[word]))
    }
}

struct Chunk {
    pages: [Page; CHUNK],
    hints: [[u16; GROUPS]; CHUNK],
    /// Highest hint of each page.
    best: [u16; CHUNK],
    /// Highest hint of the chunk.
    top: u16,
}

/// Which bits an operation changes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Layer {
    Busy,
    Reserved,
}

pub(super) struct BusyMap {
    source: Box<dyn FreeMapSource + Send>,
    chunks: Vec<Option<Box<Chunk>>>,
    /// Data blocks; bits behind them are no blocks.
    blocks: u64,
    /// Bitmap words looked at.
    pub words: u64,
    /// Pages asked of the source.
    pub loads: u64,
}

impl BusyMap {
    pub fn new(blocks: u64, source: Box<dyn FreeMapSource + Send>) -> BusyMap {
        let pages = blocks.div_ceil(BITS);
        let chunks = (0..pages.div_ceil(CHUNK as u64)).map(|_| None).collect();
        BusyMap { source, chunks, blocks, words: 0, loads: 0 }
    }

    fn chunk(&mut self, page: u64) -> &mut Chunk {
        self.chunks[page as usize / CHUNK].get_or_insert_with(|| {
            Box::new(Chunk {
                pages: std::array::from_fn(|_| Page::Unknown),
                hints: [[UNKNOWN; GROUPS]; CHUNK],
                best: [UNKNOWN; CHUNK],
                top: UNKNOWN,
            })
        })
    }

    fn page(&mut self, page: u64) -> Result<&mut Page> {
        if let Page::Unknown = self.chunk(page).pages[page as usize % CHUNK] {
            let loaded = self.load(page)?;
            self.chunk(page).pages[page as usize % CHUNK] = loaded;
        }
        Ok(&mut self.chunk(page).pages[page as usize % CHUNK])
    }

    fn load(&mut self, page: u64) -> Result<Page> {
        self.loads += 1;
        let Some(busy) = self.source.load(page)? else { return Ok(Page::Free) };
        let blocks = (self.blocks - page * BITS).min(BITS);
        if first_one(|word| busy[word], blocks, BITS).0.is_some() {
            let text = format!("free map page {page} marks blocks behind the last one");
            return Err(Error::new(Code::Corrupt, text));
        }
        Ok(Page::Mixed(Box::new(Mixed { busy: *busy, reserved: None })))
    }

    fn mixed(&mut self, page: u64) -> Result<&mut Mixed> {
        let page = self.page(page)?;
        if !matches!(page, Page::Mixed(_)) {
            *page = Page::Mixed(Box::new(Mixed { busy: [0; WORDS], reserved: None }));
        }
        match page {
            Page::Mixed(mixed) => Ok(mixed),
            Page::Unknown | Page::Free => unreachable!("made mixed above"),
        }
    }

    /// Makes the pages of blocks `from..to` known.
    pub fn load_range(&mut self, from: u64, to: u64) -> Result<()> {
        (from / BITS..to.div_ceil(BITS)).try_for_each(|page| self.page(page).map(|_| ()))
    }

    pub fn is_busy(&mut self, block: u64) -> Result<bool> {
        let (word, bit) = ((block % BITS / 64) as usize, block % 64);
        Ok(match self.page(block / BITS)? {
            Page::Mixed(mixed) => mixed.busy[word] >> bit & 1 == 1,
            Page::Free | Page::Unknown => false,
        })
    }

    /// Blocks of `from..to` that are set in a layer.
    pub fn count(&mut self, layer: Layer, from: u64, to: u64) -> Result<u64> {
        let mut total = 0;
        for (page, from, to) in pages_of(from, to) {
            let Page::Mixed(mixed) = self.page(page)? else { continue };
            let words = match layer {
                Layer::Busy => Some(&mixed.busy),
                Layer::Reserved => mixed.reserved.as_deref(),
            };
            let Some(words) = words else { continue };
            for_each_mask(from, to, |word, mask| total += u64::from((words[word] & mask).count_ones()));
        }
        Ok(total)
    }

    /// Sets or clears bits. Clearing leaves the hints too low: [`BusyMap::raise`] follows.
    pub fn change(&mut self, layer: Layer, from: u64, to: u64, set: bool) -> Result<()> {
        for (page, from, to) in pages_of(from, to) {
            let mixed = self.mixed(page)?;
            let words = match layer {
                Layer::Busy => &mut mixed.busy,
                Layer::Reserved => &mut **mixed.reserved.get_or_insert_with(|| Box::new([0; WORDS])),
            };
            for_each_mask(from, to, |word, mask| match set {
                true => words[word] |= mask,
                false => words[word] &= !mask,
            });
            if layer == Layer::Reserved && words.iter().all(|&word| word == 0) {
                mixed.reserved = None;
            }
        }
        Ok(())
    }

    /// Available blocks from `from` on without a gap, at most to `to`.
    pub fn run(&mut self, from: u64, to: u64) -> Result<u64> {
        let mut length = 0;
        for (page, from, to) in pages_of(from, to) {
            let (run, seen) = match self.page(page)? {
                Page::Mixed(mixed) => ones_from(|word| mixed.available(word), from, to),
                Page::Free | Page::Unknown => (to - from, 0),
            };
            self.words += seen;
            length += run;
            if run < to - from {
                break;
            }
        }
        Ok(length)
    }

    /// First available block in `from..to`.
    pub fn next(&mut self, from: u64, to: u64) -> Result<Option<u64>> {
        for (page, from, to) in pages_of(from, to) {
            let (found, seen) = match self.page(page)? {
                Page::Mixed(mixed) => first_one(|word| mixed.available(word), from, to),
                Page::Free | Page::Unknown => (Some(from), 0),
            };
            self.words += seen;
            if let Some(found) = found {
                return Ok(Some(page * BITS + found));
            }
        }
        Ok(None)
    }

    /// Available blocks without a gap before `to`, at most back to `from`, both in one page;
    /// 0 in an unknown page, before which no run into it was ever measured.
    fn run_before(&mut self, from: u64, to: u64) -> Result<u64> {
        let (page, base) = (from / BITS, from / BITS * BITS);
        let (run, seen) = match &self.chunk(page).pages[page as usize % CHUNK] {
            Page::Mixed(mixed) => ones_before(|word| mixed.available(word), from - base, to - base),
            Page::Free => (to - from, 0),
            Page::Unknown => (0, 0),
        };
        self.words += seen;
        Ok(run)
    }

    pub fn hint(&mut self, group: u64) -> u16 {
        self.chunk(group / GROUPS as u64).hints[group as usize / GROUPS % CHUNK][group as usize % GROUPS]
    }

    pub fn set_hint(&mut self, group: u64, hint: u16) {
        let page = group as usize / GROUPS % CHUNK;
        let chunk = self.chunk(group / GROUPS as u64);
        chunk.hints[page][group as usize % GROUPS] = hint;
        let before = chunk.best[page];
        let best = chunk.hints[page].into_iter().fold(0, u16::max);
        chunk.best[page] = best;
        if best > chunk.top {
            chunk.top = best;
        } else if before == chunk.top && best < before {
            chunk.top = chunk.best.into_iter().fold(0, u16::max);
        }
    }

    /// First group in `from..to` whose hint is at least `least`.
    pub fn hinted(&self, from: u64, to: u64, least: u16) -> Option<u64> {
        let mut group = from;
        while group < to {
            let page = group / GROUPS as u64;
            let Some(chunk) = &self.chunks[page as usize / CHUNK] else { return Some(group) };
            let page_in_chunk = page as usize % CHUNK;
            if chunk.top < least {
                group = (page / CHUNK as u64 + 1) * (CHUNK * GROUPS) as u64;
                continue;
            }
            if chunk.best[page_in_chunk] < least {
                let skipped = chunk.best[page_in_chunk..].iter().take_while(|&&best| best < least).count();
                group = (page + skipped as u64) * GROUPS as u64;
                continue;
            }
            if chunk.hints[page_in_chunk][group as usize % GROUPS] >= least {
                return Some(group);
            }
            group += 1;
        }
        None
    }

    /// The group in `from..to` with the highest hint that says something (the first of equals).
    pub fn most_promising(&self, from: u64, to: u64) -> Option<(u64, u16)> {
        let mut best: Option<(u64, u16)> = None;
        for page in from / GROUPS as u64..to.div_ceil(GROUPS as u64) {
            let Some(chunk) = &self.chunks[page as usize / CHUNK] else { continue };
            // A page with an unknown group may have a known one too that is worth a look.
            if chunk.best[page as usize % CHUNK] <= best.map_or(0, |(_, hint)| hint) {
                continue;
            }
            for (i, &hint) in chunk.hints[page as usize % CHUNK].iter().enumerate() {
                let group = page * GROUPS as u64 + i as u64;
                if hint != UNKNOWN && (from..to).contains(&group) && best.is_none_or(|(_, top)| hint > top) {
                    best = Some((group, hint));
                }
            }
        }
        best
    }

    /// After blocks `from..to` became available: raises the hints of the groups in which a run
    /// that reaches them starts. Runs end at `limit` (the end of the window).
    ///
    /// Cost: the words of two groups; one group more for each wholly available group before.
    pub fn raise(&mut self, from: u64, to: u64, limit: u64) -> Result<()> {
        // An upper bound of the run's end: exact inside the last group, its hint behind it.
        let border = (to.div_ceil(GROUP_BLOCKS) * GROUP_BLOCKS).min(limit);
        let mut end = to + self.run(to, border)?;
        if end == border && border < limit {
            end = (end + u64::from(self.hint(border / GROUP_BLOCKS))).min(limit);
        }
        let mut start = from;
        for group in (0..=to.saturating_sub(1) / GROUP_BLOCKS).rev() {
            let first = group * GROUP_BLOCKS;
            if start > first {
                let before = self.run_before(first, start)?;
                if before == 0 && start == first + GROUP_BLOCKS {
                    break;
                }
                start -= before;
            }
            let longest = u16::try_from(end - start.max(first)).unwrap_or(UNKNOWN);
            if longest > self.hint(group) {
                self.set_hint(group, longest);
            }
            // Farther back the run was too long for a hint before.
            if start > first || from.saturating_sub(start) >= u64::from(UNKNOWN) {
                break;
            }
        }
        Ok(())
    }
}

/// The parts of `from..to` by page: (page, first bit, bit behind the last).
fn pages_of(from: u64, to: u64) -> impl Iterator<Item = (u64, u64, u64)> {
    (from / BITS..to.div_ceil(BITS).max(from / BITS)).map(move |page| {
        let base = page * BITS;
        (page, from.max(base) - base, to.min(base + BITS) - base)
    })
}
