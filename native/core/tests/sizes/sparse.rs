//! A sparse file of 16 TiB costs what it holds: counted in operations on the device.

use super::{BLOCK, ROOT, close, file};
use hn4_core::device::testing::CountingDevice;
use hn4_core::testing::{FormatOptions, formatted, loud, open};
use hn4_core::vfs::{Caller, FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE, Seek, SetAttr, Vfs};
use std::sync::Arc;

const TIB: u64 = 1 << 40;
/// Device operations that any one step may take.
const FEW: u64 = 400;

#[test]
fn a_sparse_file_of_sixteen_tebibytes_costs_what_it_holds() {
    let device = formatted(&FormatOptions::new(16_384));
    let counting = Arc::new(CountingDevice::new(device.clone()));
    let fs = open(counting.clone(), loud());
    let ino = file(&fs, "sparse");
    let offsets: Vec<u64> = (0..16).map(|i| i * TIB + i * 12_345_678 * BLOCK % TIB).collect();
    let mut before = counting.counts();
    let mut cheap = |what: &str| {
        let spent = counting.counts().since(before);
        assert!(spent.reads + spent.writes < FEW, "{what}: {spent:?}");
        before = counting.counts();
    };
    for offset in &offsets {
        fs.write(ino, *offset, b"here", false).unwrap();
    }
    let set = SetAttr { size: Some(16 * TIB), ..SetAttr::default() };
    fs.setattr(ino, &set, &Caller::default()).unwrap();
    fs.syncfs().unwrap();
    cheap("writes");
    for (i, offset) in offsets.iter().enumerate() {
        let block = offset / BLOCK * BLOCK;
        let from = if i == 0 { 0 } else { offsets[i - 1] / BLOCK * BLOCK + BLOCK };
        assert_eq!(fs.seek(ino, from, Seek::Data).unwrap(), block);
        assert_eq!(fs.seek(ino, block, Seek::Hole).unwrap(), block + BLOCK);
        let mut bytes = [1; 6];
        assert_eq!(fs.read(ino, *offset, &mut bytes).unwrap(), 6);
        assert_eq!(&bytes, b"here\0\0");
    }
    cheap("seeks and reads");
    let held = fs.getattr(ino).unwrap().blocks * 512 / BLOCK;
    assert!(held <= 16 + 2 * 40, "{held} blocks");
    fs.fallocate(ino, FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE, TIB, 13 * TIB).unwrap();
    fs.syncfs().unwrap();
    cheap("a punch of 13 TiB");
    assert_eq!(fs.seek(ino, TIB, Seek::Data).unwrap(), offsets[14] / BLOCK * BLOCK);
    fs.unlink(ROOT, b"sparse").unwrap();
    fs.forget(ino, 1);
    fs.syncfs().unwrap();
    fs.syncfs().unwrap();
    cheap("deletion");
    let report = close(&fs, &device);
    assert_eq!((report.files, report.live_blocks), (3, 0));
}
