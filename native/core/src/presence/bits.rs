//! Bit maps: bit i is bit i mod 8 of byte i / 8. Works on 64 bits at a time.

use crate::base::BLOCK_SIZE;
use std::ops::Range;

const WORD: usize = 64;
/// Bits of a node.
pub const BITS: usize = BLOCK_SIZE * 8;

fn word(bytes: &[u8; BLOCK_SIZE], number: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[number * 8..number * 8 + 8]);
    u64::from_le_bytes(word)
}

/// The bits of `range` that lie in word `number`.
fn mask(range: &Range<usize>, number: usize) -> u64 {
    let start = range.start.saturating_sub(number * WORD).min(WORD);
    let end = range.end.saturating_sub(number * WORD).min(WORD);
    let below = |bits: usize| if bits == WORD { u64::MAX } else { (1 << bits) - 1 };
    below(end) & !below(start)
}

fn words(range: &Range<usize>) -> Range<usize> {
    range.start / WORD..range.end.div_ceil(WORD)
}

pub fn get(bytes: &[u8; BLOCK_SIZE], bit: usize) -> bool {
    bytes[bit / 8] & (1 << (bit % 8)) != 0
}

/// Sets or clears the bits of `range`; tells whether one changed.
pub fn put(bytes: &mut [u8; BLOCK_SIZE], range: Range<usize>, value: bool) -> bool {
    let mut changed = false;
    for number in words(&range) {
        let old = word(bytes, number);
        let mask = mask(&range, number);
        let new = if value { old | mask } else { old & !mask };
        changed |= new != old;
        bytes[number * 8..number * 8 + 8].copy_from_slice(&new.to_le_bytes());
    }
    changed
}

/// First bit of `range` with that value.
pub fn find(bytes: &[u8; BLOCK_SIZE], range: Range<usize>, value: bool) -> Option<usize> {
    words(&range).find_map(|number| {
        let word = if value { word(bytes, number) } else { !word(bytes, number) };
        let hits = word & mask(&range, number);
        (hits != 0).then(|| number * WORD + hits.trailing_zeros() as usize)
    })
}

/// Bits set in `range`.
pub fn count(bytes: &[u8; BLOCK_SIZE], range: Range<usize>) -> u64 {
    words(&range).map(|number| u64::from((word(bytes, number) & mask(&range, number)).count_ones())).sum()
}

/// The root as the first bits of a node.
pub fn from_root(root: u64) -> [u8; BLOCK_SIZE] {
    let mut bytes = [0; BLOCK_SIZE];
    bytes[..8].copy_from_slice(&root.to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_agree_with_single_bits() {
        let edges = [0, 1, 63, 64, 65, 127, 128, 1000, BITS - 65, BITS - 64, BITS - 1, BITS];
        for start in edges {
            for end in edges.into_iter().filter(|end| *end >= start) {
                let mut bytes = [0; BLOCK_SIZE];
                assert_eq!(put(&mut bytes, start..end, true), end > start);
                assert!(!put(&mut bytes, start..end, true));
                for bit in edges.into_iter().filter(|bit| *bit < BITS) {
                    assert_eq!(get(&bytes, bit), (start..end).contains(&bit));
                }
                assert_eq!(count(&bytes, 0..BITS), (end - start) as u64);
                assert_eq!(find(&bytes, 0..BITS, true), (start < end).then_some(start));
                assert_eq!(find(&bytes, start..end, false), None);
                assert_eq!(find(&bytes, start..BITS, false), (end < BITS).then_some(end));
                if start < end {
                    assert!(put(&mut bytes, start..start + 1, false));
                    assert_eq!(count(&bytes, start..end), (end - start) as u64 - 1);
                }
            }
        }
    }
}
