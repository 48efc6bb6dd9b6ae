//! The volumes that the runs use.

use hn4_core::device::testing::MemDevice;
use hn4_core::testing::{self, FormatOptions, Rng, codec_of, formatted, loud};
use hn4_core::vfs::FileSystem;
use hn4_core::volume::OpenOptions;
use std::sync::Arc;

/// What is formatted and how it is opened.
#[derive(Clone, Debug)]
pub struct Kind {
    pub blocks: u64,
    pub dup: bool,
    pub stride: u64,
    pub scale: u16,
    pub cached_pages: usize,
    pub cached_inodes: usize,
    pub cached_meta: usize,
    /// Largest write, bytes.
    pub write_max: u64,
    /// Write until the volume is full.
    pub full: bool,
    /// Blocks are stored as the test codec stores them.
    pub coded: bool,
}

impl Kind {
    pub fn of(seed: u64, dup: bool, stride: u64, scale: u16) -> Kind {
        let mut rng = Rng::new(seed ^ 0x5eed);
        Kind {
            blocks: [4096, 8192, 16_384][rng.below(3) as usize],
            dup,
            stride,
            scale,
            cached_pages: [1, 64, 16_384][rng.below(3) as usize],
            cached_inodes: [1, 8, 1000][rng.below(3) as usize],
            cached_meta: [0, 4, 1000][rng.below(3) as usize],
            write_max: [5000, 60_000, 600_000][rng.below(3) as usize],
            full: false,
            coded: false,
        }
    }

    /// A volume of 16 MiB that is too small for what is written.
    pub fn full(seed: u64) -> Kind {
        Kind { blocks: 4096, write_max: 3_000_000, full: true, ..Kind::of(seed, seed % 2 == 0, 1, 0) }
    }

    pub fn coded(self) -> Kind {
        Kind { coded: true, ..self }
    }

    pub fn format(&self) -> Arc<MemDevice> {
        let Kind { blocks, dup, stride, scale, .. } = *self;
        let descriptor_size = if self.coded { 64 } else { 32 };
        formatted(&FormatOptions { dup, stride, scale, descriptor_size, ..FormatOptions::new(blocks) })
    }

    pub fn open(&self, device: &Arc<MemDevice>, read_only: bool) -> FileSystem {
        let Kind { cached_pages, cached_inodes, cached_meta, .. } = *self;
        let options = OpenOptions {
            read_only,
            cached_pages,
            cached_inodes,
            cached_meta,
            codec: Some(codec_of),
            ..loud()
        };
        testing::open(device.clone(), options)
    }
}
