//! A damaged volume does not open, and says what helps; with `rescue` what is left of it does, and what is missing
//! is named. test/left.test.ts compares what is left with what the reader finds.

use crate::rig::{Rig, Setup, options};
use hn4_core::base::{BLOCK_SIZE, BlockNumber, Code};
use hn4_core::device::Device;
use hn4_core::device::testing::{CountingDevice, MemDevice};
use hn4_core::format::{Geometry, Region};
use hn4_core::testing::{flip, geometry_of, try_open};
use hn4_core::vfs::{Caller, FileSystem, SetAttr, Vfs};
use hn4_core::volume::{OpenOptions, Reporter};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

const WHO: Caller = Caller { uid: 0, gid: 0, pid: 1, umask: 0 };
const FILES: usize = 60;

fn name(i: usize) -> Vec<u8> {
    format!("file {i}").into_bytes()
}

/// A volume with files in place, and changes of all of them in its log only.
struct Crashed {
    device: MemDevice,
    /// Cortex pages without the root.
    pages: Vec<u64>,
    /// Number and hint of each file.
    files: Vec<(u64, u32)>,
}

fn crashed() -> Crashed {
    let mut rig = Rig::new(&Setup::new(4096));
    for i in 0..FILES {
        let file = rig.fs.mknod(1, &name(i), libc::S_IFREG | 0o644, 0, &WHO).unwrap().ino;
        rig.fs.write(file, 0, &[i as u8 + 1; 5000], false).unwrap();
    }
    rig.fs.shutdown().unwrap();
    rig.fs = Arc::new(try_open(rig.device.clone(), options(true)).unwrap().0);
    let (mut pages, mut files) = (BTreeSet::new(), Vec::new());
    for i in 0..FILES {
        let attr = rig.fs.lookup(1, &name(i)).unwrap();
        rig.fs.setattr(attr.ino, &SetAttr { mode: Some(0o600), ..SetAttr::default() }, &WHO).unwrap();
        let hint = rig.fs.volume.by_ino(attr.ino).unwrap().hint;
        let (at, _) = rig.fs.volume.cortex.find(attr.ino, hint).unwrap().unwrap();
        pages.insert(at.page);
        files.push((attr.ino, hint));
    }
    // The map of initialised pages changes too.
    for i in 0..FILES {
        rig.fs.mknod(1, &name(1000 + i), libc::S_IFREG | 0o644, 0, &WHO).unwrap();
    }
    rig.fs.syncfs().unwrap();
    let (root, _) = rig.fs.volume.cortex.find(1, 0).unwrap().unwrap();
    pages.remove(&root.page);
    Crashed { device: rig.memory.snapshot(), pages: pages.into_iter().collect(), files }
}

fn damage_page(device: &MemDevice, geometry: &Geometry, region: Region, number: u64) {
    let page = geometry.map.page(region, number).unwrap();
    for start in [Some(geometry.map.copy_a), geometry.map.copy_b].into_iter().flatten() {
        flip(device, start.plus(page.0), 77);
    }
}

/// The first blocks of a device.
fn cut(device: &MemDevice, blocks: u64) -> MemDevice {
    let target = MemDevice::new(blocks);
    let mut bytes = vec![0; BLOCK_SIZE];
    for at in (0..blocks).map(BlockNumber) {
        device.read(at, &mut bytes).unwrap();
        target.write(at, &bytes).unwrap();
    }
    target
}

/// Opens it so that nothing is written; the lines that it says.
fn rescued(device: MemDevice) -> (FileSystem, Vec<String>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let told = lines.clone();
    let reporter = Reporter::new(move |line| told.lock().unwrap().push(line.to_owned()));
    let counting = Arc::new(CountingDevice::new(Arc::new(device)));
    let with = OpenOptions { read_only: true, rescue: true, reporter, ..options(true) };
    let (fs, _) = try_open(counting.clone(), with).unwrap();
    assert_eq!((counting.counts().writes, counting.counts().flushes), (0, 0));
    let lines = lines.lock().unwrap().clone();
    (fs, lines)
}

/// How many names are listed, and how many files can be read whole.
fn left(fs: &FileSystem) -> (usize, usize) {
    let mut names = Vec::new();
    let _ = fs.readdir(1, 0, false, &mut |entry| {
        names.push(entry.name.to_vec());
        true
    });
    names.retain(|name| name.starts_with(b"file"));
    let mut buf = vec![0; 5000];
    let mut is_whole = |name: &Vec<u8>| {
        fs.lookup(1, name).and_then(|attr| fs.read(attr.ino, 0, &mut buf)).is_ok_and(|count| count == 5000)
    };
    (names.len(), names.iter().filter(|name| is_whole(name)).count())
}

/// Without `rescue` one clear error for readers, which names it, and none but an error for writers.
fn demand_refused(device: &MemDevice, why: &str) {
    for read_only in [true, false] {
        let opened = try_open(Arc::new(device.snapshot()), OpenOptions { read_only, ..options(true) });
        let error = opened.err().unwrap_or_else(|| panic!("{why}: opens, read_only {read_only}"));
        assert_eq!(error.code, Code::Corrupt, "{error}");
        assert!(error.detail().contains(why) && error.detail().ends_with("left"), "{why}: {error}");
        assert!(error.detail().contains("-o ro,rescue"), "{error}");
        assert!(!error.detail().contains('\n'));
    }
}

fn missing(lines: &[String], what: &str) -> bool {
    lines.iter().any(|line| line.starts_with("missing: ") && line.contains(what))
}

#[test]
fn a_page_of_the_initialised_map_that_the_log_changes_is_not_taken_for_empty() {
    let Crashed { device, .. } = crashed();
    damage_page(&device, &geometry_of(&device), Region::Init, 0);
    demand_refused(&device, "initialised map page 0");
    let (fs, lines) = rescued(device);
    assert_eq!(left(&fs), (2 * FILES, FILES));
    assert!(missing(&lines, "initialised map page 0"), "{lines:?}");
}

#[test]
fn cortex_pages_that_the_log_changes_hide_only_their_files() {
    let Crashed { device, pages, .. } = crashed();
    assert!(pages.len() > 4, "the case did not happen");
    let geometry = geometry_of(&device);
    for page in pages.iter().step_by(2) {
        damage_page(&device, &geometry, Region::Cortex, *page);
    }
    demand_refused(&device, "Cortex page");
    let (fs, lines) = rescued(device);
    let (names, whole) = left(&fs);
    assert_eq!(names, 2 * FILES);
    assert!((1..FILES).contains(&whole), "{whole} files are whole");
    assert!(missing(&lines, &format!("Cortex page {}", pages[0])), "{lines:?}");
    let lost = (0..FILES).find_map(|i| fs.lookup(1, &name(i)).err()).unwrap();
    assert_eq!(lost.code, Code::Corrupt);
}

#[test]
fn a_shortened_image_shows_what_it_has() {
    let Crashed { device, files, .. } = crashed();
    let geometry = geometry_of(&device);
    let mut counts = Vec::new();
    let inside = (0..20).rev().map(|i| geometry.window_start + i * 20);
    for blocks in std::iter::once(4095).chain(inside) {
        let short = cut(&device, blocks);
        demand_refused(&short, &format!("the volume has 4096 blocks, its device only {blocks}"));
        let (fs, lines) = rescued(short);
        assert!(missing(&lines, "its device only"), "{lines:?}");
        let read = |(number, hint): &(u64, u32)| {
            fs.volume.inode(*number, *hint).and_then(|file| fs.volume.read(&file, 0, &mut [0; 5000]))
        };
        let errors: Vec<i32> = files.iter().filter_map(|file| Some(read(file).err()?.errno())).collect();
        assert!(errors.iter().all(|errno| [libc::EIO, libc::EUCLEAN].contains(errno)), "{errors:?}");
        counts.push(FILES - errors.len());
    }
    assert!(counts.is_sorted_by(|a, b| a >= b), "{counts:?}");
    assert_eq!((counts[0], counts.last()), (FILES, Some(&0)));
    assert!(counts.iter().any(|count| (1..FILES).contains(count)), "the case did not happen: {counts:?}");
}

#[test]
fn without_checkpoint_blocks_what_is_in_place_is_left() {
    let Crashed { device, .. } = crashed();
    let geometry = geometry_of(&device);
    for block in [0, 1].into_iter().flat_map(|slot| geometry.checkpoint_blocks(slot)) {
        flip(&device, block, 99);
    }
    demand_refused(&device, "no valid checkpoint block");
    let (fs, lines) = rescued(device);
    assert_eq!(left(&fs), (FILES, FILES), "as of the last time that it was closed");
    assert!(missing(&lines, "no valid checkpoint block"), "{lines:?}");
}

#[test]
fn nobody_writes_to_what_is_left() {
    let Crashed { device, .. } = crashed();
    let error = try_open(Arc::new(device), OpenOptions { rescue: true, ..options(true) }).err().unwrap();
    assert_eq!(error.code, Code::InvalidArgument);
}
