//! What a placement is worth to a reader.

use hn4_core::allocator::placement::Place;

use crate::model::{File, Volume};

/// Blocks of a MiB.
const MIB: usize = 256;
/// A sequential read reads through gaps of so many blocks.
const GAP: u64 = 32;
/// Descriptors of a page.
const DESCRIPTORS: u64 = 126;

/// Sums over files.
#[derive(Default, Clone, Copy)]
pub struct Shape {
    pub files: u64,
    pub blocks: u64,
    pub home: u64,
    pub in_segments: u64,
    pub far: u64,
    pub area: u64,
    pub segments: u64,
    /// Of files of a MiB and more:
    pub large_blocks: u64,
    pub runs: u64,
    pub mib: u64,
    pub reads: u64,
    /// Of these, reads of the overwrite area.
    pub area_reads: u64,
    pub read_blocks: u64,
    pub descriptor_pages: u64,
}

impl Shape {
    pub fn of<'a>(volume: &Volume, files: impl Iterator<Item = &'a File>) -> Shape {
        let mut shape = Shape::default();
        for file in files {
            shape.add(volume, file);
        }
        shape
    }

    /// Adds the sums of another.
    pub fn join(&mut self, other: &Shape) {
        let pairs = [
            (&mut self.files, other.files),
            (&mut self.blocks, other.blocks),
            (&mut self.home, other.home),
            (&mut self.in_segments, other.in_segments),
            (&mut self.far, other.far),
            (&mut self.area, other.area),
            (&mut self.segments, other.segments),
            (&mut self.large_blocks, other.large_blocks),
            (&mut self.runs, other.runs),
            (&mut self.mib, other.mib),
            (&mut self.reads, other.reads),
            (&mut self.area_reads, other.area_reads),
            (&mut self.read_blocks, other.read_blocks),
            (&mut self.descriptor_pages, other.descriptor_pages),
        ];
        pairs.into_iter().for_each(|(sum, part)| *sum += part);
    }

    fn add(&mut self, volume: &Volume, file: &File) {
        self.files += 1;
        self.blocks += file.blocks.len() as u64;
        self.segments += file.equations.segments.len() as u64;
        for (index, &data) in file.blocks.iter().enumerate() {
            match place_of(volume, file, index as u64, data) {
                Some(Place::Home) => self.home += 1,
                Some(Place::Segment) => self.in_segments += 1,
                Some(Place::Far) => self.far += 1,
                Some(Place::Area) => self.area += 1,
                None => assert_eq!(data, u64::MAX, "index {index} is not where its equation says"),
            }
        }
        if file.blocks.len() < MIB {
            return;
        }
        self.large_blocks += file.blocks.len() as u64;
        self.runs +=
            1 + file.blocks.windows(2).filter(|pair| pair[1] != pair[0].wrapping_add(1)).count() as u64;
        for part in file.blocks.chunks_exact(MIB) {
            let mut sorted = part.to_vec();
            sorted.sort_unstable();
            self.mib += 1;
            self.reads += 1;
            self.read_blocks += 1;
            self.descriptor_pages += 1;
            for pair in sorted.windows(2) {
                let gap = pair[1] - pair[0];
                self.reads += u64::from(gap > GAP + 1);
                self.area_reads += u64::from(gap > GAP + 1 && pair[1] >= volume.window.blocks());
                self.read_blocks += if gap > GAP + 1 { 1 } else { gap };
                self.descriptor_pages += u64::from(pair[1] / DESCRIPTORS != pair[0] / DESCRIPTORS);
            }
        }
    }

    pub fn percent(&self, blocks: u64) -> f64 {
        100.0 * blocks as f64 / self.blocks.max(1) as f64
    }
    /// Mean physical run in blocks.
    pub fn run(&self) -> f64 {
        self.large_blocks as f64 / self.runs.max(1) as f64
    }
    /// Device reads per MiB of a sequential read.
    pub fn reads_per_mib(&self) -> f64 {
        self.reads as f64 / self.mib.max(1) as f64
    }
    /// Blocks read for each block of the file.
    pub fn read_factor(&self) -> f64 {
        self.read_blocks as f64 / (self.mib.max(1) * MIB as u64) as f64
    }
    pub fn pages_per_mib(&self) -> f64 {
        self.descriptor_pages as f64 / self.mib.max(1) as f64
    }
    /// Bytes of SEGMENTS payload a file.
    pub fn extension_bytes(&self) -> f64 {
        16.0 * self.segments as f64 / self.files.max(1) as f64
    }
}

/// Share of a file's indices whose block at shell 1 is not busy, in per cent.
pub fn far_free(volume: &mut Volume, number: hn4_core::base::Ino) -> f64 {
    let file = &volume.files[&number];
    let window = volume.window;
    let far = (0..file.blocks.len() as u64).filter_map(|i| file.equations.run(&window, i, 0, 1, 1));
    let far: Vec<_> = far.map(|(data, _)| data).collect();
    let free = far.iter().filter(|&&data| !volume.allocator.is_busy(data).expect("no I/O")).count();
    100.0 * free as f64 / far.len().max(1) as f64
}

/// How a reader finds a block.
fn place_of(volume: &Volume, file: &File, index: u64, data: u64) -> Option<Place> {
    if volume.window.in_area(hn4_core::base::DataNumber(data)) {
        return Some(Place::Area);
    }
    let held = file.equations.held(index, 0)?;
    let shells = 0..=file.kmax;
    let hash = file.equations.seed_hash;
    let k = shells.into_iter().find(|&k| volume.window.address(held.equation, held.n, k, hash).0 == data)?;
    Some(match (k, held.segment) {
        (0, false) => Place::Home,
        (0, true) => Place::Segment,
        _ => Place::Far,
    })
}
