use super::*;
use crate::device::testing::MemDevice;
use crate::format::layout as l;
use crate::testing::{FormatOptions, choose_sizes, flip, format_volume};

const BLOCKS: u64 = 4096;

fn formatted() -> (MemDevice, Superblock) {
    let device = MemDevice::new(BLOCKS);
    let options = FormatOptions { label: "data".into(), ..FormatOptions::new(BLOCKS) };
    let superblock = format_volume(&device, &options).unwrap();
    (device, superblock)
}

fn damage(device: &MemDevice, position: u16) {
    flip(device, Geometry::superblock_block(BLOCKS, position), 8 * 200);
}

#[test]
fn a_formatted_volume_opens_from_any_one_of_its_superblocks() {
    let (device, superblock) = formatted();
    let opened = read(&device).unwrap();
    assert_eq!(opened.places, [PlaceState::Current; 4]);
    assert_eq!(label(&opened.superblock), Some("data"));
    opened.check_writable().unwrap();
    for keep in 0..4 {
        let (device, _) = formatted();
        for position in (0..4).filter(|&position| position != keep) {
            damage(&device, position);
        }
        let opened = read(&device).unwrap();
        assert!(same_but_position(&opened.superblock, &superblock));
        let current = opened.places.iter().filter(|&&place| place == PlaceState::Current).count();
        assert_eq!((current, opened.places[usize::from(keep)]), (1, PlaceState::Current));
    }
}

#[test]
fn every_flipped_bit_of_a_superblock_is_found() {
    let (device, superblock) = formatted();
    for bit in 0..BLOCK_SIZE * 8 {
        flip(&device, BlockNumber(0), bit);
        let opened = read(&device).unwrap();
        assert_eq!(opened.places[0], PlaceState::Bad, "bit {bit}");
        assert!(same_but_position(&opened.superblock, &superblock));
        flip(&device, BlockNumber(0), bit);
    }
}

#[test]
fn the_highest_generation_wins_wherever_it_stands() {
    let (device, superblock) = formatted();
    let newer = Superblock { generation: 2, uuid: [9; 16], ..superblock };
    write_place(&device, &newer, 3).unwrap();
    let opened = read(&device).unwrap();
    assert_eq!(opened.superblock.uuid, [9; 16]);
    assert_eq!(opened.places[0], PlaceState::Stale);
    let mut renamed = opened.superblock;
    write(&device, &mut renamed).unwrap();
    let opened = read(&device).unwrap();
    assert_eq!((opened.superblock.generation, opened.places), (3, [PlaceState::Current; 4]));
}

#[test]
fn a_superblock_at_another_position_does_not_count() {
    let (device, superblock) = formatted();
    device.write(BlockNumber(1), &encode(&superblock, 0)).unwrap();
    assert_eq!(read(&device).unwrap().places[1], PlaceState::Bad);
}

#[test]
fn a_volume_may_be_smaller_than_its_device_and_not_larger() {
    let (device, _) = formatted();
    let copy_to = |blocks: u64, count: u64| {
        let target = MemDevice::new(blocks);
        let mut bytes = vec![0; count as usize * BLOCK_SIZE];
        device.read(BlockNumber(0), &mut bytes).unwrap();
        target.write(BlockNumber(0), &bytes).unwrap();
        target
    };
    assert_eq!(read(&copy_to(BLOCKS + 100, BLOCKS)).unwrap().places, [PlaceState::Current; 4]);
    assert_eq!(read(&copy_to(BLOCKS - 100, BLOCKS - 100)).unwrap_err().code, Code::Corrupt);
}

#[test]
fn what_is_no_volume_or_of_another_version_is_named_so() {
    assert_eq!(read(&MemDevice::new(BLOCKS)).unwrap_err().code, Code::InvalidArgument);
    for tiny in 0..4 {
        assert_eq!(read(&MemDevice::new(tiny)).unwrap_err().code, Code::InvalidArgument);
    }
    let refused = |change: &dyn Fn(&mut Superblock)| {
        let (device, mut superblock) = formatted();
        change(&mut superblock);
        superblock.generation = 9;
        write_place(&device, &superblock, 0).unwrap();
        match read(&device) {
            Ok(opened) => opened.check_writable().unwrap_err().code,
            Err(error) => error.code,
        }
    };
    assert_eq!(refused(&|s| s.incompat |= 1 << 9), Code::NotSupported);
    assert_eq!(refused(&|s| s.ro_compat |= 1), Code::NotSupported);
    assert_eq!(refused(&|s| s.label = [b'x'; 64]), Code::Corrupt);
    let (device, superblock) = formatted();
    for position in 0..4 {
        write_place(&device, &Superblock { format_version: 2, ..superblock }, position).unwrap();
    }
    assert_eq!(read(&device).unwrap_err().code, Code::NotSupported);
    for position in 0..4 {
        damage(&device, position);
    }
    assert_eq!(read(&device).unwrap_err().code, Code::Corrupt);
}

#[test]
fn every_rule_of_the_geometry_is_checked() {
    let (_, good) = formatted();
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
            let sizes = choose_sizes(count, copies, None, None).unwrap();
            assert!(sizes.log_blocks <= 32_768 + 12, "{count}");
            let options = FormatOptions { dup, ..FormatOptions::new(count) };
            let superblock = crate::testing::make_superblock(&options).unwrap();
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
    let (_, superblock) = formatted();
    let geometry = Geometry::of(&superblock).unwrap();
    for number in 0..geometry.copy_pages() {
        let (region, at) = geometry.map.locate(crate::base::CopyPage(number)).unwrap();
        assert_eq!(geometry.map.page(region, at).unwrap().0, number);
    }
    let last = geometry.data_blocks() - 1;
    let (page, at) = geometry.descriptor_place(last);
    assert_eq!(geometry.map.locate(page).unwrap().1, last / l::DESCRIPTORS_PER_PAGE);
    assert!(at + 32 <= l::PAGE_PAYLOAD as usize);
    assert_eq!(geometry.data_number(geometry.data_block(last)), Some(last));
    assert_eq!(geometry.data_number(BlockNumber(geometry.window_start + last + 1)), None);
    assert_eq!(geometry.data_number(BlockNumber(geometry.window_start - 1)), None);
    assert_eq!(geometry.checkpoint_blocks(1), [BlockNumber(3), BlockNumber(BLOCKS - 3)]);
}
