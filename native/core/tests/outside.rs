//! What others do to an image under a running volume is noticed at the next fsync, and costs no request before.

use hn4_core::base::BLOCK_SIZE;
use hn4_core::device::testing::CountingDevice;
use hn4_core::device::{FileDevice, OpenFile};
use hn4_core::testing::{FormatOptions, format_volume, open, sequential};
use hn4_core::vfs::{Caller, FileSystem, Vfs};
use hn4_core::volume::{OpenOptions, Reporter};
use parking_lot::Mutex;
use std::fs::{self, OpenOptions as Open};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const ROOT: u64 = 1;
const BLOCKS: u64 = 16_384;

fn formatted(dir: &Path, name: &str, seed: u8) -> PathBuf {
    let path = dir.join(name);
    fs::File::create(&path).unwrap().set_len(BLOCKS * BLOCK_SIZE as u64).unwrap();
    let device = FileDevice::open(&path, OpenFile::READ_WRITE).unwrap();
    format_volume(&device, &FormatOptions { seed: [seed; 16], ..FormatOptions::new(BLOCKS) }).unwrap();
    path
}

struct Mounted {
    fs: FileSystem,
    device: Arc<CountingDevice>,
    file: u64,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Mounted {
    fn new(path: &Path) -> Mounted {
        let device =
            Arc::new(CountingDevice::new(Arc::new(FileDevice::open(path, OpenFile::READ_WRITE).unwrap())));
        let lines = Arc::new(Mutex::new(Vec::new()));
        let said = lines.clone();
        let reporter = Reporter::new(move |line| said.lock().push(line.to_string()));
        let fs = open(device.clone(), OpenOptions { reporter, ..sequential() });
        let file = fs.mknod(ROOT, b"file", libc::S_IFREG | 0o644, 0, &Caller::default()).unwrap().ino;
        fs.fsync(file, false).unwrap();
        Mounted { fs, device, file, lines }
    }

    fn write_and_sync(&self) -> hn4_core::base::Result<()> {
        self.fs.write(self.file, 0, b"written", false)?;
        self.fs.fsync(self.file, false)
    }
}

#[test]
fn an_fsync_asks_the_device_for_nothing_more_while_nobody_opens_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = formatted(dir.path(), "disk.img", 1);
    let mounted = Mounted::new(&path);
    mounted.write_and_sync().unwrap();
    let before = mounted.device.counts();
    for _ in 0..20 {
        mounted.write_and_sync().unwrap();
    }
    let quiet = mounted.device.counts().since(before);
    assert_eq!((quiet.reads, quiet.flushes), (0, 20), "{quiet:?}");
    // Somebody reads the image: one look, then quiet again.
    drop(fs::File::open(&path).unwrap());
    let before = mounted.device.counts();
    mounted.write_and_sync().unwrap();
    let looked = mounted.device.counts().since(before);
    assert!((1..=8).contains(&looked.reads), "{looked:?}");
    let before = mounted.device.counts();
    mounted.write_and_sync().unwrap();
    assert_eq!(mounted.device.counts().since(before).reads, 0);
    mounted.fs.shutdown().unwrap();
    assert_eq!(*mounted.lines.lock(), [""; 0]);
}

/// What is done to the image at `path`; `other` is another volume, `copy` the image as it was before the mount.
type Deed = fn(path: &Path, other: &Path, copy: &Path);

fn copy_over(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap();
}

const DEEDS: [(&str, &str, Deed); 6] = [
    ("overwritten by another volume", "it is another volume", |path, other, _| copy_over(other, path)),
    ("overwritten by an older state", "checkpoint block", |path, _, copy| copy_over(copy, path)),
    ("overwritten by zeros", "not an hn4 volume", |path, _, _| {
        fs::write(path, vec![0; BLOCKS as usize * BLOCK_SIZE]).unwrap();
    }),
    ("overwritten at its start", "superblocks are gone", |path, _, _| {
        let file = Open::new().write(true).open(path).unwrap();
        file.write_all_at(&[0xa5; 2 * BLOCK_SIZE], 0).unwrap();
    }),
    ("cut", "was cut to", |path, _, _| Open::new().write(true).open(path).unwrap().set_len(1 << 20).unwrap()),
    ("replaced", "was deleted or replaced", |path, other, _| fs::rename(other, path).unwrap()),
];

#[test]
fn an_image_that_is_no_longer_the_volumes_stops_it_at_the_next_fsync_and_at_the_end() {
    for (name, words, deed) in DEEDS {
        for at_end in [false, true] {
            let dir = tempfile::tempdir().unwrap();
            let path = formatted(dir.path(), "disk.img", 1);
            let other = formatted(dir.path(), "other.img", 2);
            let copy = dir.path().join("copy.img");
            fs::copy(&path, &copy).unwrap();
            let mounted = Mounted::new(&path);
            deed(&path, &other, &copy);
            let foreign = fs::read(&path).unwrap();
            if !at_end {
                let error = mounted.write_and_sync().expect_err(name);
                assert_eq!(error.errno(), libc::EIO, "{name}");
            }
            let error = mounted.fs.shutdown().expect_err(name);
            assert!(error.detail().contains(words), "{name}: {error}");
            let lines = mounted.lines.lock();
            assert!(matches!(&lines[..], [line] if line.contains(words)), "{name}: {lines:?}");
            assert!(
                fs::read(&path).unwrap() == foreign,
                "{name}: not a byte was written into what is there now"
            );
        }
    }
}

#[test]
fn a_moved_image_goes_on_and_is_said_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = formatted(dir.path(), "disk.img", 1);
    let mounted = Mounted::new(&path);
    let moved = dir.path().join("moved.img");
    fs::rename(&path, &moved).unwrap();
    mounted.write_and_sync().unwrap();
    mounted.write_and_sync().unwrap();
    mounted.fs.shutdown().unwrap();
    assert!(matches!(&mounted.lines.lock()[..], [line] if line.contains("no longer at its path")));
    drop(mounted);
    let device = FileDevice::open(&moved, OpenFile::READ_ONLY).unwrap();
    open(Arc::new(device), OpenOptions { read_only: true, ..sequential() }).lookup(ROOT, b"file").unwrap();
}
