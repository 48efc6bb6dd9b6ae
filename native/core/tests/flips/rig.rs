//! A filled volume, closed and as a crash leaves it, and a reader that compares every file with the model.

use crate::{fill, listing, manifest, world::World};
use hn4_core::base::{BlockNumber, CopyPage, Error, Result};
use hn4_core::device::testing::MemDevice;
use hn4_core::format::{Geometry, Region, layout as l, load_page};
use hn4_core::superblocks;
use hn4_core::testing::{self, FormatOptions, formatted, read_block, sequential, try_open};
use hn4_core::vfs::{FileSystem, Vfs};
use hn4_core::volume::OpenOptions;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

pub type Volume = Arc<MemDevice>;

const BLOCKS: u64 = 8192;

pub struct Rig {
    pub geometry: Geometry,
    pub closed: MemDevice,
    /// After the last commit, before the volume was closed.
    pub crashed: MemDevice,
    /// The last record of `crashed` is proven by a checkpoint block.
    pub is_proven: bool,
    /// Another volume of the same size and content, with another salt.
    pub foreign: MemDevice,
    /// Manifest entry by path.
    expected: BTreeMap<Vec<u8>, Value>,
}

pub fn open(device: &Volume, read_only: bool) -> Result<FileSystem> {
    Ok(try_open(device.clone(), OpenOptions { read_only, ..sequential() })?.0)
}

/// The device after closing, and before; the model.
fn filled(options: &FormatOptions, seed: u64) -> (MemDevice, MemDevice, World) {
    let device = formatted(options);
    // Not `sequential`, which writes everything home at each commit and leaves an empty log.
    let mut world = World::new(testing::open(device.clone(), OpenOptions::default()), seed);
    world.repeats = true;
    fill::fill(&mut world, true).expect("fills");
    world.fs.syncfs().expect("commits");
    let crashed = device.snapshot();
    world.fs.shutdown().expect("closes");
    (device.snapshot(), crashed, world)
}

impl Rig {
    pub fn new(dup: bool, seed: u64) -> Rig {
        let options = FormatOptions { dup, ..FormatOptions::new(BLOCKS) };
        let (closed, crashed, world) = filled(&options, seed);
        let (foreign, ..) = filled(&FormatOptions { seed: [0xf0; 16], ..options }, seed);
        let geometry = superblocks::read(&closed).expect("a superblock").geometry;
        let checkpoint = hn4_core::log::checkpoint::read(&crashed, &geometry).expect("a checkpoint");
        let mut rig = Rig { geometry, closed, crashed, is_proven: false, foreign, expected: BTreeMap::new() };
        let last = rig.records().last().map_or(0, |&block| txn_of(&rig.crashed, block));
        rig.is_proven = checkpoint.checkpoint.proven_txn >= last;
        let device = Arc::new(rig.closed.snapshot());
        let fs = open(&device, true).expect("opens");
        for path in world.paths.keys() {
            let value = look(&fs, path).unwrap_or_else(|e| panic!("{}: {e}", manifest::escape(path)));
            rig.expected.insert(path.clone(), value);
        }
        rig
    }

    /// Reads every file of the model. Panics at a wrong answer; gives back the refusals.
    pub fn read_all(&self, device: &Volume, read_only: bool) -> Vec<(String, Error)> {
        let fs = match open(device, read_only) {
            Ok(fs) => fs,
            Err(error) => return vec![("the volume".into(), error)],
        };
        let mut refusals = Vec::new();
        for (path, expected) in &self.expected {
            match look(&fs, path) {
                Ok(found) => assert_eq!(found, *expected),
                Err(error) => refusals.push((manifest::escape(path), error)),
            }
        }
        if let Err(error) = fs.shutdown() {
            refusals.push(("closing".into(), error));
        }
        refusals
    }

    /// Metadata pages of a copy that were ever written: (region, number, block).
    pub fn written_pages(&self, copy: usize) -> impl Iterator<Item = (Region, u64, BlockNumber)> + '_ {
        (0..self.geometry.copy_pages()).filter_map(move |page| {
            let (region, number) = self.geometry.map.locate(CopyPage(page))?;
            let block = self.geometry.page_block(copy, CopyPage(page))?;
            let mut bytes = read_block(&self.closed, block);
            load_page(&mut bytes, &self.geometry.map, region, number).ok()?;
            Some((region, number, block))
        })
    }

    /// First blocks of the records from the tail on, in order of their transactions.
    pub fn records(&self) -> Vec<BlockNumber> {
        let found = hn4_core::log::checkpoint::read(&self.crashed, &self.geometry).expect("one");
        let ring = self.geometry.log_start + 2..self.geometry.log_start + self.geometry.log_blocks;
        let is_record = |&block: &BlockNumber| {
            read_block(&self.crashed, block)[..4] == (l::RECORD_MAGIC as u32).to_le_bytes()
        };
        let mut records: Vec<BlockNumber> = ring.map(BlockNumber).filter(is_record).collect();
        records.retain(|&block| txn_of(&self.crashed, block) >= found.checkpoint.tail_txn);
        records.sort_by_key(|&block| txn_of(&self.crashed, block));
        records
    }

    /// Live data blocks, and whether each belongs to a directory or to presence nodes.
    pub fn data_blocks(&self) -> Vec<(BlockNumber, bool)> {
        let page = |region: Region, number: u64| {
            let block = self.geometry.page_block(0, self.geometry.map.page(region, number)?)?;
            let mut bytes = read_block(&self.closed, block);
            load_page(&mut bytes, &self.geometry.map, region, number).ok().map(|_| bytes)
        };
        let bits = page(Region::Free, 0).expect("a page of the free map");
        let live = |data: &u64| bits[*data as usize / 8] >> (data % 8) & 1 == 1;
        let of = |data: u64| {
            let table = self.geometry.descriptors;
            let found = table.decode(&page(Region::Descriptor, table.page_of(data))?, table.position(data));
            let block = BlockNumber(self.geometry.window_start + data);
            (!found.is_unwritten()).then_some((block, found.is_meta()))
        };
        (0..self.geometry.data_blocks()).filter(live).filter_map(of).collect()
    }
}

/// The manifest entry of a path as the engine reads it.
fn look(fs: &FileSystem, path: &[u8]) -> Result<Value> {
    let mut attr = fs.getattr(1)?;
    for name in path[1..].split(|&b| b == b'/') {
        attr = fs.lookup(attr.ino, name)?;
    }
    listing::read_entry(fs, path, &attr)
}

fn txn_of(device: &MemDevice, block: BlockNumber) -> u64 {
    u64::from_le_bytes(read_block(device, block)[16..24].try_into().expect("eight bytes"))
}
