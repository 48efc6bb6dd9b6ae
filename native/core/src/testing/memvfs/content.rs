//! The bytes of a sparse file, kept in blocks of 4096.

use crate::base::BLOCK_SIZE;
use std::collections::BTreeMap;
use std::ops::Range;

const SIZE: u64 = BLOCK_SIZE as u64;

/// Blocks by index; an absent block reads as zeros. Bytes of a block at or beyond the file's
/// size are zero, so that growing shows zeros.
#[derive(Default)]
pub struct Content {
    blocks: BTreeMap<u64, Box<[u8; BLOCK_SIZE]>>,
}

/// Indices of the blocks that hold any byte of the range.
fn touched(offset: u64, length: u64) -> Range<u64> {
    if length == 0 { 0..0 } else { offset / SIZE..(offset + length - 1) / SIZE + 1 }
}

/// The pieces of a byte range by block: (block, range in it).
fn pieces(offset: u64, length: u64) -> impl Iterator<Item = (u64, Range<usize>)> {
    let end = offset + length;
    touched(offset, length).map(move |index| {
        let start = index * SIZE;
        (index, (offset.max(start) - start) as usize..(end.min(start + SIZE) - start) as usize)
    })
}

impl Content {
    pub fn block_count(&self) -> u64 {
        self.blocks.len() as u64
    }

    /// How many blocks a write to the range would add.
    pub fn missing(&self, offset: u64, length: u64) -> u64 {
        let range = touched(offset, length);
        range.end - range.start - self.blocks.range(range.clone()).count() as u64
    }

    pub fn read(&self, offset: u64, buf: &mut [u8]) {
        let mut rest = buf;
        for (index, part) in pieces(offset, rest.len() as u64) {
            let (out, tail) = rest.split_at_mut(part.len());
            match self.blocks.get(&index) {
                Some(block) => out.copy_from_slice(&block[part]),
                None => out.fill(0),
            }
            rest = tail;
        }
    }

    pub fn write(&mut self, offset: u64, data: &[u8]) {
        let mut rest = data;
        for (index, part) in pieces(offset, data.len() as u64) {
            let (from, tail) = rest.split_at(part.len());
            self.block(index)[part].copy_from_slice(from);
            rest = tail;
        }
    }

    /// Makes every block of the range exist.
    pub fn allocate(&mut self, offset: u64, length: u64) {
        for index in touched(offset, length) {
            self.block(index);
        }
    }

    /// Makes the range read as zeros; whole blocks of it become holes.
    pub fn punch(&mut self, offset: u64, length: u64) {
        let whole = offset.div_ceil(SIZE)..offset.saturating_add(length) / SIZE;
        if whole.start < whole.end {
            let mut tail = self.blocks.split_off(&whole.start);
            let mut after = tail.split_off(&whole.end);
            self.blocks.append(&mut after);
        }
        // What is left in the range are its first and last block, where they are cut.
        let cut = self.blocks.range_mut(touched(offset, length));
        for (&index, block) in cut {
            let start = index * SIZE;
            let from = offset.max(start) - start;
            let to = (offset + length).min(start + SIZE) - start;
            block[from as usize..to as usize].fill(0);
        }
    }

    /// Drops everything from byte `size` on.
    pub fn truncate(&mut self, size: u64) {
        self.blocks.split_off(&size.div_ceil(SIZE));
        if let Some(last) = self.blocks.get_mut(&(size / SIZE)) {
            last[(size % SIZE) as usize..].fill(0);
        }
    }

    /// The first byte at or after `offset` that lies in a block.
    pub fn next_data(&self, offset: u64) -> Option<u64> {
        let (&index, _) = self.blocks.range(offset / SIZE..).next()?;
        Some(offset.max(index * SIZE))
    }

    /// The first byte at or after `offset` that lies in no block.
    pub fn next_hole(&self, offset: u64) -> u64 {
        let mut index = offset / SIZE;
        for (&present, _) in self.blocks.range(index..) {
            if present != index {
                break;
            }
            index += 1;
        }
        offset.max(index * SIZE)
    }

    fn block(&mut self, index: u64) -> &mut [u8; BLOCK_SIZE] {
        self.blocks.entry(index).or_insert_with(|| Box::new([0; BLOCK_SIZE]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_and_what_was_cut_read_as_zeros() {
        let mut content = Content::default();
        content.write(4090, &[1; 12]);
        assert_eq!((content.block_count(), content.missing(0, 3 * SIZE)), (2, 1));
        assert_eq!((content.next_data(0), content.next_hole(0)), (Some(0), 2 * SIZE));
        content.punch(0, SIZE + 3);
        assert_eq!(content.next_data(0), Some(SIZE));
        let mut read = [9; 12];
        content.read(4090, &mut read);
        assert_eq!(read, [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1]);
        content.truncate(SIZE + 4);
        content.read(4090, &mut read);
        assert_eq!(read, [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]);
        content.truncate(SIZE);
        assert_eq!((content.block_count(), content.next_data(0)), (0, None));
    }
}
