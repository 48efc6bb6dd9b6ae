//! Files that are deleted although something is wrong with them: nobody else loses a block by it.

use crate::rig::{open, options};
use crate::workloads::bytes;
use hn4_core::base::BLOCK_SIZE;
use hn4_core::device::testing::{Fault, FaultDevice, MemDevice, Op, When};
use hn4_core::format::{Slot, layout};
use hn4_core::testing::{
    FormatOptions, Rng, check_volume, forge_slot, formatted, geometry_of, read_only_tree,
};
use hn4_core::vfs::{Caller, FileSystem, SetAttr, Vfs};
use hn4_core::volume::{OpenOptions, Reporter};
use std::cell::Cell;
use std::sync::{Arc, Mutex};

/// The slot of a file on a closed volume.
fn slot_of(memory: &MemDevice, number: u64) -> Slot {
    let found = Cell::new(None);
    forge_slot(memory, number, |slot| found.set(Some(*slot)));
    found.into_inner().expect("a file of the cortex")
}

fn write(fs: &FileSystem, name: &str, blocks: u64) -> u64 {
    let made = fs.mknod(1, name.as_bytes(), libc::S_IFREG | 0o600, 0, &Caller::default()).unwrap();
    let content = bytes(&mut Rng::new(made.ino), blocks * BLOCK_SIZE as u64);
    fs.write(made.ino, 0, &content, false).unwrap();
    fs.fsync(made.ino, false).unwrap();
    made.ino
}

/// Opens with lines collected.
fn listening(memory: &Arc<MemDevice>) -> (Arc<FileSystem>, Arc<Mutex<Vec<String>>>) {
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let said = lines.clone();
    let reporter = Reporter::new(move |line| said.lock().unwrap().push(line.to_string()));
    let (fs, _) = open(memory.clone(), OpenOptions { reporter, ..options(true) }).unwrap();
    (fs, lines)
}

/// A deletion freed the blocks of an orphan and the crash kept its slot as it was; meanwhile another file got
/// some of them.
#[test]
fn an_orphan_whose_blocks_belong_to_another_file_by_now_frees_none_of_them() {
    // All of what its slot names is the owner's, or some of it.
    let flags = [0, layout::DATA_CLASS_TRUNCATING];
    for (flag, blocks) in flags.into_iter().flat_map(|flag| [(flag, 100), (flag, 400)]) {
        let memory = formatted(&FormatOptions::new(8192));
        let (fs, _) = open(memory.clone(), options(true)).unwrap();
        let owner = write(&fs, "owner", 100);
        let orphan = write(&fs, "orphan", 0);
        if flag == 0 {
            // Held open until the end, so that it is among the orphans of the closed volume.
            fs.unlink(1, b"orphan").unwrap();
        }
        fs.shutdown().unwrap();
        drop(fs);
        let owners = slot_of(&memory, owner);
        // Its slot names the owner's blocks, and perhaps free ones behind them.
        forge_slot(&memory, orphan, |slot| {
            let (to, from) = (&mut slot.anchor, &owners.anchor);
            to.gravity_center = from.gravity_center;
            to.orbit_vector = from.orbit_vector;
            to.fractal_scale = from.fractal_scale;
            to.data_class |= flag;
            to.mass = if flag == 0 { blocks * BLOCK_SIZE as u64 } else { 0 };
            slot.attributes.blocks = blocks;
        });
        let before = read_only_tree(memory.snapshot()).unwrap()["/owner"].clone();
        for life in 0..2 {
            let (fs, lines) = listening(&memory);
            if flag != 0 && life == 0 {
                let cut = SetAttr { size: Some(0), ..SetAttr::default() };
                fs.setattr(fs.lookup(1, b"orphan").unwrap().ino, &cut, &Caller::default()).unwrap();
            }
            fs.syncfs().unwrap();
            fs.shutdown().unwrap();
            // That the forged mark came without an entry is said.
            let expected = usize::from(flag != 0 && life == 0);
            let lines = lines.lock().unwrap();
            let said = lines.iter().filter(|line| line.contains("its entry among the orphans")).count();
            assert_eq!((lines.len(), said), (expected, expected), "life {life}: {lines:?}");
        }
        let after = read_only_tree(memory.snapshot()).unwrap();
        assert!(after["/owner"] == before, "flag {flag:#x}, {blocks} blocks: another file lost what it had");
        check_volume(&*memory)
            .unwrap_or_else(|all| panic!("flag {flag:#x}, {blocks} blocks: {}", all.join("; ")));
    }
}

/// The chain of a file's extension records cannot be read when it is deleted.
#[test]
fn a_file_with_a_damaged_extension_chain_keeps_its_blocks_until_it_can_go_as_a_whole() {
    let memory = formatted(&FormatOptions::new(8192));
    let (fs, _) = open(memory.clone(), options(true)).unwrap();
    let damaged = write(&fs, "damaged", 400);
    fs.setxattr(damaged, b"user.attribute", &[1; 500], 0).unwrap();
    fs.shutdown().unwrap();
    drop(fs);
    let geometry = geometry_of(&memory);
    let unit = slot_of(&memory, damaged).attributes.extension;
    let (page, _) = geometry.unit_place(unit);
    let device = Arc::new(FaultDevice::new(memory.clone()));
    for copy in 0..geometry.copies() {
        let at = geometry.page_block(copy, page).unwrap().0;
        device.add(Op::Read, When::Blocks(at..at + 1), Fault::Eio);
    }
    let (fs, _) = open(device.clone(), OpenOptions { cached_pages: 0, ..options(true) }).unwrap();
    fs.unlink(1, b"damaged").unwrap();
    for _ in 0..3 {
        fs.syncfs().unwrap();
    }
    assert!(device.met() > 0, "the case did not happen: nobody read the chain");
    // Whoever gets blocks now keeps them over the next mounts.
    write(&fs, "later", 400);
    fs.syncfs().unwrap();
    fs.shutdown().unwrap();
    drop(fs);
    check_volume(&*memory).unwrap_or_else(|all| panic!("closed: {}", all.join("; ")));
    let before = read_only_tree(memory.snapshot()).unwrap();
    for life in 0..2 {
        let (fs, _) = open(memory.clone(), options(true)).unwrap();
        fs.syncfs().unwrap();
        fs.shutdown().unwrap();
        assert!(read_only_tree(memory.snapshot()).unwrap() == before, "life {life}");
        let report = check_volume(&*memory).unwrap_or_else(|all| panic!("life {life}: {}", all.join("; ")));
        // Once the chain can be read again, the file goes, and with it all it owned.
        assert_eq!((report.units, report.live_blocks > 400, report.live_blocks < 500), (0, true, true));
    }
}
