//! A device in RAM. Sparse, so that it can be 16 TiB; copy-on-write, so that a snapshot is cheap
//! and a test can keep hundreds.

use crate::base::{BLOCK_SIZE, BlockNumber, Result};
use crate::device::{Device, bounds};
use parking_lot::{RwLock, RwLockWriteGuard};
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// Blocks that are allocated, and copied after a snapshot, together (64 KiB).
const CHUNK_BLOCKS: u64 = 16;
const CHUNK_BYTES: usize = CHUNK_BLOCKS as usize * BLOCK_SIZE;
/// Chunks are spread over this many locks, so that threads meet seldom.
const SHARDS: usize = 16;

type Chunks = HashMap<u64, Arc<[u8; CHUNK_BYTES]>>;

/// What a discard leaves behind; the contract allows anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discard {
    Keep,
    Zero,
    /// Bytes that no volume holds: a reader that relies on discarded blocks is found out.
    Junk,
}

/// A device of RAM. Blocks never written read as zeros.
pub struct MemDevice {
    block_count: u64,
    discard: Discard,
    shards: [RwLock<Chunks>; SHARDS],
}

impl MemDevice {
    /// A device of `block_count` blocks that zeroes what is discarded.
    pub fn new(block_count: u64) -> MemDevice {
        MemDevice::with_discard(block_count, Discard::Zero)
    }

    pub fn with_discard(block_count: u64, discard: Discard) -> MemDevice {
        MemDevice { block_count, discard, shards: std::array::from_fn(|_| RwLock::default()) }
    }

    /// The same content; what is discarded from now on leaves that behind.
    pub fn discarding(self, discard: Discard) -> MemDevice {
        MemDevice { discard, ..self }
    }

    /// A device with the content of an image file (whole blocks of it).
    pub fn load(path: &Path) -> io::Result<MemDevice> {
        let file = File::open(path)?;
        let device = MemDevice::new(file.metadata()?.len() / BLOCK_SIZE as u64);
        let mut chunk = vec![0; CHUNK_BYTES];
        for at in (0..device.block_count).step_by(CHUNK_BLOCKS as usize) {
            let blocks = CHUNK_BLOCKS.min(device.block_count - at) as usize;
            let bytes = &mut chunk[..blocks * BLOCK_SIZE];
            file.read_exact_at(bytes, BlockNumber(at).byte())?;
            if bytes.iter().any(|&b| b != 0) {
                device.write(BlockNumber(at), bytes).map_err(io::Error::other)?;
            }
        }
        Ok(device)
    }

    /// Writes the content to a sparse image file, for tools that look at a failed test.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        let file = File::create(path)?;
        file.set_len(self.block_count * BLOCK_SIZE as u64)?;
        for shard in &self.shards {
            for (&number, chunk) in shard.read().iter() {
                let blocks = CHUNK_BLOCKS.min(self.block_count - number * CHUNK_BLOCKS) as usize;
                file.write_all_at(&chunk[..blocks * BLOCK_SIZE], BlockNumber(number * CHUNK_BLOCKS).byte())?;
            }
        }
        Ok(())
    }

    /// An independent device with the content of this moment.
    pub fn snapshot(&self) -> MemDevice {
        let held: Vec<_> = self.shards.iter().map(|shard| shard.read()).collect();
        let shards = std::array::from_fn(|i| RwLock::new(held[i].clone()));
        MemDevice { block_count: self.block_count, discard: self.discard, shards }
    }

    /// Bytes of RAM held.
    pub fn resident_bytes(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().len() * CHUNK_BYTES).sum()
    }

    /// Writes whole 512-byte sectors, counted from the device's start: what a torn write leaves.
    pub(super) fn write_sectors(&self, sector: u64, bytes: &[u8]) {
        self.write_bytes(sector * 512, bytes);
    }

    fn shard(&self, chunk: u64) -> &RwLock<Chunks> {
        &self.shards[(chunk % SHARDS as u64) as usize]
    }

    /// Locks the shards of the chunks from `first` to `last`, in ascending order, so that a write is
    /// seen whole by `snapshot` and by readers of each chunk.
    fn lock_for_write(&self, first: u64, last: u64) -> Vec<Option<RwLockWriteGuard<'_, Chunks>>> {
        let touched = |index: u64| {
            let distance = (index + SHARDS as u64 - first % SHARDS as u64) % SHARDS as u64;
            first + distance <= last
        };
        (0..SHARDS).map(|i| touched(i as u64).then(|| self.shards[i].write())).collect()
    }

    fn write_bytes(&self, offset: u64, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let last = (offset + bytes.len() as u64 - 1) / CHUNK_BYTES as u64;
        let mut shards = self.lock_for_write(offset / CHUNK_BYTES as u64, last);
        for (number, range, part) in pieces(offset, bytes.len()) {
            let shard = shards[(number % SHARDS as u64) as usize].as_mut().expect("locked above");
            let chunk = shard.entry(number).or_insert_with(|| Arc::new([0; CHUNK_BYTES]));
            Arc::make_mut(chunk)[range].copy_from_slice(&bytes[part]);
        }
    }
}

/// Splits a byte range at chunk boundaries: (chunk, range in the chunk, range in the buffer).
fn pieces(
    offset: u64,
    len: usize,
) -> impl Iterator<Item = (u64, std::ops::Range<usize>, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = offset + done as u64;
        let start = (at % CHUNK_BYTES as u64) as usize;
        let bytes = (CHUNK_BYTES - start).min(len - done);
        let piece = (at / CHUNK_BYTES as u64, start..start + bytes, done..done + bytes);
        done += bytes;
        (bytes > 0).then_some(piece)
    })
}

impl Device for MemDevice {
    fn block_count(&self) -> u64 {
        self.block_count
    }

    fn read(&self, at: BlockNumber, buf: &mut [u8]) -> Result<()> {
        bounds::check(self.block_count, at, buf.len())?;
        for (number, range, part) in pieces(at.byte(), buf.len()) {
            match self.shard(number).read().get(&number) {
                Some(chunk) => buf[part].copy_from_slice(&chunk[range]),
                None => buf[part].fill(0),
            }
        }
        Ok(())
    }

    fn write(&self, at: BlockNumber, buf: &[u8]) -> Result<()> {
        bounds::check(self.block_count, at, buf.len())?;
        self.write_bytes(at.byte(), buf);
        Ok(())
    }

    fn write_vectored(&self, at: BlockNumber, bufs: &[&[u8]]) -> Result<()> {
        bounds::check_all(self.block_count, at, bufs)?;
        let mut offset = at.byte();
        for buf in bufs {
            self.write_bytes(offset, buf);
            offset += buf.len() as u64;
        }
        Ok(())
    }

    fn flush(&self) -> Result<()> {
        Ok(())
    }

    fn discard(&self, at: BlockNumber, count: u64) -> Result<()> {
        bounds::check_blocks(self.block_count, at, count)?;
        let end = at.0 + count;
        for shard in &self.shards {
            if self.discard == Discard::Keep {
                break;
            }
            // Only what is held: a discard of 16 TiB must cost what was written.
            shard.write().retain(|&number, chunk| {
                let start = number * CHUNK_BLOCKS;
                let (from, to) = (at.0.max(start), end.min(start + CHUNK_BLOCKS));
                if from >= to {
                    return true;
                }
                if self.discard == Discard::Zero && to - from == CHUNK_BLOCKS {
                    return false;
                }
                let byte = if self.discard == Discard::Zero { 0 } else { 0xdd };
                let range = (from - start) as usize * BLOCK_SIZE..(to - start) as usize * BLOCK_SIZE;
                Arc::make_mut(chunk)[range].fill(byte);
                true
            });
        }
        Ok(())
    }

    fn read_only(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::testing::device_contract;

    #[test]
    fn sixteen_tebibytes_hold_what_was_written() {
        let device = MemDevice::new(1 << 32);
        let block = [7u8; BLOCK_SIZE];
        for at in [0, 15, 16, 1 << 20, (1 << 32) - 1] {
            device.write(BlockNumber(at), &block).unwrap();
        }
        let mut back = [0u8; BLOCK_SIZE];
        device.read(BlockNumber((1 << 32) - 1), &mut back).unwrap();
        assert_eq!(back, block);
        device.read(BlockNumber(1 << 31), &mut back).unwrap();
        assert_eq!(back, [0; BLOCK_SIZE]);
        assert!(device.resident_bytes() <= 5 * CHUNK_BYTES);
        device.discard(BlockNumber(0), 1 << 32).unwrap();
        assert_eq!(device.resident_bytes(), 0);
        assert!(device.write(BlockNumber(1 << 32), &block).is_err());
    }

    #[test]
    fn a_snapshot_does_not_see_later_writes() {
        let device = MemDevice::new(64);
        device.write(BlockNumber(3), &[1; BLOCK_SIZE]).unwrap();
        let before = device.snapshot();
        device.write(BlockNumber(3), &[2; 2 * BLOCK_SIZE]).unwrap();
        before.write(BlockNumber(5), &[3; BLOCK_SIZE]).unwrap();
        let mut of_before = vec![0; 64 * BLOCK_SIZE];
        let mut of_now = of_before.clone();
        before.read(BlockNumber(0), &mut of_before).unwrap();
        device.read(BlockNumber(0), &mut of_now).unwrap();
        let firsts = |bytes: &[u8]| [3, 4, 5].map(|block| bytes[block * BLOCK_SIZE]);
        assert_eq!((firsts(&of_before), firsts(&of_now)), ([1, 0, 3], [2, 2, 0]));
    }

    #[test]
    fn an_image_file_holds_the_same_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("image");
        let device = MemDevice::new(35);
        device.write(BlockNumber(17), &[9; BLOCK_SIZE]).unwrap();
        device.write(BlockNumber(34), &[8; BLOCK_SIZE]).unwrap();
        device.save(&path).unwrap();
        let back = MemDevice::load(&path).unwrap();
        let (mut a, mut b) = (vec![0; 35 * BLOCK_SIZE], vec![0; 35 * BLOCK_SIZE]);
        device.read(BlockNumber(0), &mut a).unwrap();
        back.read(BlockNumber(0), &mut b).unwrap();
        assert!(a == b && a.len() as u64 == std::fs::metadata(&path).unwrap().len());
    }

    #[test]
    fn memory_keeps_the_contract_whatever_a_discard_leaves() {
        for discard in [Discard::Keep, Discard::Zero, Discard::Junk] {
            device_contract(&|blocks| Box::new(MemDevice::with_discard(blocks, discard)));
        }
    }

    #[test]
    fn discarded_blocks_hold_what_was_asked_for() {
        for (discard, byte) in [(Discard::Keep, 1), (Discard::Zero, 0), (Discard::Junk, 0xdd)] {
            let device = MemDevice::with_discard(64, discard);
            device.write(BlockNumber(0), &[1; 64 * BLOCK_SIZE]).unwrap();
            device.discard(BlockNumber(1), 62).unwrap();
            let mut back = vec![9; 64 * BLOCK_SIZE];
            device.read(BlockNumber(0), &mut back).unwrap();
            let (ends, inside) = ([0, 63], [1, 15, 16, 31, 47, 48, 62]);
            assert!(ends.iter().all(|block| back[block * BLOCK_SIZE] == 1), "{discard:?}");
            assert!(inside.iter().all(|block| back[block * BLOCK_SIZE] == byte), "{discard:?}");
        }
    }
}
