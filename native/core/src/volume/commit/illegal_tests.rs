//! What the engine must not write: records, slots and counters that its own recovery would refuse, whether a
//! defect or damage leads there.

use crate::base::{BLOCK_SIZE, Code};
use crate::device::testing::{Event, MemDevice, RecordingDevice};
use crate::format::layout::Checkpoint;
use crate::format::{DATA_COPIES, Slot, layout};
use crate::log::{NUMBER_MAX, checkpoint};
use crate::superblocks;
use crate::testing::{FormatOptions, demand_sound, formatted, try_open};
use crate::vfs::{Caller, FileSystem, Vfs};
use crate::volume::blocks::BlockKey;
use crate::volume::{OpenOptions, Reporter};
use parking_lot::Mutex;
use std::sync::Arc;

const REG: u32 = libc::S_IFREG | 0o644;
const PUNCH: u32 = 2 | 1;
const BLOCK: u64 = BLOCK_SIZE as u64;

/// Lines that a volume said.
type Lines = Arc<Mutex<Vec<String>>>;

fn listen() -> (OpenOptions, Lines) {
    let lines = Lines::default();
    let heard = lines.clone();
    let reporter = Reporter::new(move |line| heard.lock().push(line.into()));
    (OpenOptions { sequential: true, reporter, ..OpenOptions::default() }, lines)
}

fn make(fs: &FileSystem, name: &str) -> u64 {
    fs.mknod(1, name.as_bytes(), REG, 0, &Caller::default()).unwrap().ino
}

fn names(fs: &FileSystem) -> Vec<String> {
    let mut found = Vec::new();
    fs.readdir(1, 0, false, &mut |entry| {
        found.push(String::from_utf8(entry.name.to_vec()).unwrap());
        true
    })
    .unwrap();
    found.retain(|name| name != "." && name != "..");
    found.sort();
    found
}

/// A volume with a synced file `kept`, then a new file `lost` and whatever `harm` does to the memory of the engine:
/// the next fsync must fail, say one line, with `why`, and write nothing, and the volume must open with `kept` alone.
fn stops_before_writing(why: &str, harm: impl FnOnce(&FileSystem, u64)) {
    let memory = formatted(&FormatOptions::new(4096));
    let device = Arc::new(RecordingDevice::new(memory.clone()));
    let (options, lines) = listen();
    let (fs, _) = try_open(device.clone(), options).unwrap();
    let kept = make(&fs, "kept");
    fs.write(kept, 0, &[7; 5 * BLOCK_SIZE], false).unwrap();
    fs.fsync(kept, false).unwrap();
    let lost = make(&fs, "lost");
    harm(&fs, lost);
    device.take_trace();
    assert_eq!(fs.fsync(lost, false).unwrap_err().code, Code::Io);
    let wrote = |event: &Event| matches!(event, Event::WriteBegin { .. });
    assert_eq!(device.trace().events.iter().filter(|event| wrote(event)).count(), 0, "nothing is written");
    assert!(matches!(&lines.lock()[..], [line] if line.contains(why)), "one line: {:?}", lines.lock());
    assert_eq!(fs.mknod(1, b"more", REG, 0, &Caller::default()).unwrap_err().code, Code::ReadOnly);
    let mut bytes = vec![0; 5 * BLOCK_SIZE];
    fs.read(kept, 0, &mut bytes).unwrap();
    assert!(bytes == [7; 5 * BLOCK_SIZE], "reads go on");
    assert!(fs.shutdown().is_err());
    drop(fs);
    demand_sound(&*memory, "after the stop");
    let (fs, _) = try_open(memory.clone(), listen().0).unwrap();
    assert_eq!(names(&fs), ["kept"]);
    fs.shutdown().unwrap();
    demand_sound(&*memory, "after the next mount");
}

#[test]
fn a_record_with_impossible_counters_is_not_written() {
    stops_before_writing("a record is not written", |fs, _| fs.volume.space.placed_unreserved(1 << 40));
}

#[test]
fn a_slot_that_no_reader_takes_is_not_written() {
    stops_before_writing("a slot is not written", |fs, lost| {
        let inode = fs.volume.by_ino(lost).unwrap();
        fs.volume
            .change(|tx| {
                let mut file = inode.lock();
                file.slot.attributes.rdev = 9;
                fs.volume.mark(tx, &mut file);
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn a_slot_that_points_outside_the_volume_is_not_written() {
    stops_before_writing("a slot is not written", |fs, lost| {
        fs.write(lost, 0, &[1; 2 * BLOCK_SIZE], false).unwrap();
        let inode = fs.volume.by_ino(lost).unwrap();
        inode.lock().slot.attributes.extension = fs.volume.geometry.units();
        inode.lock().slot.anchor.data_class |= layout::DATA_CLASS_HAS_XATTR;
    });
}

type Harm = fn(&mut Slot);

/// Changes the slot of a file in memory, as a defect of the engine would.
fn harm_slot(fs: &FileSystem, ino: u64, change: Harm) {
    let inode = fs.volume.by_ino(ino).unwrap();
    fs.volume
        .change(|tx| {
            let mut file = inode.lock();
            change(&mut file.slot);
            fs.volume.mark(tx, &mut file);
            Ok(())
        })
        .unwrap();
}

#[test]
fn what_a_slot_says_against_the_rest_of_it_is_put_right_and_said() {
    let wrong: [(&str, Harm); 5] = [
        ("file", |slot| slot.anchor.data_class |= layout::DATA_CLASS_HAS_XATTR),
        ("file", |slot| slot.anchor.data_class |= layout::DATA_CLASS_HAS_ACL),
        ("file", |slot| slot.attributes.blocks = 3),
        ("dir", |slot| slot.attributes.blocks += 1),
        ("dir", |slot| slot.attributes.blocks -= 1),
    ];
    for (i, (name, change)) in wrong.into_iter().enumerate() {
        let memory = formatted(&FormatOptions::new(4096));
        let (options, lines) = listen();
        let (fs, _) = try_open(memory.clone(), options).unwrap();
        make(&fs, "file");
        let dir = fs.mkdir(1, b"dir", 0o755, &Caller::default()).unwrap().ino;
        fs.mknod(dir, b"inside", REG, 0, &Caller::default()).unwrap();
        fs.syncfs().unwrap();
        let ino = fs.lookup(1, name.as_bytes()).unwrap().ino;
        harm_slot(&fs, ino, change);
        fs.fsync(ino, false).unwrap();
        let said = format!("file {ino}: its record counted");
        assert!(matches!(&lines.lock()[..], [line] if line.starts_with(&said)), "{i}: {:?}", lines.lock());
        fs.shutdown().unwrap();
        demand_sound(&*memory, &format!("{name}, change {i}"));
    }
}

#[test]
fn a_count_of_live_blocks_that_is_too_low_stays_at_0_and_is_said() {
    let memory = with_three_files();
    let (options, lines) = listen();
    let (fs, _) = try_open(memory.clone(), options).unwrap();
    fs.volume.space.freed(1 << 40);
    let ino = fs.lookup(1, b"a").unwrap().ino;
    fs.setxattr(ino, b"user.a", b"1", 0).unwrap();
    fs.fsync(ino, false).unwrap();
    assert!(lines.lock().iter().any(|line| line.contains("counters are wrong")), "{:?}", lines.lock());
    fs.shutdown().unwrap();
    try_open(memory.clone(), listen().0).unwrap().0.shutdown().unwrap();
    demand_sound(&*memory, "counted again at the mount");
}

/// Writes the checkpoint block of a closed volume again, changed.
fn rewrite(device: &MemDevice, change: impl FnOnce(&mut Checkpoint)) {
    let geometry = superblocks::read(device).unwrap().geometry;
    let mut block = checkpoint::read(device, &geometry).unwrap().checkpoint;
    block.generation += 1;
    change(&mut block);
    checkpoint::write(device, &geometry, &block).unwrap();
}

fn stored(device: &MemDevice) -> Checkpoint {
    let geometry = superblocks::read(device).unwrap().geometry;
    checkpoint::read(device, &geometry).unwrap().checkpoint
}

/// A closed volume with three files of five blocks, one of them with an attribute that takes units.
fn with_three_files() -> Arc<MemDevice> {
    let memory = formatted(&FormatOptions::new(4096));
    let (fs, _) = try_open(memory.clone(), listen().0).unwrap();
    for name in ["a", "b", "c"] {
        let ino = make(&fs, name);
        fs.write(ino, 0, &[3; 5 * BLOCK_SIZE], false).unwrap();
        if name == "c" {
            fs.setxattr(ino, b"user.long", &[8; 900], 0).unwrap();
        }
    }
    fs.shutdown().unwrap();
    memory
}

#[test]
fn counters_that_the_maps_contradict_are_put_right_at_the_mount_and_never_wrap() {
    let truth = demand_sound(&*with_three_files(), "before");
    for wrong in [0, 1, truth.live_blocks - 1, truth.live_blocks + 1, truth.window_blocks] {
        let memory = with_three_files();
        rewrite(&memory, |block| {
            block.live_blocks = wrong;
            block.units = wrong % 3;
        });
        let (options, lines) = listen();
        let (fs, _) = try_open(memory.clone(), options).unwrap();
        assert!(lines.lock().iter().any(|line| line.contains("live blocks")), "{wrong}: {:?}", lines.lock());
        assert_eq!(fs.statfs().unwrap().bfree, truth.free_blocks(), "{wrong}");
        for name in ["a", "b", "c"] {
            fs.unlink(1, name.as_bytes()).unwrap();
            fs.syncfs().unwrap();
        }
        fs.shutdown().unwrap();
        let after = demand_sound(&*memory, "all deleted");
        assert_eq!(after.units, 0);
    }
}

#[test]
fn a_map_of_several_pages_is_counted_whole() {
    let memory = formatted(&FormatOptions::new(3 * layout::MAP_BITS_PER_PAGE));
    let (fs, _) = try_open(memory.clone(), listen().0).unwrap();
    for i in 0..20 {
        let ino = make(&fs, &format!("{i}"));
        fs.write(ino, 0, &[3; 5 * BLOCK_SIZE], false).unwrap();
    }
    let free = fs.statfs().unwrap().bfree;
    fs.shutdown().unwrap();
    let (options, lines) = listen();
    let (fs, _) = try_open(memory, options).unwrap();
    assert_eq!(*lines.lock(), [""; 0]);
    assert_eq!(fs.statfs().unwrap().bfree, free);
    fs.shutdown().unwrap();
}

#[test]
fn a_count_of_files_that_is_too_low_stays_in_its_range_and_is_said() {
    let memory = with_three_files();
    rewrite(&memory, |block| block.files = 0);
    let (options, lines) = listen();
    let (fs, _) = try_open(memory.clone(), options).unwrap();
    fs.unlink(1, b"a").unwrap();
    fs.syncfs().unwrap();
    fs.syncfs().unwrap();
    fs.shutdown().unwrap();
    assert_eq!(stored(&memory).files, 0);
    assert!(lines.lock().iter().any(|line| line.contains("counters are wrong")), "{:?}", lines.lock());
    let (fs, _) = try_open(memory, listen().0).unwrap();
    assert_eq!(names(&fs), ["b", "c"]);
    fs.shutdown().unwrap();
}

#[test]
fn a_number_is_not_given_twice_where_the_counter_is_too_low() {
    let memory = with_three_files();
    rewrite(&memory, |block| block.next_number = layout::INO_FIRST);
    let (options, lines) = listen();
    let (fs, _) = try_open(memory.clone(), options).unwrap();
    let known: Vec<u64> = ["a", "b", "c"].map(|name| fs.lookup(1, name.as_bytes()).unwrap().ino).to_vec();
    assert!(!lines.lock().is_empty());
    for name in ["d", "e", "f"] {
        assert!(!known.contains(&make(&fs, name)));
    }
    fs.shutdown().unwrap();
    demand_sound(&*memory, "after the counter was put right");
}

#[test]
fn the_last_numbers_of_a_volume_are_given_and_then_no_more() {
    let memory = with_three_files();
    rewrite(&memory, |block| block.next_number = NUMBER_MAX - 2);
    for left in [1, 0] {
        let (fs, _) = try_open(memory.clone(), listen().0).unwrap();
        if left > 0 {
            assert_eq!(make(&fs, "one"), NUMBER_MAX - 2);
            assert_eq!(make(&fs, "two"), NUMBER_MAX - 1);
        }
        let full = fs.mknod(1, b"three", REG, 0, &Caller::default()).unwrap_err();
        assert_eq!(full.errno(), libc::ENOSPC);
        fs.syncfs().unwrap();
        fs.shutdown().unwrap();
        demand_sound(&*memory, "out of numbers");
    }
}

/// Every fiftieth block of a sparse file: too many for the root of its presence alone.
fn sparse(fs: &FileSystem) -> u64 {
    let ino = make(fs, "sparse");
    for index in 0..12 {
        fs.write(ino, index * 50 * BLOCK, &[9; BLOCK_SIZE], false).unwrap();
    }
    fs.fsync(ino, false).unwrap();
    ino
}

#[test]
fn a_sparse_file_whose_blocks_are_counted_wrong_never_gets_an_illegal_slot() {
    for dup in [true, false] {
        for change in [7, 1, -1, -5, -100] {
            let memory = formatted(&FormatOptions { dup, ..FormatOptions::new(4096) });
            let (fs, _) = try_open(memory.clone(), listen().0).unwrap();
            let ino = sparse(&fs);
            let inode = fs.volume.by_ino(ino).unwrap();
            fs.volume
                .change(|tx| {
                    let mut file = inode.lock();
                    let blocks = file.slot.attributes.blocks.saturating_add_signed(change).max(1);
                    file.slot.attributes.blocks = blocks;
                    fs.volume.mark(tx, &mut file);
                    Ok(())
                })
                .unwrap();
            fs.syncfs().unwrap();
            for index in 0..12 {
                fs.fallocate(ino, PUNCH, index * 50 * BLOCK, BLOCK).unwrap();
                fs.fsync(ino, false).unwrap();
            }
            fs.write(ino, 0, &[1; 3 * BLOCK_SIZE], false).unwrap();
            fs.fsync(ino, false).unwrap();
            fs.volume.truncate(&inode, 0, |_| {}).unwrap();
            fs.syncfs().unwrap();
            fs.shutdown().unwrap();
            demand_sound(&*memory, &format!("dup {dup}, counted {change} too many"));
        }
    }
}

#[test]
fn a_directory_that_lost_a_copy_of_a_block_never_gets_an_illegal_slot() {
    // A block that is changed before it goes is whole again; where all names go in one transaction it is not.
    for (dup, every) in [(true, 40), (false, 40), (true, 1000), (false, 1000)] {
        let memory = formatted(&FormatOptions { dup, ..FormatOptions::new(4096) });
        let (fs, _) = try_open(memory.clone(), listen().0).unwrap();
        let dir = fs.mkdir(1, b"dir", 0o755, &Caller::default()).unwrap().ino;
        for i in 0..200 {
            fs.mknod(dir, format!("{i:0200}").as_bytes(), REG, 0, &Caller::default()).unwrap();
        }
        fs.syncfs().unwrap();
        let inode = fs.volume.by_ino(dir).unwrap();
        let lost = 2 + u64::from(dup);
        assert!(inode.share().slot.attributes.blocks > 2 * lost, "the case did not happen");
        let copy = if dup { 1 } else { DATA_COPIES as u8 - 1 };
        for index in 2..2 + lost {
            fs.volume
                .change(|tx| {
                    let key = BlockKey { owner: dir, index, copy };
                    let file = inode.lock();
                    let (data, _) = fs.volume.blocks.find(key, file.candidates())?.expect("placed");
                    fs.volume.blocks.free(tx, fs.volume.blocks.prepare_free(key, data, 1)?);
                    Ok(())
                })
                .unwrap();
        }
        for i in 0..200 {
            fs.unlink(dir, format!("{i:0200}").as_bytes()).unwrap();
            if i % every == 0 {
                fs.syncfs().unwrap();
            }
        }
        fs.syncfs().unwrap();
        fs.rmdir(1, b"dir").unwrap();
        fs.syncfs().unwrap();
        fs.shutdown().unwrap();
        // The count of live blocks has the lost ones still; the next mount counts anew.
        try_open(memory.clone(), listen().0).unwrap().0.shutdown().unwrap();
        demand_sound(&*memory, &format!("dup {dup}, a commit every {every}"));
    }
}
