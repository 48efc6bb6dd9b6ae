//! The bytes of a file at one moment, cheap to keep for every moment.

use hn4_core::base::BLOCK_SIZE;
use std::collections::BTreeMap;
use std::sync::Arc;

pub const BLOCK: u64 = BLOCK_SIZE as u64;
static ZEROS: [u8; BLOCK_SIZE] = [0; BLOCK_SIZE];

/// Blocks are shared between versions; a missing one is zeros. Bytes behind the size are zeros.
#[derive(Clone, Default)]
pub struct Content {
    pub size: u64,
    blocks: BTreeMap<u64, Arc<[u8; BLOCK_SIZE]>>,
}

impl Content {
    pub fn block(&self, index: u64) -> &[u8; BLOCK_SIZE] {
        self.blocks.get(&index).map_or(&ZEROS, |block| block)
    }

    /// The same block object in both, so that the bytes need no look.
    pub fn shares_block(&self, other: &Content, index: u64) -> bool {
        match (self.blocks.get(&index), other.blocks.get(&index)) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        }
    }

    pub fn write(&mut self, offset: u64, data: &[u8]) {
        self.size = self.size.max(offset + data.len() as u64);
        self.put(offset, data);
    }

    pub fn truncate(&mut self, size: u64) {
        if size < self.size {
            let size_blocks = size.div_ceil(BLOCK);
            self.blocks.split_off(&size_blocks);
            if let Some(block) = self.blocks.get_mut(&(size / BLOCK)) {
                Arc::make_mut(block)[(size % BLOCK) as usize..].fill(0);
            }
        }
        self.size = size;
    }

    /// Zeros without a change of size.
    pub fn zero(&mut self, offset: u64, length: u64) {
        let end = (offset + length).min(self.size);
        if offset < end {
            self.put(offset, &vec![0; (end - offset) as usize]);
        }
    }

    fn put(&mut self, offset: u64, data: &[u8]) {
        let mut done = 0;
        while done < data.len() {
            let at = offset + done as u64;
            let inside = (at % BLOCK) as usize;
            let n = (data.len() - done).min(BLOCK_SIZE - inside);
            let block = self.blocks.entry(at / BLOCK).or_insert_with(|| Arc::new(ZEROS));
            Arc::make_mut(block)[inside..inside + n].copy_from_slice(&data[done..done + n]);
            done += n;
        }
    }
}
