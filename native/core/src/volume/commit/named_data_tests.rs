//! A rename becomes durable with the data that the file had, also where there is no room for it in the
//! transaction: no blocks that may be written, or a record that is as long as it may be.

use super::long_steps_tests::{APART, used_before};
use crate::base::{BLOCK_SIZE, Code};
use crate::device::testing::{MemDevice, RecordingDevice};
use crate::testing::{FormatOptions, demand_sound, formatted, read_only_tree, try_open};
use crate::vfs::{Caller, FileSystem, SetAttr, Vfs};
use crate::volume::{OpenOptions, Reporter};
use parking_lot::Mutex;
use std::sync::Arc;

pub const REG: u32 = libc::S_IFREG | 0o644;
pub const ROOT: u64 = 1;
pub const BLOCK: u64 = BLOCK_SIZE as u64;

/// A volume with nobody but the caller in it, and the lines that it says.
pub struct Rig {
    pub memory: Arc<MemDevice>,
    device: Arc<RecordingDevice>,
    /// The device when recording began.
    base: MemDevice,
    pub fs: FileSystem,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Rig {
    pub fn open(memory: Arc<MemDevice>) -> Rig {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let heard = lines.clone();
        let reporter = Reporter::new(move |line| heard.lock().push(line.to_string()));
        let options = OpenOptions { sequential: true, reporter, ..OpenOptions::default() };
        let device = Arc::new(RecordingDevice::new(memory.clone()));
        let base = memory.snapshot();
        Rig { fs: try_open(device.clone(), options).unwrap().0, memory, device, base, lines }
    }

    pub fn make(&self, name: &str) -> u64 {
        self.fs.mknod(ROOT, name.as_bytes(), REG, 0, &Caller::default()).unwrap().ino
    }

    /// Nothing waits, neither for a commit nor for a proof.
    pub fn settle(&self) {
        self.fs.volume.request(true, true).unwrap();
    }

    /// The volume said nothing, and is sound.
    pub fn close(self) {
        self.fs.shutdown().unwrap();
        assert!(self.lines.lock().is_empty(), "{:?}", self.lines.lock());
        demand_sound(&*self.memory, "at the end");
    }

    /// From here on states of the device are looked at.
    fn record(&mut self) {
        self.settle();
        self.device.take_trace();
        self.base = self.memory.snapshot();
    }

    /// Another file is synced: `/tmp` is gone. Wherever the power goes, `/new` has `content`.
    fn demand_named(self, other: u64, content: &[u8]) {
        self.fs.fsync(other, false).unwrap();
        let trace = self.device.take_trace();
        let mut cursor = trace.cursor(&self.base);
        let mut named = false;
        for cut in trace.cuts() {
            cursor.advance_to(cut);
            for image in [cursor.everything(), cursor.durable()] {
                let tree = read_only_tree(image).unwrap();
                let found = tree.get("/new").map(|file| &file.content);
                assert!(
                    found.is_none_or(|found| **found == *content),
                    "cut {cut}: {:?}",
                    found.map(|f| f.len())
                );
                named = found.is_some() && !tree.contains_key("/tmp");
            }
        }
        assert!(named, "the fsync has answered");
        self.close();
    }
}

/// Bytes that differ from block to block.
fn content_of(blocks: u64) -> Vec<u8> {
    (0..blocks * BLOCK).map(|at| (at / BLOCK + at % 251) as u8).collect()
}

/// `/tmp`, `/other`, and free blocks that cannot be written before a proof: what was freed counts as free at once.
fn short_of_blocks() -> (Rig, u64, u64) {
    let mut rig = Rig::open(formatted(&FormatOptions::smallest_log(8192)));
    let (other, full, file) = (rig.make("other"), rig.make("full"), rig.make("tmp"));
    let mut size = 0;
    while rig.fs.write(full, size, &[7; 64 * BLOCK_SIZE], false).is_ok() {
        size += 64 * BLOCK;
    }
    rig.record();
    let cut = SetAttr { size: Some(size - 600 * BLOCK), ..SetAttr::default() };
    rig.fs.setattr(full, &cut, &Caller::default()).unwrap();
    let refused = rig.fs.volume.space.take_credits(300).map(drop).unwrap_err();
    assert_eq!(refused.code, Code::Busy, "the case did not happen: there is room");
    (rig, other, file)
}

#[test]
fn a_rename_waits_for_room_where_the_free_blocks_wait_for_their_proof() {
    let (rig, other, file) = short_of_blocks();
    let content = content_of(300);
    rig.fs.write(file, 0, &content, false).unwrap();
    rig.fs.rename(ROOT, b"tmp", ROOT, b"new", 0).unwrap();
    rig.demand_named(other, &content);
}

#[test]
fn a_write_to_a_renamed_file_waits_for_room_where_the_free_blocks_wait_for_their_proof() {
    let (rig, _, file) = short_of_blocks();
    let content = content_of(300);
    rig.fs.rename(ROOT, b"tmp", ROOT, b"new", 0).unwrap();
    rig.fs.write(file, 0, &content, false).unwrap();
    // What the file had when it was renamed was nothing.
    rig.fs.fsync(file, false).unwrap();
    let tree = read_only_tree(rig.memory.snapshot()).unwrap();
    assert!(*tree["/new"].content == content);
    rig.close();
}

/// Where metadata has one copy, each descriptor page that changes for the first time goes to the log whole.
#[test]
fn a_rename_waits_for_room_in_the_record() {
    const SPOTS: u64 = 70;
    for sparse in [true, false] {
        let memory = used_before(&FormatOptions { dup: false, ..FormatOptions::smallest_log(65_536) });
        let rig = Rig::open(memory.clone());
        let file = rig.make("tmp");
        rig.make("other");
        if !sparse {
            rig.fs.fallocate(file, 0, 0, SPOTS * APART * BLOCK).unwrap();
        }
        rig.close();
        let mut rig = Rig::open(memory);
        let [other, file] = [&b"other"[..], b"tmp"].map(|name| rig.fs.lookup(ROOT, name).unwrap().ino);
        rig.record();
        let mut content = vec![0; (SPOTS * APART * BLOCK) as usize];
        for i in 0..SPOTS {
            let at = i * APART * BLOCK;
            rig.fs.write(file, at, &[i as u8 + 1; BLOCK_SIZE], false).unwrap();
            content[at as usize..][..BLOCK_SIZE].fill(i as u8 + 1);
        }
        if sparse {
            content.truncate(((SPOTS - 1) * APART * BLOCK) as usize + BLOCK_SIZE);
        }
        rig.fs.rename(ROOT, b"tmp", ROOT, b"new", 0).unwrap();
        rig.demand_named(other, &content);
    }
}

/// What was promised is not there after all.
#[test]
fn a_renamed_file_whose_data_finds_no_room_stops_the_volume_before_its_name_is_durable() {
    let rig = Rig::open(formatted(&FormatOptions::smallest_log(8192)));
    let (other, file) = (rig.make("other"), rig.make("tmp"));
    rig.settle();
    rig.fs.write(file, 0, &[7; 20 * BLOCK_SIZE], false).unwrap();
    rig.fs.rename(ROOT, b"tmp", ROOT, b"new", 0).unwrap();
    let volume = &rig.fs.volume;
    {
        let (tx, inode) = (volume.gate.enter(), volume.by_ino(file).unwrap());
        let mut locked = inode.lock();
        assert!(locked.promised.credits >= 20, "the case did not happen: nothing is promised");
        volume.release_promise(&tx, &mut locked).unwrap();
    }
    while volume.space.take_credits_for_data(0, u64::MAX).is_ok() {}
    rig.fs.fsync(other, false).unwrap_err();
    assert!(rig.lines.lock()[0].contains("and it was renamed"), "{:?}", rig.lines.lock());
    let tree = read_only_tree(rig.memory.snapshot()).unwrap();
    assert!(tree.contains_key("/tmp") && !tree.contains_key("/new"), "{:?}", tree.keys());
    rig.fs.shutdown().unwrap_err();
    demand_sound(&*rig.memory, "after the error");
}
