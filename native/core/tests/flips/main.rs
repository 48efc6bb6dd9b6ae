//! Damage of every kind to a volume that holds one of everything: what the engine gives back is right or
//! an error, never something else; with two metadata copies all metadata is still right, and reading it
//! through a writable volume repairs copy A.

#[allow(dead_code)]
#[path = "../../examples/populate/fill.rs"]
mod fill;
#[allow(dead_code)]
#[path = "../../examples/populate/listing.rs"]
mod listing;
#[path = "../manifest/mod.rs"]
mod manifest;
mod repair;
mod rig;
#[allow(dead_code)]
#[path = "../../examples/populate/world.rs"]
mod world;

use hn4_core::base::{BlockNumber, Code, CopyPage, Error};
use hn4_core::device::testing::MemDevice;
use hn4_core::format::{Region, load_page};
use hn4_core::testing::{Rng, check_volume, copy_block, flip, read_block, zero};
use rig::{Rig, Volume};

/// Pages of one region that are damaged one after the other.
const PAGES_PER_REGION: usize = 4;

type Damage = (&'static str, fn(&Rig, &MemDevice, BlockNumber, &mut Rng));

const DAMAGES: [Damage; 4] = [
    ("flipped bit", |_, device, block, rng| flip(device, block, rng.below(4096 * 8))),
    ("zeroed", |_, device, block, _| zero(device, block)),
    ("page of another place", |rig, device, block, rng| {
        let others: Vec<BlockNumber> = rig.written_pages(0).map(|(_, _, other)| other).collect();
        let same_as = read_block(device, block);
        let at = rng.below(others.len() as u64) as usize;
        let other = others[at..].iter().chain(&others).find(|&&other| read_block(device, other) != same_as);
        copy_block(device, *other.expect("pages differ"), device, block);
    }),
    ("page of another volume", |rig, device, block, _| copy_block(&rig.foreign, block, device, block)),
];

/// (region, page in the region, its block in `copy`), some of each region.
fn sampled(rig: &Rig, copy: usize, seed: u64) -> Vec<(Region, u64, BlockNumber)> {
    let mut pages: Vec<_> = rig.written_pages(copy).collect();
    let mut rng = Rng::new(seed);
    rng.shuffle(&mut pages);
    let mut taken = std::collections::BTreeMap::<u16, usize>::new();
    pages.retain(|(region, ..)| {
        let count = taken.entry(*region as u16).or_default();
        *count += 1;
        *count <= PAGES_PER_REGION
    });
    pages
}

fn demand_none(refusals: Vec<(String, Error)>, what: &str) {
    assert!(refusals.is_empty(), "{what}: {refusals:?}");
}

#[test]
fn damaged_pages_of_one_copy_change_nothing_and_copy_a_is_repaired() {
    let rig = Rig::new(true, 1);
    let mut rng = Rng::new(7);
    let (mut walked, mut repaired) = (0, 0);
    for copy in 0..2 {
        for (region, number, block) in sampled(&rig, copy, 11 + copy as u64) {
            for (name, damage) in DAMAGES {
                let what = format!("copy {copy}, {region:?} page {number}, {name}");
                let device = rig.closed.snapshot();
                damage(&rig, &device, block, &mut rng);
                let device = Volume::new(device);
                demand_none(rig.read_all(&device, true), &what);
                demand_none(rig.read_all(&device, false), &what);
                let mut bytes = read_block(&device, block);
                let is_whole = load_page(&mut bytes, &rig.geometry.map, region, number).is_ok();
                assert!(is_whole || region != Region::Init, "{what}: still damaged");
                // Else only what is read is repaired, from copy A on: the rest waits for scrub.
                if copy == 0 && matches!(region, Region::Cortex | Region::Descriptor | Region::Extension) {
                    assert!(is_whole || region != Region::Cortex, "{what}: still damaged");
                    walked += 1;
                    repaired += usize::from(is_whole);
                    if is_whole {
                        check_volume(&*device).unwrap_or_else(|problems| panic!("{what}: {problems:?}"));
                    }
                }
            }
        }
    }
    assert!(repaired * 3 >= walked * 2, "{repaired} of {walked} repaired");
}

#[test]
fn with_one_copy_damaged_pages_are_errors() {
    let rig = Rig::new(false, 2);
    let mut rng = Rng::new(8);
    let mut found = 0;
    for (region, number, block) in sampled(&rig, 0, 12) {
        for (name, damage) in DAMAGES {
            let device = rig.closed.snapshot();
            damage(&rig, &device, block, &mut rng);
            let refusals = rig.read_all(&Volume::new(device), true);
            for (path, error) in &refusals {
                let honest = matches!(error.code, Code::Corrupt | Code::DataDamaged | Code::Io);
                assert!(honest, "{region:?} page {number}, {name}, {path}: {error}");
            }
            found += usize::from(!refusals.is_empty());
        }
    }
    assert!(found >= 4 * 4 * 3, "cortex, descriptors, extensions: {found} damages found");
}

#[test]
fn damaged_superblocks_and_checkpoints_are_outvoted() {
    let rig = Rig::new(true, 3);
    let mut rng = Rng::new(9);
    let count = rig.geometry.block_count;
    let superblocks = (0..4).map(|p| hn4_core::format::Geometry::superblock_block(count, p));
    let checkpoints = (0..2).flat_map(|slot| rig.geometry.checkpoint_blocks(slot));
    for block in superblocks.chain(checkpoints) {
        for bit in [rng.below(64), rng.below(0x150 * 8), rng.below(4096 * 8)] {
            let device = rig.closed.snapshot();
            flip(&device, block, bit);
            let device = Volume::new(device);
            demand_none(rig.read_all(&device, true), &format!("block {}, bit {bit}", block.0));
            demand_none(rig.read_all(&device, false), &format!("block {}, bit {bit}", block.0));
        }
    }
}

#[test]
fn a_damaged_record_is_damage_or_the_end_of_the_log() {
    for dup in [true, false] {
        let rig = Rig::new(dup, 4);
        let mut rng = Rng::new(10);
        let records = rig.records();
        assert!(records.len() > 5, "{} records", records.len());
        let (&last, others) = records.split_last().expect("records");
        for block in others.iter().step_by(others.len().div_ceil(12)) {
            let device = rig.crashed.snapshot();
            flip(&device, *block, rng.below(0x70 * 8));
            let refusals = rig.read_all(&Volume::new(device), true);
            let is_whole = refusals.len() == 1 && refusals[0].1.code == Code::Corrupt;
            assert!(is_whole, "record at block {}: {refusals:?}", block.0);
        }
        // The last one: without proof it looks like the log's end, with one it is damage.
        let device = Volume::new(rig.crashed.snapshot());
        flip(&device, last, 0x40 * 8);
        match rig::open(&device, true) {
            Ok(fs) => {
                assert!(!rig.is_proven, "a proven record is lost in silence");
                listing::of_volume(&fs).expect("the volume as it was one commit before");
            }
            Err(error) => assert!(rig.is_proven && error.code == Code::Corrupt, "{error}"),
        }
    }
}

#[test]
fn damaged_blocks_of_files_are_named_and_those_of_directories_read_from_the_other_copy() {
    let rig = Rig::new(true, 5);
    let mut rng = Rng::new(11);
    let mut damaged = 0;
    let blocks = rig.data_blocks();
    assert!(blocks.iter().any(|(_, is_meta)| *is_meta));
    let step = blocks.len() / 120;
    let meta = blocks.iter().filter(|(_, is_meta)| *is_meta).take(30);
    for (block, is_meta) in blocks.iter().step_by(step.max(1)).chain(meta) {
        let device = rig.closed.snapshot();
        flip(&device, *block, rng.below(4096 * 8));
        let refusals = rig.read_all(&Volume::new(device), true);
        assert!(refusals.is_empty() || !is_meta, "block {}: {refusals:?}", block.0);
        for (path, error) in &refusals {
            assert_eq!(error.code, Code::DataDamaged, "{path}: {error}");
            let says = error.detail().contains("file ") && error.detail().contains("block ");
            assert!(says, "{path}: {error}");
        }
        damaged += usize::from(!refusals.is_empty());
    }
    assert!(damaged > 40, "{damaged}");
}

#[test]
fn the_same_page_of_both_copies_lost_is_an_error() {
    let rig = Rig::new(true, 6);
    for (region, number, block) in sampled(&rig, 0, 13) {
        let page = CopyPage(rig.geometry.map.start(region).0 + number);
        let device = rig.closed.snapshot();
        flip(&device, block, 77);
        flip(&device, rig.geometry.page_block(1, page).expect("copy B"), 78);
        let refusals = rig.read_all(&Volume::new(device), true);
        let expected = matches!(region, Region::Init | Region::Cortex);
        assert!(!expected || !refusals.is_empty(), "{region:?} page {number}");
    }
}
