//! A writable volume repairs its superblocks, checkpoint blocks and initialised map, wherever one good copy is left.

use crate::rig::{Rig, Volume};
use hn4_core::base::{BlockNumber, CopyPage};
use hn4_core::device::Device;
use hn4_core::device::testing::{Fault, FaultDevice, MemDevice, Op, RecordingDevice, When};
use hn4_core::format::{Geometry, Region, layout::Superblock, load_page};
use hn4_core::superblocks;
use hn4_core::testing::{copy_block, flip, read_block, sequential, try_open, zero};
use hn4_core::vfs::Vfs;
use hn4_core::volume::{OpenOptions, OpenReport, Reporter};
use std::sync::{Arc, Mutex};

fn places(rig: &Rig) -> [BlockNumber; 4] {
    [0, 1, 2, 3].map(|position| Geometry::superblock_block(rig.geometry.block_count, position))
}

/// Opens and closes.
fn one_life(device: Arc<dyn Device>, read_only: bool) -> OpenReport {
    let (fs, report) = try_open(device, OpenOptions { read_only, ..sequential() }).expect("opens");
    fs.shutdown().expect("closes");
    report
}

/// The superblock as it was a generation ago, with another label.
fn age(rig: &Rig, device: &MemDevice, position: usize) {
    let now = superblocks::read(&rig.closed).expect("a superblock").superblock;
    let mut label = [0; 64];
    label[..3].copy_from_slice(b"old");
    let old = Superblock { generation: now.generation - 1, label, ..now };
    superblocks::write_place(device, &old, position as u16).expect("writes");
}

/// A volume whose superblocks have generation 2.
fn rig_of_generation_two(seed: u64) -> Rig {
    let mut rig = Rig::new(true, seed);
    let device = rig.closed.snapshot();
    let mut now = superblocks::read(&device).expect("a superblock").superblock;
    superblocks::write(&device, &mut now).expect("writes");
    rig.closed = device;
    rig
}

type Harm = (&'static str, fn(&Rig, &MemDevice, usize));

const HARMS: [Harm; 5] = [
    ("zeroed", |rig, device, at| zero(device, places(rig)[at])),
    ("a bit of its fields flipped", |rig, device, at| flip(device, places(rig)[at], 0x48 * 8)),
    ("its magic flipped", |rig, device, at| flip(device, places(rig)[at], 3)),
    ("stale", age),
    ("of another place", |rig, device, at| {
        let places = places(rig);
        copy_block(&rig.closed, places[(at + 1) % 4], device, places[at]);
    }),
];

fn demand_whole(rig: &Rig, device: &MemDevice, what: &str) {
    for block in places(rig) {
        assert!(read_block(device, block) == read_block(&rig.closed, block), "{what}: block {}", block.0);
    }
}

#[test]
fn bad_and_stale_superblocks_are_rewritten_by_a_writable_volume_only() {
    let rig = rig_of_generation_two(21);
    for at in 0..4 {
        for (name, harm) in HARMS {
            for second in [None, Some((at + 1) % 4), Some((at + 2) % 4)] {
                let what = format!("superblock {at} {name}, and {second:?}");
                let device = Arc::new(rig.closed.snapshot());
                harm(&rig, &device, at);
                second.into_iter().for_each(|second| harm(&rig, &device, second));
                let harmed = places(&rig).map(|block| read_block(&device, block));
                assert_eq!(one_life(device.clone(), true).rewritten, 0, "{what}");
                assert!(harmed == places(&rig).map(|block| read_block(&device, block)), "{what}: read-only");
                let count = 1 + u64::from(second.is_some());
                assert_eq!(one_life(device.clone(), false).rewritten, count, "{what}");
                demand_whole(&rig, &device, &what);
                assert_eq!(one_life(device, false).rewritten, 0, "{what}: again");
            }
        }
    }
}

#[test]
fn a_crash_while_superblocks_are_rewritten_leaves_one() {
    let rig = rig_of_generation_two(22);
    for (name, harm) in HARMS {
        let base = rig.closed.snapshot();
        [0, 2, 3].into_iter().for_each(|at| harm(&rig, &base, at));
        let recording = Arc::new(RecordingDevice::new(Arc::new(base.snapshot())));
        assert_eq!(one_life(recording.clone(), false).rewritten, 3, "{name}");
        let trace = recording.take_trace();
        let mut cursor = trace.cursor(&base);
        for cut in trace.cuts() {
            cursor.advance_to(cut);
            for seed in 0..4 {
                let device = Arc::new(cursor.crash(seed));
                let found = superblocks::read(&*device).expect("a superblock").superblock;
                assert_eq!(found.generation, 2, "{name}, cut {cut}, seed {seed}");
                one_life(device.clone(), false);
                demand_whole(&rig, &device, &format!("{name}, cut {cut}, seed {seed}"));
            }
        }
    }
}

#[test]
fn a_superblock_that_takes_no_write_is_left_and_told() {
    let rig = rig_of_generation_two(23);
    let memory = Arc::new(rig.closed.snapshot());
    let [first, _, third, _] = places(&rig);
    [first, third].into_iter().for_each(|block| zero(&memory, block));
    let device = Arc::new(FaultDevice::new(memory.clone()));
    device.add(Op::Write, When::Blocks(first.0..first.0 + 1), Fault::Eio);
    let told = Arc::new(Mutex::new(Vec::new()));
    let lines = told.clone();
    let reporter = Reporter::new(move |line| lines.lock().unwrap().push(line.to_string()));
    let (fs, report) = try_open(device, OpenOptions { reporter, ..sequential() }).expect("opens");
    fs.shutdown().expect("closes");
    assert_eq!((report.rewritten, told.lock().unwrap().len()), (1, 1), "{told:?}");
    assert!(read_block(&memory, third) == read_block(&rig.closed, third));
}

#[test]
fn every_checkpoint_block_is_whole_after_a_life() {
    let rig = Rig::new(true, 24);
    let blocks: Vec<BlockNumber> = (0..2).flat_map(|slot| rig.geometry.checkpoint_blocks(slot)).collect();
    for left in 0..4 {
        let device = Arc::new(rig.crashed.snapshot());
        let found = hn4_core::log::checkpoint::read(&*device, &rig.geometry).expect("a checkpoint");
        // One of the pair in force must be left.
        if left as u64 / 2 != found.checkpoint.generation % 2 {
            continue;
        }
        blocks.iter().enumerate().filter(|(i, _)| *i != left).for_each(|(_, &block)| zero(&device, block));
        one_life(device.clone(), false);
        let found = hn4_core::log::checkpoint::read(&*device, &rig.geometry).expect("a checkpoint");
        assert_eq!(found.valid_blocks, 4, "only block {} was left", blocks[left].0);
    }
}

#[test]
fn both_copies_of_the_initialised_map_are_whole_after_a_life() {
    let rig = Rig::new(true, 25);
    for from in [&rig.closed, &rig.crashed] {
        for copy in 0..2 {
            for number in 0..rig.geometry.map.pages_of(Region::Init) {
                let page = rig.geometry.map.page(Region::Init, number).expect("a page");
                let whole = |device: &Volume| {
                    (0..2).all(|copy| {
                        let block = rig.geometry.page_block(copy, CopyPage(page.0)).expect("a copy");
                        load_page(&mut read_block(device, block), &rig.geometry.map, Region::Init, number)
                            .is_ok()
                    })
                };
                let device = Arc::new(from.snapshot());
                flip(&device, rig.geometry.page_block(copy, page).expect("a copy"), 99);
                assert!(!whole(&device));
                one_life(device.clone(), false);
                assert!(whole(&device), "copy {copy}, page {number}");
                assert!(rig.read_all(&device, true).is_empty());
            }
        }
    }
}
