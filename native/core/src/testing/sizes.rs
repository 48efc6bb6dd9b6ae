//! The sizes mkfs chooses (docs/format.md 1).

use crate::base::{Code, Error, Result};
use crate::format::layout as l;
use crate::format::{DescriptorTable, prime_at_most};

/// 4 GiB in blocks: from there the cortex takes 1 % instead of 1.5 %.
const LARGE_VOLUME: u64 = 1 << 20;

/// Blocks and pages of every part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    pub log_blocks: u64,
    pub window_blocks: u64,
    pub area_blocks: u64,
    pub init_pages: u64,
    pub free_pages: u64,
    pub unit_pages: u64,
    pub descriptor_pages: u64,
    pub cortex_pages: u64,
    pub extension_pages: u64,
    pub reserve_blocks: u64,
}

/// Chooses the sizes for `block_count` blocks, 1 or 2 metadata copies and descriptors as in `table`.
/// `cortex_pages` and `log_blocks` override the rule. Error: `InvalidArgument`, if the volume is too small.
pub fn choose_sizes(
    block_count: u64,
    copies: u64,
    table: DescriptorTable,
    cortex_pages: Option<u64>,
    log_blocks: Option<u64>,
) -> Result<Sizes> {
    let too_small = || Error::new(Code::InvalidArgument, format!("{block_count} blocks are too few"));
    let log_blocks = log_blocks.unwrap_or((block_count / 128).clamp(1024, 32_768));
    let cortex_pages = cortex_pages.unwrap_or(if block_count < LARGE_VOLUME {
        (block_count * 15).div_ceil(16_000) * 16
    } else {
        block_count.div_ceil(1_600) * 16
    });
    let extension_pages = (block_count * 8).div_ceil(1_000);
    let unit_pages = (extension_pages * l::UNITS_PER_PAGE).div_ceil(l::MAP_BITS_PER_PAGE);
    let fixed = unit_pages + cortex_pages + extension_pages + l::STASH_PAGES + l::KEY_PAGES + l::SCRUB_PAGES;
    let init_pages = |others: u64| {
        let mut pages = others.div_ceil(l::MAP_BITS_PER_PAGE);
        while (others + pages).div_ceil(l::MAP_BITS_PER_PAGE) > pages {
            pages += 1;
        }
        pages
    };
    let copy_pages = |data: u64| {
        let others = fixed + data.div_ceil(l::MAP_BITS_PER_PAGE) + data.div_ceil(table.per_page);
        others + init_pages(others)
    };
    let ends = 2 * l::SUPERBLOCK_SLOTS + l::CHECKPOINT_SLOTS;
    let total = |data: u64| ends + log_blocks + copies * copy_pages(data) + data;
    // The most data blocks that fit; what the rounding of the tables leaves over goes to the log.
    let (mut data, mut above) = (0, block_count);
    while above - data > 1 {
        let middle = data.midpoint(above);
        if total(middle) <= block_count { data = middle } else { above = middle }
    }
    if data == 0 {
        return Err(too_small());
    }
    let area_min = (block_count * 4 / 1_000).clamp(256, 262_144);
    let window = data.checked_sub(area_min).and_then(prime_at_most).ok_or_else(too_small)?;
    let free_pages = data.div_ceil(l::MAP_BITS_PER_PAGE);
    let descriptor_pages = data.div_ceil(table.per_page);
    Ok(Sizes {
        log_blocks: log_blocks + block_count - total(data),
        window_blocks: window,
        area_blocks: data - window,
        init_pages: init_pages(fixed + free_pages + descriptor_pages),
        free_pages,
        unit_pages,
        descriptor_pages,
        cortex_pages,
        extension_pages,
        reserve_blocks: (window * 5 / 1_000).max(64),
    })
}
