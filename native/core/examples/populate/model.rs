//! A file as it must be: content, target, attributes with names.

use crate::manifest::add_block;
use hn4_core::base::BLOCK_SIZE;
use std::collections::BTreeMap;

const BLOCK: u64 = BLOCK_SIZE as u64;

/// What the model knows of one file.
#[derive(Clone, Default)]
pub struct Node {
    /// Type and permission bits, as in `st_mode`.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub rdev: u32,
    pub mtime: Option<i64>,
    pub size: u64,
    /// Content by block; absent ones are zeros.
    pub blocks: BTreeMap<u64, Vec<u8>>,
    pub target: Option<Vec<u8>>,
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Node {
    pub fn is(&self, kind: u32) -> bool {
        self.mode & libc::S_IFMT == kind
    }

    pub fn write(&mut self, offset: u64, data: &[u8]) {
        let mut done = 0;
        while done < data.len() {
            let at = offset + done as u64;
            let start = (at % BLOCK) as usize;
            let count = (BLOCK_SIZE - start).min(data.len() - done);
            let block = self.blocks.entry(at / BLOCK).or_insert_with(|| vec![0; BLOCK_SIZE]);
            block[start..start + count].copy_from_slice(&data[done..done + count]);
            done += count;
        }
        self.size = self.size.max(offset + data.len() as u64);
    }

    /// Zeros in [from, to); the size stays.
    pub fn zero(&mut self, from: u64, to: u64) {
        for (&index, block) in self.blocks.range_mut(from / BLOCK..to.div_ceil(BLOCK)) {
            let start = from.max(index * BLOCK) - index * BLOCK;
            let end = to.min((index + 1) * BLOCK) - index * BLOCK;
            block[start as usize..end as usize].fill(0);
        }
    }

    pub fn truncate(&mut self, size: u64) {
        if size < self.size {
            self.zero(size, self.size.max(size));
            self.blocks.retain(|&index, _| index * BLOCK < size);
        }
        self.size = size;
    }

    /// [`content_sum`] of the content.
    pub fn sum(&self) -> u32 {
        self.blocks.iter().fold(0, |sum, (&index, block)| add_block(sum, index, block))
    }
}
