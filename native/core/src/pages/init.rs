//! The initialised map of a volume that is being opened: read from either copy, or done without.

use super::PageCache;
use crate::base::{AlignedBuf, Code, CopyPage, Error, Result};
use crate::format::{PageBytes, Region, layout};
use std::sync::atomic::Ordering;

impl PageCache {
    /// Reads the initialised map. A copy of a page that is bad is written anew when pages go home, and one
    /// that is bad in every copy may still come from the log: call [`PageCache::check_init`] after the
    /// replay.
    pub fn load_init(&self) -> Result<()> {
        for number in 0..self.map.pages_of(Region::Init) {
            let (mut good, mut bad) = (0, 0);
            for (_, start) in self.copies() {
                let mut buf = AlignedBuf::zeroed(1);
                let read = self.device.read(start.plus(number), &mut buf);
                let image: &mut PageBytes = (&mut buf[..]).try_into().expect("one block");
                if read.is_err() || self.checked(image, Region::Init, number).is_err() {
                    bad += 1;
                    continue;
                }
                good += 1;
                if good == 1 {
                    self.init.load(number, image);
                }
            }
            match (good, bad) {
                (0, _) => drop(self.init_missing.lock().insert(number)),
                (_, 0) => {}
                _ => self.heal_init(number),
            }
        }
        Ok(())
    }

    /// Corrupt: a page of the initialised map is bad in every copy and the log did not hold it.
    pub fn check_init(&self) -> Result<()> {
        let Some(number) = self.init_missing.lock().first().copied() else {
            return Ok(());
        };
        self.stats.lost.fetch_add(1, Ordering::Relaxed);
        Err(Self::no_init(number))
    }

    fn no_init(number: u64) -> Error {
        Error::new(Code::Corrupt, format!("initialised map page {number}: no good copy"))
    }

    /// To read what is left: a page that a missing page of INIT is about counts as written if it verifies, and as
    /// empty if its copies hold zeros. Returns the missing ones.
    pub fn do_without_init(&self) -> Vec<Error> {
        self.does_without_init.store(true, Ordering::Relaxed);
        self.init_missing.lock().iter().map(|number| Self::no_init(*number)).collect()
    }

    /// Whether the map does not tell if a page was written.
    pub(super) fn is_unknown(&self, page: CopyPage) -> bool {
        self.does_without_init.load(Ordering::Relaxed)
            && self.init_missing.lock().contains(&(page.0 / layout::MAP_BITS_PER_PAGE))
    }

    /// Whether every copy that can be read holds zeros, and one can.
    pub(super) fn holds_zeros(&self, page: CopyPage) -> bool {
        let mut buf = AlignedBuf::zeroed(1);
        let mut is_read = false;
        for (_, start) in self.copies() {
            if self.device.read(start.plus(page.0), &mut buf).is_ok() {
                is_read = true;
                if buf.iter().any(|byte| *byte != 0) {
                    return false;
                }
            }
        }
        is_read
    }

    fn heal_init(&self, number: u64) {
        self.stats.healed.fetch_add(1, Ordering::Relaxed);
        self.init_dirty.lock().insert(number);
    }

    /// As `init_image`, before replay. Corrupt: no copy has it.
    pub fn init_image_before(&self, number: u64) -> Result<Box<PageBytes>> {
        if self.init_missing.lock().contains(&number) {
            return Err(Self::no_init(number));
        }
        Ok(self.init_image(number))
    }
}
