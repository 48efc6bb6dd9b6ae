//! Regions of a metadata copy and where each stands (docs/format.md 2).

use super::layout;
use crate::base::{BlockNumber, CopyPage};

/// A region of a metadata copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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

/// All regions in their order on disk.
pub const REGIONS: [Region; 9] = [
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

impl Region {
    /// The region with this number in a page trailer or log item.
    pub fn from_number(number: u16) -> Option<Region> {
        REGIONS.get(usize::from(number).checked_sub(1)?).copied()
    }
    /// Its place in [`REGIONS`].
    pub fn position(self) -> usize {
        self as usize - 1
    }
}

/// Where the regions and the copies stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageMap {
    pub copy_a: BlockNumber,
    /// `None`: the volume has one copy.
    pub copy_b: Option<BlockNumber>,
    /// Pages per region, in disk order.
    pub pages: [u64; 9],
    /// The volume's salt, part of every trailer.
    pub salt: [u8; 16],
}

impl PageMap {
    /// First page of a region within the copy.
    pub fn start(&self, region: Region) -> CopyPage {
        CopyPage(self.pages[..region.position()].iter().sum())
    }
    pub fn pages_of(&self, region: Region) -> u64 {
        self.pages[region.position()]
    }
    /// Pages of a copy.
    pub fn total(&self) -> u64 {
        self.pages.iter().sum()
    }
    /// The page of the copy; `None` if the region has no such page.
    pub fn page(&self, region: Region, number: u64) -> Option<CopyPage> {
        (number < self.pages_of(region)).then(|| CopyPage(self.start(region).0 + number))
    }
    /// Region and number in it of a page of the copy.
    pub fn locate(&self, page: CopyPage) -> Option<(Region, u64)> {
        let mut number = page.0;
        for region in REGIONS {
            if number < self.pages_of(region) {
                return Some((region, number));
            }
            number -= self.pages_of(region);
        }
        None
    }
}
