//! The initialised map: which pages of a copy were ever written (docs/format.md 2).

use crate::base::CopyPage;
use crate::format::{PageBytes, layout};
use std::sync::atomic::{AtomicU64, Ordering};

const WORDS_PER_PAGE: usize = layout::MAP_BITS_PER_PAGE as usize / 64;

/// One bit per page of a copy, all in memory (32 KiB per 4 GiB of metadata).
pub struct InitMap {
    words: Vec<AtomicU64>,
}

impl InitMap {
    /// A map of `pages` pages of INIT, all bits clear.
    pub fn new(pages: u64) -> InitMap {
        let words = pages as usize * WORDS_PER_PAGE;
        InitMap { words: (0..words).map(|_| AtomicU64::new(0)).collect() }
    }
    /// Takes the bits of INIT page `number` from its image.
    pub fn load(&self, number: u64, image: &PageBytes) {
        let first = number as usize * WORDS_PER_PAGE;
        for (i, word) in self.words[first..first + WORDS_PER_PAGE].iter().enumerate() {
            let bytes = image[i * 8..i * 8 + 8].try_into().expect("eight bytes");
            word.store(u64::from_le_bytes(bytes), Ordering::Relaxed);
        }
    }
    /// Fills in the payload of INIT page `number`.
    pub fn store(&self, number: u64, image: &mut PageBytes) {
        let first = number as usize * WORDS_PER_PAGE;
        for (i, word) in self.words[first..first + WORDS_PER_PAGE].iter().enumerate() {
            image[i * 8..i * 8 + 8].copy_from_slice(&word.load(Ordering::Relaxed).to_le_bytes());
        }
    }
    pub fn is_set(&self, page: CopyPage) -> bool {
        self.words
            .get(page.0 as usize / 64)
            .is_some_and(|word| word.load(Ordering::Acquire) >> (page.0 % 64) & 1 == 1)
    }
    /// Sets the bit; returns the INIT page that holds it.
    pub fn set(&self, page: CopyPage) -> u64 {
        self.words[page.0 as usize / 64].fetch_or(1 << (page.0 % 64), Ordering::Release);
        page.0 / layout::MAP_BITS_PER_PAGE
    }
}
