//! The rules of a superblock and of the geometry in it.

use super::*;
use crate::format::DescriptorTable;
use crate::format::layout as l;
use crate::testing::{FormatOptions, choose_sizes, make_superblock};

const BLOCKS: u64 = 4096;

fn good() -> Superblock {
    make_superblock(&FormatOptions::new(BLOCKS)).unwrap()
}

#[test]
fn every_rule_of_the_geometry_is_checked() {
    let good = good();
    Geometry::of(&good).unwrap();
    type Change = (&'static str, fn(&mut Superblock));
    let changes: [Change; 24] = [
        ("small", |s| s.block_count = 4095),
        ("huge", |s| s.block_count = u64::MAX),
        ("gap at the end", |s| s.block_count += 1),
        ("log start", |s| s.log_start = 3),
        ("log", |s| s.log_blocks -= 1),
        ("log overflow", |s| s.log_blocks = u64::MAX),
        ("copy a", |s| s.copy_a += 1),
        ("copy b", |s| s.copy_b += 1),
        ("no copy b", |s| s.copy_b = 0),
        ("window start", |s| s.window_start -= 1),
        ("window", |s| (s.window_blocks, s.area_blocks) = (s.window_blocks - 1, s.area_blocks + 1)),
        ("area", |s| s.area_blocks += 1),
        ("init", |s| s.init_pages += 1),
        ("free", |s| s.free_pages += 1),
        ("unit", |s| s.unit_pages += 1),
        ("descriptors", |s| s.descriptor_pages -= 1),
        ("cortex", |s| s.cortex_pages += 8),
        ("no cortex", |s| s.cortex_pages = 0),
        ("stash", |s| s.stash_pages = 5),
        ("extensions", |s| s.extension_pages = u64::MAX - 3),
        ("stride 0", |s| s.stride = 0),
        ("stride phi", |s| s.stride = s.window_blocks),
        ("scale", |s| s.scale = 13),
        ("reserve", |s| s.reserve_blocks = s.window_blocks),
    ];
    for (what, change) in changes {
        let mut superblock = good;
        change(&mut superblock);
        assert_eq!(Geometry::of(&superblock).unwrap_err().code, Code::Corrupt, "{what}");
    }
    let scaled = Superblock { scale: 4, stride: 7, ..good };
    Geometry::of(&scaled).unwrap();
}

#[test]
fn every_size_of_volume_fits_exactly() {
    let mut counts: Vec<u64> = (4096..4400).collect();
    counts.extend([65_536, 1 << 20, (1 << 20) - 1, 1 << 28, 1 << 32, 1 << 44, 7_654_321]);
    for count in counts {
        for (copies, dup) in [(1, false), (2, true)] {
            let sizes = choose_sizes(count, copies, DescriptorTable::PLAIN, None, None).unwrap();
            assert!(sizes.log_blocks <= 32_768 + 12, "{count}");
            let options = FormatOptions { dup, ..FormatOptions::new(count) };
            let superblock = make_superblock(&options).unwrap();
            let geometry = Geometry::of(&superblock).unwrap();
            assert_eq!((geometry.copies() as u64, geometry.block_count), (copies, count));
            let metadata = count - geometry.data_blocks();
            if count >= 65_536 {
                assert!(metadata * 100 <= count * 9, "{count}: {metadata} blocks of metadata");
            }
        }
    }
}

#[test]
fn places_in_a_copy_are_found_both_ways() {
    for descriptor_size in [32, 64] {
        let options = FormatOptions { descriptor_size, ..FormatOptions::new(BLOCKS) };
        let superblock = make_superblock(&options).unwrap();
        assert_eq!(u64::from(superblock.descriptor_size), descriptor_size);
        check_places(&Geometry::of(&superblock).unwrap());
    }
}

fn check_places(geometry: &Geometry) {
    for number in 0..geometry.copy_pages() {
        let (region, at) = geometry.map.locate(crate::base::CopyPage(number)).unwrap();
        assert_eq!(geometry.map.page(region, at).unwrap().0, number);
    }
    let last = geometry.data_blocks() - 1;
    let table = geometry.descriptors;
    let (page, position) = geometry.descriptor_place(last);
    assert_eq!(geometry.map.locate(page).unwrap().1, last / table.per_page);
    assert!(table.offset(position + 1) <= l::PAGE_PAYLOAD as usize);
    assert_eq!(geometry.data_number(geometry.data_block(last)), Some(last));
    assert_eq!(geometry.data_number(BlockNumber(geometry.window_start + last + 1)), None);
    assert_eq!(geometry.data_number(BlockNumber(geometry.window_start - 1)), None);
    assert_eq!(geometry.checkpoint_blocks(1), [BlockNumber(3), BlockNumber(BLOCKS - 3)]);
}
