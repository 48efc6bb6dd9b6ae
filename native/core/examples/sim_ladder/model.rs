//! A volume without bytes: the real allocator and placement, and the data block of every index.

use std::collections::{BTreeMap, BTreeSet};

use hn4_core::allocator::placement::{Burst, FileState, Growth, Place, Write, plan};
use hn4_core::allocator::{Allocator, FreeMapSource, Holder, Run, SearchStats};
use hn4_core::base::{BlockNumber, Code, DataNumber, Ino, Result};
use hn4_core::format::{Equations, Window, prime_at_most};

/// Writes between two commits; freed blocks are reusable after the next.
const COMMIT_WRITES: u64 = 1000;
/// Blocks that delayed allocation knows of one file: 16 MiB.
pub const BURST: u64 = 4096;

struct Empty;

impl FreeMapSource for Empty {
    fn load(&self, _page: u64) -> Result<Option<Box<[u64; 504]>>> {
        Ok(None)
    }
}

pub struct File {
    pub equations: Equations,
    pub kmax: u8,
    /// Data block of each index.
    pub blocks: Vec<u64>,
}

#[derive(Default, Clone, Copy)]
pub struct Counts {
    /// Blocks that users wrote.
    pub user: u64,
    /// Blocks copied out of the overwrite area.
    pub copied: u64,
    /// Writes refused although the volume promised room.
    pub refused: u64,
}

pub struct Volume {
    pub allocator: Allocator,
    pub window: Window,
    pub files: BTreeMap<Ino, File>,
    pub counts: Counts,
    pub live: u64,
    stride: u64,
    scale: u16,
    /// Whether growing files reserve.
    pub reserve: bool,
    /// (file, index) of the blocks in the overwrite area.
    in_area: BTreeSet<(Ino, u64)>,
    txn: u64,
    since_commit: u64,
    /// Blocks placed in the area since the last commit.
    area_placed: u64,
    next: Ino,
}

impl Volume {
    pub fn new(log2_blocks: u32, stride: impl FnOnce(u64) -> u64, scale: u16) -> Volume {
        let blocks = 1u64 << log2_blocks;
        let area = (blocks * 4 / 1000).max(256);
        let prime = prime_at_most(blocks - area).expect("a prime");
        let window = Window::new(BlockNumber(8192), prime, blocks - prime).expect("a window");
        Volume {
            allocator: Allocator::new(window, Box::new(Empty)),
            window,
            files: BTreeMap::new(),
            counts: Counts::default(),
            live: 0,
            stride: stride(window.phi(scale)),
            scale,
            reserve: true,
            in_area: BTreeSet::new(),
            txn: 1,
            since_commit: 0,
            area_placed: 0,
            next: 16,
        }
    }

    /// Blocks that users may fill: the window less the area (f_blocks).
    pub fn capacity(&self) -> u64 {
        self.window.blocks() - self.window.area_blocks()
    }
    pub fn stats(&self) -> SearchStats {
        self.allocator.stats()
    }

    /// The next file gets another number, so another place for its far shell.
    pub fn skip_number(&mut self, by: u64) {
        self.next += by;
    }

    pub fn create(&mut self) -> Ino {
        let number = self.next;
        self.next += 1;
        let hash = hn4_core::base::siphash24(&[7; 16], &number.to_le_bytes());
        let equations = Equations::empty(&self.window, hash);
        self.files.insert(number, File { equations, kmax: 0, blocks: Vec::new() });
        number
    }

    /// A new file of `len` blocks, written from start to end and closed.
    pub fn write_file(&mut self, len: u64) -> Ino {
        let number = self.create();
        self.fill_file(number, len);
        number
    }

    /// Appends up to `len` blocks in bursts that delayed allocation can know.
    pub fn fill_file(&mut self, number: Ino, len: u64) {
        let growth = if len > BURST { Growth::File } else { Growth::None };
        let mut done = self.files[&number].blocks.len() as u64;
        while done < len {
            let part = (len - done).min(BURST);
            self.place(number, &[Burst { first: done, len: part, write: Write::New }], growth);
            done += part;
        }
        self.close(number);
    }

    pub fn append(&mut self, number: Ino, len: u64) {
        let first = self.files[&number].blocks.len() as u64;
        let growth = if self.reserve { Growth::File } else { Growth::None };
        self.place(number, &[Burst { first, len, write: Write::New }], growth);
    }

    pub fn close(&mut self, number: Ino) {
        self.allocator.drop_growth_window(Holder { owner: number, copy: 0 }).expect("no I/O");
    }

    /// Indices to overwrite between two commits: the engine commits when a quarter of the area is placed.
    pub fn overwrites_at_once(&self) -> u64 {
        COMMIT_WRITES.min(self.window.area_blocks() / 4)
    }

    /// Overwrites ascending indices.
    pub fn overwrite(&mut self, number: Ino, indices: impl IntoIterator<Item = u64>) {
        let mut bursts: Vec<Burst> = Vec::new();
        for index in indices {
            match bursts.last_mut() {
                Some(last) if last.first + last.len == index => last.len += 1,
                _ => bursts.push(Burst { first: index, len: 1, write: Write::Overwrite }),
            }
        }
        self.place(number, &bursts, Growth::None);
    }

    pub fn delete(&mut self, number: Ino) {
        self.close(number);
        let Some(file) = self.files.remove(&number) else { return };
        self.live -= file.blocks.len() as u64;
        self.free(number, 0, &file.blocks);
    }

    /// Truncates to zero: the next write chooses a new origin.
    pub fn truncate(&mut self, number: Ino) {
        let file = self.files.get_mut(&number).expect("the file");
        let blocks = std::mem::take(&mut file.blocks);
        file.equations = Equations::empty(&self.window, file.equations.seed_hash);
        file.kmax = 0;
        self.live -= blocks.len() as u64;
        self.free(number, 0, &blocks);
    }

    pub fn commit(&mut self) {
        self.allocator.prove(self.txn).expect("no block freed twice");
        self.txn += 1;
        self.since_commit = 0;
        self.area_placed = 0;
        let used = self.allocator.area_used().expect("no I/O");
        if used * 4 >= self.window.area_blocks() * 3 {
            self.empty_area();
        }
    }

    /// Copies home what is in the overwrite area, in one transaction.
    fn empty_area(&mut self) {
        let mut bursts: BTreeMap<Ino, Vec<Burst>> = BTreeMap::new();
        for &(number, first) in &self.in_area {
            bursts.entry(number).or_default().push(Burst { first, len: 1, write: Write::Return });
        }
        for (number, bursts) in bursts {
            self.counts.copied += bursts.len() as u64;
            self.place(number, &bursts, Growth::None);
        }
        self.allocator.prove(self.txn).expect("no block freed twice");
        self.txn += 1;
    }

    fn place(&mut self, number: Ino, bursts: &[Burst], growth: Growth) {
        let blocks: u64 = bursts.iter().map(|burst| burst.len).sum();
        let mut tried = self.try_place(number, bursts, growth);
        if tried.is_err() {
            // What the last transactions freed comes back with their proof.
            self.commit();
            tried = self.try_place(number, bursts, growth);
        }
        let write = bursts.first().map(|burst| burst.write);
        let part = self.window.area_blocks() / 4;
        if tried.is_err() && write == Some(Write::Overwrite) && blocks > part {
            // A transaction ends when a quarter of the area is placed.
            for burst in bursts {
                for first in (burst.first..burst.first + burst.len).step_by(part as usize) {
                    let len = part.min(burst.first + burst.len - first);
                    self.place(number, &[Burst { first, len, ..*burst }], growth);
                    self.commit();
                }
            }
            return;
        }
        let returned = write == Some(Write::Return);
        if let Err(error) = tried {
            assert!(matches!(error.code, Code::NoSpace | Code::ExtensionFull), "{error}");
            self.counts.refused += blocks;
            // Keeps the workloads simple: the index exists nowhere.
            let file = self.files.get_mut(&number).expect("the file");
            if bursts.iter().all(|burst| burst.write == Write::New) {
                file.blocks.resize(file.blocks.len() + blocks as usize, u64::MAX);
                self.live += blocks;
            }
            return;
        }
        if !returned {
            self.counts.user += blocks;
            self.since_commit += blocks;
            if self.since_commit >= COMMIT_WRITES || self.area_placed * 4 >= self.window.area_blocks() {
                self.commit();
            }
        }
    }

    fn try_place(&mut self, number: Ino, bursts: &[Burst], growth: Growth) -> Result<()> {
        let file = self.files.get_mut(&number).expect("the file");
        let last = bursts.last().map_or(0, |burst| burst.first + burst.len);
        let state = FileState {
            holder: Holder { owner: number, copy: 0 },
            equations: &file.equations,
            owned: file.blocks.len() as u64,
            size_blocks: last.max(file.blocks.len() as u64),
            growth,
            stride: self.stride,
            scale: self.scale,
            segment_slots: u64::MAX,
        };
        let plan = plan(&mut self.allocator, &state, bursts)?;
        if plan.equation.is_some() {
            file.kmax = 0;
        }
        file.kmax |= u8::from(plan.uses_far());
        plan.apply(&mut file.equations, 0);
        self.area_placed += plan.area_blocks();
        for piece in &plan.pieces {
            for i in 0..piece.len {
                let (index, data) = (piece.first + i, piece.data.0 + i);
                if piece.place == Place::Area {
                    self.in_area.insert((number, index));
                } else {
                    self.in_area.remove(&(number, index));
                }
                match file.blocks.get_mut(index as usize) {
                    Some(old) => {
                        let run = Run::new(DataNumber(std::mem::replace(old, data)), 1);
                        self.allocator.prepare_free(run)?;
                        self.allocator.defer_free(self.txn, run);
                    }
                    None => {
                        file.blocks.push(data);
                        self.live += 1;
                    }
                }
            }
        }
        Ok(())
    }

    fn free(&mut self, number: Ino, first: u64, blocks: &[u64]) {
        let mut run = Run::new(DataNumber(0), 0);
        for (index, &data) in (first..).zip(blocks) {
            if data >= self.window.blocks() {
                self.in_area.remove(&(number, index));
            }
            if run.len > 0 && run.end() == data {
                run.len += 1;
                continue;
            }
            self.defer(run);
            run = Run::new(DataNumber(data), 1);
        }
        self.defer(run);
    }
    fn defer(&mut self, run: Run) {
        if run.len > 0 && run.start.0 != u64::MAX {
            self.allocator.prepare_free(run).expect("live blocks");
            self.allocator.defer_free(self.txn, run);
        }
    }
}
