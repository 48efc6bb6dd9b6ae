//! A log on a device of RAM, written by the rules of the commit protocol, for the tests here.

use super::{
    Commit, Counters, PageImages, RecordBuilder, Recovered, Ring, apply_record, recover, replay, write_record,
};
use super::{LogPoint, checkpoint};
use crate::base::{BLOCK_SIZE, BlockBuf, BlockNumber, CopyPage, Result};
use crate::device::Device;
use crate::device::testing::MemDevice;
use crate::format::layout::Checkpoint;
use crate::format::{BlockPlace, DescriptorTable, Geometry, PageBytes, Stamp, Stored};
use crate::superblocks;
use crate::testing::{FormatOptions, Rng, codec_of, format_volume};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) struct TestLog {
    pub device: MemDevice,
    pub geometry: Geometry,
    pub checkpoint: Checkpoint,
    pub ring: Ring,
    pub next: LogPoint,
}

/// A formatted volume of 16 MiB with the smallest log.
pub(super) fn volume(dup: bool) -> (MemDevice, Geometry) {
    volume_with(dup, DescriptorTable::PLAIN)
}

pub(super) fn volume_with(dup: bool, table: DescriptorTable) -> (MemDevice, Geometry) {
    let device = MemDevice::new(4096);
    let options =
        FormatOptions { log_blocks: Some(256), dup, descriptor_size: table.size, ..FormatOptions::new(4096) };
    format_volume(&device, &options).unwrap();
    let geometry = superblocks::read_for(&device, &DescriptorTable::ALL).unwrap().geometry;
    (device, geometry)
}

impl TestLog {
    /// A fresh volume, opened for writing.
    pub(super) fn new(dup: bool) -> TestLog {
        let (device, geometry) = volume(dup);
        TestLog::open(device, geometry)
    }
    pub(super) fn with(dup: bool, table: DescriptorTable) -> TestLog {
        let (device, geometry) = volume_with(dup, table);
        TestLog::open(device, geometry)
    }

    /// Recovers the log and starts a new epoch behind it, as a writer does (the home writes apart).
    pub(super) fn open(device: MemDevice, geometry: Geometry) -> TestLog {
        let found = checkpoint::read(&device, &geometry).unwrap().checkpoint;
        let recovered = recover(&device, &geometry, &found).unwrap();
        let chosen = found.recovery_chosen(&recovered);
        checkpoint::write(&device, &geometry, &chosen).unwrap();
        let next = recovered.next;
        let checkpoint = chosen.with_tail(&next, recovered.last_txn());
        checkpoint::write(&device, &geometry, &checkpoint).unwrap();
        let ring = Ring::new(geometry.ring_blocks(), next.position, next.position);
        TestLog { device, geometry, checkpoint, ring, next }
    }

    /// Commits what `build` adds; gives the record's position and its size in blocks.
    pub(super) fn commit(&mut self, build: impl FnOnce(&mut RecordBuilder)) -> (u64, u64) {
        let mut record = RecordBuilder::new(self.geometry.descriptors);
        build(&mut record);
        let blocks = record.block_count() as u64;
        let position = self.ring.append(blocks).expect("the ring has room");
        assert_eq!(position, self.next.position);
        let counters = Counters { next_number: self.next.counters.next_number + 1, ..self.next.counters };
        let commit = Commit {
            epoch: self.checkpoint.epoch,
            txn: self.next.txn,
            previous_crc: self.next.previous_crc,
            time: self.next.txn as i64 * 1_000,
            counters,
        };
        let (bytes, crc) = record.finish(&commit, &self.geometry.map.salt);
        write_record(&self.device, &self.geometry, position, &bytes).unwrap();
        self.next =
            LogPoint { position: self.ring.head(), txn: self.next.txn + 1, previous_crc: crc, counters };
        (position, blocks)
    }

    /// Everything so far goes home; the tail moves behind it.
    pub(super) fn move_tail(&mut self) {
        self.move_tail_to(self.next);
    }
    pub(super) fn move_tail_to(&mut self, tail: LogPoint) {
        self.checkpoint = self.checkpoint.with_tail(&tail, self.next.txn - 1);
        self.ring.tail_moves(tail.position).unwrap();
        checkpoint::write(&self.device, &self.geometry, &self.checkpoint).unwrap();
        self.ring.tail_moved();
    }

    pub(super) fn recover(&self) -> Result<Recovered> {
        let found = checkpoint::read(&self.device, &self.geometry)?.checkpoint;
        recover(&self.device, &self.geometry, &found)
    }

    /// Recovers and replays into images.
    pub(super) fn images(&self) -> Result<Images<'_>> {
        let found = checkpoint::read(&self.device, &self.geometry)?.checkpoint;
        let recovered = recover(&self.device, &self.geometry, &found)?;
        let mut images = Images::new(&self.device, &self.geometry);
        replay(&self.device, &self.geometry, &found, &recovered, &mut |record| {
            apply_record(record, &self.geometry, &mut images)
        })?;
        Ok(images)
    }

    /// Fills `count` blocks from `data` on, whose first is `place`, with bytes that follow from `seed` as the
    /// volume's codec stores them; gives their stamps.
    pub(super) fn write_data(&self, data: u64, place: &BlockPlace, seed: u64, count: u64) -> Vec<Stamp> {
        let codec = codec_of(&self.geometry);
        let mut plain: Vec<_> = (0..count).map(|_| Arc::new(BlockBuf::zeroed())).collect();
        for (i, block) in plain.iter_mut().enumerate() {
            Rng::new(seed + i as u64).fill(&mut Arc::get_mut(block).expect("no other has it")[..]);
        }
        let (stored, stamps) = codec.store(place, &codec.draw(), &plain);
        let bytes = match stored {
            Stored::Plain => plain.iter().flat_map(|block| block.to_vec()).collect(),
            Stored::New(bytes) => bytes.to_vec(),
        };
        self.device.write(self.geometry.data_block(data), &bytes).unwrap();
        stamps
    }
    pub(super) fn ring_block(&self, position: u64) -> BlockNumber {
        self.geometry.ring_block(position % self.geometry.ring_blocks())
    }
}

/// Page images over copy A of a device, without a look at the initialised map or at trailers.
pub(super) struct Images<'a> {
    device: &'a MemDevice,
    geometry: &'a Geometry,
    pub pages: BTreeMap<u64, Box<PageBytes>>,
    pub wanted: std::ops::Range<u64>,
}

impl<'a> Images<'a> {
    pub(super) fn new(device: &'a MemDevice, geometry: &'a Geometry) -> Images<'a> {
        Images { device, geometry, pages: BTreeMap::new(), wanted: 0..u64::MAX }
    }
}

impl PageImages for Images<'_> {
    fn wants(&self, page: CopyPage) -> bool {
        self.wanted.contains(&page.0)
    }
    fn page(&mut self, page: CopyPage) -> Result<&mut PageBytes> {
        assert!(self.wanted.contains(&page.0));
        if !self.pages.contains_key(&page.0) {
            let mut image = Box::new([0; BLOCK_SIZE]);
            let block = self.geometry.page_block(0, page).expect("the page exists");
            self.device.read(block, &mut image[..])?;
            self.pages.insert(page.0, image);
        }
        Ok(self.pages.get_mut(&page.0).expect("inserted above"))
    }
    fn blank(&mut self, page: CopyPage) -> Result<()> {
        self.pages.insert(page.0, Box::new([0; BLOCK_SIZE]));
        Ok(())
    }
}
