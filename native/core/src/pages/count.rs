//! How much a map region says is in use.

use super::PageCache;
use crate::base::Result;
use crate::format::{PageBytes, Region, layout};

const BITS: u64 = layout::MAP_BITS_PER_PAGE;

impl PageCache {
    /// How many of the first `end` bits of a map region are set. Reads every page of it that was ever written.
    /// Error: one of them comes from no copy.
    pub fn count_bits(&self, region: Region, end: u64) -> Result<u64> {
        let mut count = 0;
        for page in 0..end.div_ceil(BITS) {
            if !self.is_blank(region, page) {
                let bits = BITS.min(end - page * BITS);
                count += self.get(region, page)?.with(|bytes| count_first(bytes, bits));
            }
        }
        Ok(count)
    }
}

/// Set bits among the first `count` of a page; bit i is bit i mod 8 of byte i / 8.
fn count_first(bytes: &PageBytes, count: u64) -> u64 {
    let (whole, rest) = (count as usize / 8, count % 8);
    let full: u64 = bytes[..whole].iter().map(|byte| u64::from(byte.count_ones())).sum();
    let part = if rest == 0 { 0 } else { bytes[whole] & ((1 << rest) - 1) };
    full + u64::from(part.count_ones())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::bit;

    #[test]
    fn counts_of_bytes_agree_with_single_bits() {
        let page: PageBytes = std::array::from_fn(|i| (i * 37 + i / 5) as u8);
        for count in (0..70).chain([BITS - 9, BITS - 8, BITS - 1, BITS]) {
            let one_by_one = (0..count).filter(|&i| bit(&page, i)).count() as u64;
            assert_eq!(count_first(&page, count), one_by_one, "{count} bits");
        }
    }
}
