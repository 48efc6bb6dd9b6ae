//! The nine regions of a metadata copy (docs/format.md 2).

use super::layout;

/// A region of a metadata copy; the number is the one stored in page trailers and log items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum Region {
    Init = layout::REGION_INIT,
    Free = layout::REGION_FREE,
    Unit = layout::REGION_UNIT,
    Descriptor = layout::REGION_DESCRIPTOR,
    Cortex = layout::REGION_CORTEX,
    Stash = layout::REGION_STASH,
    Extension = layout::REGION_EXTENSION,
    Key = layout::REGION_KEY,
    Scrub = layout::REGION_SCRUB,
}

impl Region {
    /// In the order in which they stand on the disk.
    pub const ALL: [Region; 9] = [
        Region::Init,
        Region::Free,
        Region::Unit,
        Region::Descriptor,
        Region::Cortex,
        Region::Stash,
        Region::Extension,
        Region::Key,
        Region::Scrub,
    ];

    /// The region with this number, if there is one.
    pub fn from_number(number: u16) -> Option<Region> {
        Region::ALL.into_iter().find(|region| region.number() == number)
    }

    /// The number in page trailers and log items.
    pub fn number(self) -> u16 {
        self as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lead_back_to_their_regions() {
        for region in Region::ALL {
            assert_eq!(Region::from_number(region.number()), Some(region));
        }
        assert_eq!(Region::from_number(0), None);
        assert_eq!(Region::from_number(10), None);
    }
}
