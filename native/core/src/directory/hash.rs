//! Hashes of names, and cookies: positions in the order of the hashes.

use crate::base::{Ino, siphash24};
use crate::format::layout::{COOKIE_FIRST, NAME_MAX};

/// Bits of a name's hash.
pub const HASH_BITS: u32 = 56;
const HASH_MASK: u64 = (1 << HASH_BITS) - 1;
const DISCRIMINATOR_BITS: u32 = 6;
/// Names that can have the same hash: one per discriminator.
pub(super) const DISCRIMINATORS: u32 = 1 << DISCRIMINATOR_BITS;

/// A hash of names: key, directory, name. Only the low 56 bits count.
pub type NameHash = fn(&[u8; 16], Ino, &[u8]) -> u64;

/// The format's hash: SipHash-2-4 of `N`, directory number, name. `name` has at most 255 bytes.
pub fn name_hash(key: &[u8; 16], directory: Ino, name: &[u8]) -> u64 {
    let mut text = [0u8; 9 + NAME_MAX as usize];
    text[0] = b'N';
    text[1..9].copy_from_slice(&directory.to_le_bytes());
    text[9..9 + name.len()].copy_from_slice(name);
    siphash24(key, &text[..9 + name.len()]) & HASH_MASK
}

pub(super) fn truncate_hash(hash: u64) -> u64 {
    hash & HASH_MASK
}

/// Cookie of the entry of `hash` with that discriminator (below 64).
pub(super) fn cookie(hash: u64, discriminator: u32) -> u64 {
    (hash << DISCRIMINATOR_BITS | u64::from(discriminator)) + COOKIE_FIRST
}

/// Hash in a cookie of an entry (at least `COOKIE_FIRST`); more than 56 bits if nothing can have it.
pub(super) fn hash_of_cookie(cookie: u64) -> u64 {
    (cookie - COOKIE_FIRST) >> DISCRIMINATOR_BITS
}

pub(super) fn discriminator_of_cookie(cookie: u64) -> u32 {
    (cookie - COOKIE_FIRST) as u32 & (DISCRIMINATORS - 1)
}

/// The hashes that share the top `depth` bits of `prefix`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub depth: u8,
    /// Its lower 56 - depth bits are zero.
    pub prefix: u64,
}

impl Range {
    pub const ALL: Range = Range { depth: 0, prefix: 0 };

    /// The range of `depth` fixed bits around `hash`.
    pub fn around(hash: u64, depth: u8) -> Range {
        Range { depth, prefix: hash & !(Range { depth, prefix: 0 }.size() - 1) }
    }
    /// Hashes in the range.
    pub fn size(self) -> u64 {
        1 << (HASH_BITS - u32::from(self.depth))
    }
    /// First hash behind the range.
    pub fn end(self) -> u64 {
        self.prefix + self.size()
    }
    /// Cookies of the range: first and last.
    pub fn cookies(self) -> (u64, u64) {
        (cookie(self.prefix, 0), cookie(self.end() - 1, DISCRIMINATORS - 1))
    }
    /// The two halves; `depth` is below 56.
    pub fn halves(self) -> (Range, Range) {
        let depth = self.depth + 1;
        let low = Range { depth, prefix: self.prefix };
        (low, Range { depth, prefix: self.prefix + low.size() })
    }
    /// The other half of the range that is one bit wider; `depth` is at least 1.
    pub fn buddy(self) -> Range {
        Range { depth: self.depth, prefix: self.prefix ^ self.size() }
    }
    /// The range that is one bit wider; `depth` is at least 1.
    pub fn parent(self) -> Range {
        Range::around(self.prefix, self.depth - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_siphash_over_tag_number_and_name() {
        let key: [u8; 16] = std::array::from_fn(|i| i as u8);
        // Message 00..08 as tag and number cannot be built here; the definition is repeated instead.
        let mut text = vec![b'N'];
        text.extend_from_slice(&17u64.to_le_bytes());
        text.extend_from_slice(b"name");
        assert_eq!(name_hash(&key, 17, b"name"), siphash24(&key, &text) & 0x00ff_ffff_ffff_ffff);
        assert_ne!(name_hash(&key, 18, b"name"), name_hash(&key, 17, b"name"));
        assert!(name_hash(&key, 17, &[b'x'; 255]) <= HASH_MASK);
    }

    #[test]
    fn cookies_lie_above_the_reserved_ones_and_below_two_to_the_63() {
        assert_eq!(cookie(0, 0), 64);
        assert_eq!(cookie(HASH_MASK, 63), (1 << 62) + 63);
        assert_eq!(hash_of_cookie(cookie(0x1234_5678, 5)), 0x1234_5678);
        assert_eq!(discriminator_of_cookie(cookie(0x1234_5678, 5)), 5);
    }

    #[test]
    fn ranges_halve_and_join() {
        let (low, high) = Range::ALL.halves();
        assert_eq!((low.prefix, high.prefix), (0, 1 << 55));
        assert_eq!(low.buddy(), high);
        assert_eq!(high.buddy(), low);
        assert_eq!(high.parent(), Range::ALL);
        assert_eq!(Range::around(HASH_MASK, 1), high);
        assert_eq!(high.end(), 1 << 56);
    }
}
