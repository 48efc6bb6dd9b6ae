//! Runs of one bits in a page of 64-bit words (bit i of the page = bit i mod 64 of word i / 64).

/// Words of a free map page: 32,256 bits.
pub(super) const WORDS: usize = 504;
/// Bits of a page.
pub(super) const BITS: u64 = WORDS as u64 * 64;

/// A page of bits.
pub(super) type Words = [u64; WORDS];

/// Calls `change(word, mask)` for every word that bits `from..to` touch.
pub(super) fn for_each_mask(from: u64, to: u64, mut change: impl FnMut(usize, u64)) {
    let mut at = from;
    while at < to {
        let (word, bit) = ((at / 64) as usize, at % 64);
        let count = (64 - bit).min(to - at);
        let ones = u64::MAX >> (64 - count);
        change(word, ones << bit);
        at += count;
    }
}

/// First one bit in `from..to`, and the words looked at.
pub(super) fn first_one(words: impl Fn(usize) -> u64, from: u64, to: u64) -> (Option<u64>, u64) {
    let mut at = from;
    let mut seen = 0;
    while at < to {
        let (word, bit) = ((at / 64) as usize, at % 64);
        seen += 1;
        let rest = words(word) >> bit;
        if rest != 0 {
            let found = at + u64::from(rest.trailing_zeros());
            return ((found < to).then_some(found), seen);
        }
        at += 64 - bit;
    }
    (None, seen)
}

/// Length of the run of ones that starts at `from`, at most to `to`, and the words looked at.
pub(super) fn ones_from(words: impl Fn(usize) -> u64, from: u64, to: u64) -> (u64, u64) {
    let (zero, seen) = first_one(|word| !words(word), from, to);
    (zero.unwrap_or(to) - from, seen)
}

/// Length of the run of ones that ends before `to`, back to `from`, and the words looked at.
pub(super) fn ones_before(words: impl Fn(usize) -> u64, from: u64, to: u64) -> (u64, u64) {
    let mut at = to;
    let mut seen = 0;
    while at > from {
        let last = at - 1;
        let (word, bit) = ((last / 64) as usize, last % 64);
        seen += 1;
        let ones = u64::from((words(word) << (63 - bit)).leading_ones()).min(at - from);
        at -= ones;
        if ones < bit + 1 {
            break;
        }
    }
    (to - at, seen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Rng;

    #[test]
    fn runs_agree_with_single_bits() {
        let mut rng = Rng::new(1);
        for density in [1, 3, 20, 200] {
            let mut bits = vec![false; 640];
            let mut value = false;
            for bit in &mut bits {
                value ^= rng.chance(1, density + 1);
                *bit = value;
            }
            let word = |w: usize| (0..64).fold(0, |sum, i| sum | u64::from(bits[w * 64 + i]) << i);
            for from in 0..640usize {
                for to in [from, from + 1, from + 63, from + 64, from + 130, 640].map(|to| to.min(640)) {
                    let first = (from..to).find(|&i| bits[i]);
                    let run = (from..to).take_while(|&i| bits[i]).count();
                    let back = (from..to).rev().take_while(|&i| bits[i]).count();
                    let (f, t) = (from as u64, to as u64);
                    assert_eq!(first_one(word, f, t).0, first.map(|i| i as u64));
                    assert_eq!(ones_from(word, f, t).0, run as u64, "{from} {to}");
                    assert_eq!(ones_before(word, f, t).0, back as u64, "{from} {to}");
                }
            }
        }
    }

    #[test]
    fn masks_cover_each_bit_once() {
        for (from, to) in [(0, 0), (0, 1), (3, 64), (0, 64), (63, 65), (5, 200), (64, 128)] {
            let mut seen = [0u64; 4];
            for_each_mask(from, to, |word, mask| {
                assert_eq!(seen[word] & mask, 0);
                seen[word] |= mask;
            });
            let ones = (0..256).filter(|&i: &u64| seen[(i / 64) as usize] >> (i % 64) & 1 == 1);
            assert!(ones.eq(from..to), "{from}..{to}");
        }
    }
}
