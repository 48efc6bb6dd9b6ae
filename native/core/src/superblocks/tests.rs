//! Any one of the four is enough; a damaged one is found, a stale one does not win.

use super::*;
use crate::base::{BLOCK_SIZE, BlockNumber};
use crate::device::testing::MemDevice;
use crate::format::superblock::{encode, label, same_but_position};
use crate::testing::{FormatOptions, flip, format_volume};

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
    for bit in 0..BLOCK_SIZE as u64 * 8 {
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

/// As a hostile hand would: without a look at the rules.
fn write_raw(device: &MemDevice, superblock: &Superblock, position: u16) {
    let block = Geometry::superblock_block(superblock.block_count, position);
    device.write(block, &encode(superblock, position)).unwrap();
}

#[test]
fn a_superblock_that_nobody_would_take_is_not_written() {
    let (device, superblock) = formatted();
    let before = read(&device).unwrap();
    let wrong: [&dyn Fn(&mut Superblock); 6] = [
        &|s| s.generation = 0,
        &|s| s.label = [b'x'; 64],
        &|s| s.format_version = 2,
        &|s| s.incompat |= 1 << 9,
        &|s| s.window_blocks += 1,
        &|s| s.block_count -= 1,
    ];
    for (i, change) in wrong.iter().enumerate() {
        let mut changed = superblock;
        change(&mut changed);
        for position in 0..4 {
            let refused = write_place(&device, &changed, position).map_err(|error| error.code);
            assert!(matches!(refused, Err(Code::Corrupt | Code::NotSupported)), "change {i}: {refused:?}");
        }
    }
    assert_eq!(read(&device).unwrap().places, before.places, "nothing was written");
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
        write_raw(&device, &superblock, 0);
        match read(&device) {
            Ok(opened) => opened.check_writable().unwrap_err().code,
            Err(error) => error.code,
        }
    };
    assert_eq!(refused(&|s| s.incompat |= 1 << 9), Code::NotSupported);
    assert_eq!(refused(&|s| s.ro_compat |= 1), Code::NotSupported);
    for size in [0, 31, 48, 64, 128, u32::MAX] {
        assert_eq!(refused(&|s| s.descriptor_size = size), Code::NotSupported);
    }
    assert_eq!(refused(&|s| s.label = [b'x'; 64]), Code::Corrupt);
    let (device, superblock) = formatted();
    for position in 0..4 {
        write_raw(&device, &Superblock { format_version: 2, ..superblock }, position);
    }
    assert_eq!(read(&device).unwrap_err().code, Code::NotSupported);
    for position in 0..4 {
        damage(&device, position);
    }
    assert_eq!(read(&device).unwrap_err().code, Code::Corrupt);
}
