//! Placement: the two pages on which an anchor may stand (docs/format.md 3). Pure arithmetic.

use crate::base::{Code, Error, Result, siphash24};
use crate::format::layout::NEIGHBOURHOOD_PAGES;
use crate::format::slot::{SlotBytes, hint_of, number_of};

/// What the hash needs to know of the volume.
#[derive(Clone, Copy)]
pub struct Placement {
    key: [u8; 16],
    pages: u64,
}

/// The two pages of an anchor; they differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Homes {
    /// Local: in the region the hint names. Tried first.
    pub h1: u64,
    /// Uniform.
    pub h2: u64,
}

/// An anchor's name in the cortex: the two parts of seed_id that the hash sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub number: u64,
    pub hint: u32,
}

impl Key {
    /// The key of a slot's bytes; means something only if their checksum holds.
    pub fn of(bytes: &SlotBytes) -> Key {
        Key { number: number_of(bytes), hint: hint_of(bytes) }
    }
}

impl Homes {
    pub fn contains(self, page: u64) -> bool {
        page == self.h1 || page == self.h2
    }

    /// The other page of an anchor that stands on `page`; `None` if it must not stand there.
    pub fn other(self, page: u64) -> Option<u64> {
        match page {
            _ if page == self.h1 => Some(self.h2),
            _ if page == self.h2 => Some(self.h1),
            _ => None,
        }
    }
}

impl Placement {
    /// Error: `Corrupt` if `cortex_pages` is not a multiple of 16, or is 0.
    pub fn new(key: [u8; 16], cortex_pages: u64) -> Result<Placement> {
        if cortex_pages == 0 || cortex_pages % NEIGHBOURHOOD_PAGES != 0 {
            return Err(Error::new(Code::Corrupt, format!("superblock: cortex_pages {cortex_pages}")));
        }
        Ok(Placement { key, pages: cortex_pages })
    }

    /// Pages of the cortex.
    pub fn pages(&self) -> u64 {
        self.pages
    }

    /// Locality regions (of 16 pages) of the cortex.
    pub fn neighbourhoods(&self) -> u64 {
        self.pages / NEIGHBOURHOOD_PAGES
    }

    /// The region of 16 pages in which anchors with this hint have their H1.
    pub fn neighbourhood_of(&self, hint: u32) -> u64 {
        u64::from(hint) % self.neighbourhoods()
    }

    /// H1 and H2.
    pub fn homes(&self, key: Key) -> Homes {
        let mut message = [b'C'; 13];
        message[1..9].copy_from_slice(&key.number.to_le_bytes());
        message[9..].copy_from_slice(&key.hint.to_le_bytes());
        let hash = siphash24(&self.key, &message);
        let h1 = NEIGHBOURHOOD_PAGES * self.neighbourhood_of(key.hint) + hash % NEIGHBOURHOOD_PAGES;
        // The high half of the hash, scaled to the table; 128 bits so that no size overflows.
        let h2 = ((u128::from(hash >> 32) * u128::from(self.pages)) >> 32) as u64;
        let h2 = if h2 == h1 { (h2 + 1) % self.pages } else { h2 };
        Homes { h1, h2 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn homes_are_two_pages_of_the_table_and_h1_is_local() {
        for pages in [16, 32, 160, 10_480, 1 << 40] {
            let placement = Placement::new([7; 16], pages).unwrap();
            for number in 16..4000 {
                let key = Key { number, hint: number as u32 * 77 };
                let homes = placement.homes(key);
                assert_ne!(homes.h1, homes.h2);
                assert!(homes.h1 < pages && homes.h2 < pages);
                assert_eq!(
                    homes.h1 / NEIGHBOURHOOD_PAGES,
                    u64::from(key.hint) % (pages / NEIGHBOURHOOD_PAGES)
                );
                assert_eq!(homes.other(homes.h1), Some(homes.h2));
                assert_eq!(homes.other(homes.h2), Some(homes.h1));
            }
        }
    }

    /// The values of docs/format.md, worked out by hand from one SipHash value.
    #[test]
    fn homes_follow_the_definition() {
        let key = [3; 16];
        let placement = Placement::new(key, 160).unwrap();
        let message = [&b"C"[..], &1234u64.to_le_bytes(), &23u32.to_le_bytes()].concat();
        let hash = siphash24(&key, &message);
        let homes = placement.homes(Key { number: 1234, hint: 23 });
        assert_eq!(homes.h1, 16 * (23 % 10) + hash % 16);
        let h2 = ((hash >> 32) * 160) >> 32;
        assert_eq!(homes.h2, if h2 == homes.h1 { (h2 + 1) % 160 } else { h2 });
    }

    #[test]
    fn h2_is_spread_over_the_whole_table() {
        let placement = Placement::new([1; 16], 160).unwrap();
        let mut counts = [0u32; 160];
        for number in 0..160_000 {
            counts[placement.homes(Key { number, hint: 0 }).h2 as usize] += 1;
        }
        // 1,000 expected on each page, standard deviation 32 (pages beside H1 get a few more).
        assert!(counts.iter().all(|n| (800..1250).contains(n)), "{counts:?}");
    }

    #[test]
    fn a_table_of_no_whole_region_is_refused() {
        for pages in [0, 1, 15, 17] {
            assert!(Placement::new([0; 16], pages).is_err());
        }
    }
}
