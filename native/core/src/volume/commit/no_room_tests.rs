//! Delayed data that finds no room, now and for ever: whoever waits for it gets an error. Where the limit is
//! missing, these tests do not end.

use crate::base::{BLOCK_SIZE, BlockBuf, Code};
use crate::device::testing::{Call, HookedDevice, MemDevice};
use crate::testing::{FormatOptions, demand_sound, formatted, try_open};
use crate::vfs::{Caller, FileSystem, Vfs};
use crate::volume::{OpenOptions, Purpose, Reporter, Volume};
use parking_lot::Mutex;
use std::sync::Arc;

const REG: u32 = libc::S_IFREG | 0o644;

/// Nobody gets a block any more: what damage of the free map or a full extension region comes to.
fn take_all_room(volume: &Volume) {
    while volume.space.take_credits_for_data(0, u64::MAX).is_ok() {}
    while volume.space.take_credits(1).is_ok() {}
}

fn opened(memory: &Arc<MemDevice>) -> (Arc<HookedDevice>, FileSystem, Arc<Mutex<Vec<String>>>) {
    let device = Arc::new(HookedDevice::new(memory.clone()));
    let lines = Arc::new(Mutex::new(Vec::new()));
    let heard = lines.clone();
    let reporter = Reporter::new(move |line| heard.lock().push(line.to_string()));
    let fs = try_open(device.clone(), OpenOptions { sequential: true, reporter, ..OpenOptions::default() })
        .unwrap()
        .0;
    (device, fs, lines)
}

/// As much as `count` blocks of a write.
fn delay(volume: &Volume, ino: u64, count: u64) {
    let tx = volume.gate.enter();
    let inode = volume.by_ino(ino).unwrap();
    let mut file = inode.lock();
    volume.space.reserve(count, Purpose::User).unwrap();
    for index in 0..count {
        volume.put_delayed(&mut file, index, Arc::new(BlockBuf::copy_of(&[7; BLOCK_SIZE])), true);
    }
    file.size = count * BLOCK_SIZE as u64;
    volume.mark(&tx, &mut file);
}

/// A write that is under way when the volume closes comes behind the commit that serves the others.
#[test]
fn a_volume_whose_last_data_finds_no_room_closes_with_an_error() {
    let memory = formatted(&FormatOptions::new(4096));
    let (device, fs, lines) = opened(&memory);
    let ino = fs.mknod(1, b"file", REG, 0, &Caller::default()).unwrap().ino;
    let volume = fs.volume.clone();
    device.at(Call::Flush, move || {
        delay(&volume, ino, 1);
        take_all_room(&volume);
    });
    let error = fs.shutdown().unwrap_err();
    assert!(device.has_run(), "the case did not happen");
    assert!(error.to_string().contains("finds no free block"), "{error}");
    assert_eq!(lines.lock().len(), 1, "{:?}", lines.lock());
    demand_sound(&*memory, "after the error");
}

/// Who writes more than memory is for waits until something was placed.
#[test]
fn a_writer_who_waits_for_data_that_finds_no_room_gets_an_error() {
    let memory = formatted(&FormatOptions::new(4096));
    let (_, fs, lines) = opened(&memory);
    let ino = fs.mknod(1, b"file", REG, 0, &Caller::default()).unwrap().ino;
    fs.syncfs().unwrap();
    delay(&fs.volume, ino, fs.volume.dirty_limit);
    take_all_room(&fs.volume);
    assert!(!fs.volume.gate.is_full(), "the case did not happen: a commit is asked for");
    let error = fs.write(ino, 0, &[8; BLOCK_SIZE], false).unwrap_err();
    assert_eq!(error.code, Code::ReadOnly, "{error}");
    assert!(lines.lock()[0].contains("finds no free block"), "{:?}", lines.lock());
    assert!(fs.shutdown().is_err());
    demand_sound(&*memory, "after the error");
}
