//! One aligned block of memory: the unit of the block cache, of pages and of log blocks.

use super::slab::{self, Cell};
use super::units::BLOCK_SIZE;
use std::ops::{Deref, DerefMut};

/// A 4096-byte buffer at an aligned address, from a process-wide pool. Dereferences to its bytes.
///
/// Shared as `Arc<BlockBuf>` while a write is under way; `Arc::make_mut` then gives the one who
/// changes it a copy of its own.
pub struct BlockBuf {
    cell: Cell,
}

// SAFETY: a BlockBuf owns its block alone; access follows `&self` / `&mut self`.
unsafe impl Send for BlockBuf {}
// SAFETY: as above; `&self` only reads.
unsafe impl Sync for BlockBuf {}

impl BlockBuf {
    pub fn zeroed() -> BlockBuf {
        let mut buf = BlockBuf::scratch();
        buf.fill(0);
        buf
    }
    /// A buffer with the content its last user left: for a read that fills it.
    pub fn scratch() -> BlockBuf {
        BlockBuf { cell: slab::acquire() }
    }
    /// A copy of one block.
    ///
    /// # Panics
    /// If `bytes` is not 4096 bytes long.
    pub fn copy_of(bytes: &[u8]) -> BlockBuf {
        let mut buf = BlockBuf::scratch();
        buf.copy_from_slice(bytes);
        buf
    }
}

impl Deref for BlockBuf {
    type Target = [u8; BLOCK_SIZE];
    fn deref(&self) -> &[u8; BLOCK_SIZE] {
        // SAFETY: the cell is a live, initialised block that this BlockBuf owns (slab.rs).
        unsafe { self.cell.memory.cast::<[u8; BLOCK_SIZE]>().as_ref() }
    }
}

impl DerefMut for BlockBuf {
    fn deref_mut(&mut self) -> &mut [u8; BLOCK_SIZE] {
        // SAFETY: as in `deref`; `&mut self` makes it unique.
        unsafe { self.cell.memory.cast::<[u8; BLOCK_SIZE]>().as_mut() }
    }
}

impl Clone for BlockBuf {
    fn clone(&self) -> BlockBuf {
        BlockBuf::copy_of(&self[..])
    }
}

impl Drop for BlockBuf {
    fn drop(&mut self) {
        slab::release(&self.cell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn blocks_are_aligned_and_do_not_share_bytes() {
        let mut all: Vec<BlockBuf> = (0..1000).map(|_| BlockBuf::zeroed()).collect();
        for (number, buf) in all.iter_mut().enumerate() {
            assert_eq!(buf.as_ptr() as usize % BLOCK_SIZE, 0);
            buf.fill(number as u8);
        }
        for (number, buf) in all.iter().enumerate() {
            assert!(buf.iter().all(|&b| b == number as u8));
        }
    }

    #[test]
    fn a_shared_block_is_copied_by_who_changes_it() {
        let mut mine = Arc::new(BlockBuf::copy_of(&[1; BLOCK_SIZE]));
        let in_flight = Arc::clone(&mine);
        Arc::make_mut(&mut mine)[0] = 2;
        assert_eq!((mine[0], in_flight[0]), (2, 1));
    }

    #[test]
    fn threads_take_and_drop_each_others_blocks() {
        let (sender, receiver) = std::sync::mpsc::channel::<BlockBuf>();
        let drain = std::thread::spawn(move || receiver.into_iter().map(|b| u64::from(b[4095])).sum::<u64>());
        std::thread::scope(|scope| {
            for thread in 1..=3u8 {
                let sender = sender.clone();
                scope.spawn(move || {
                    for _ in 0..700 {
                        sender.send(BlockBuf::copy_of(&[thread; BLOCK_SIZE])).unwrap();
                    }
                });
            }
        });
        drop(sender);
        assert_eq!(drain.join().unwrap(), 700 * (1 + 2 + 3));
    }
}
