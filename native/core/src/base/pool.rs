//! Reusable aligned buffers: the first touch of fresh memory costs more than the copy into it.

use super::aligned::AlignedBuf;
use super::units::BLOCK_SIZE;
use parking_lot::Mutex;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Largest pooled buffer, in blocks (1 MiB, the largest request of the FUSE protocol).
pub const POOLED_BLOCKS_MAX: usize = 256;
/// Sizes kept: 1, 2, 4, ... 256 blocks.
const CLASSES: usize = POOLED_BLOCKS_MAX.trailing_zeros() as usize + 1;

/// Keeps returned buffers for the next taker, up to a limit of bytes. Callable from many threads.
pub struct BufPool {
    classes: [Mutex<Vec<AlignedBuf>>; CLASSES],
    kept_blocks: AtomicUsize,
    kept_blocks_max: usize,
}

impl BufPool {
    /// A pool that holds at most `kept_bytes_max` bytes of unused buffers.
    pub fn new(kept_bytes_max: usize) -> Arc<BufPool> {
        Arc::new(BufPool {
            classes: std::array::from_fn(|_| Mutex::new(Vec::new())),
            kept_blocks: AtomicUsize::new(0),
            kept_blocks_max: kept_bytes_max / BLOCK_SIZE,
        })
    }

    /// A buffer of `blocks` blocks. Its content is what the last user left: fill it before use.
    /// Above [`POOLED_BLOCKS_MAX`] the buffer is allocated and freed each time.
    pub fn take(self: &Arc<Self>, blocks: usize) -> PooledBuf {
        let Some(class) = class_of(blocks) else {
            return PooledBuf { buf: AlignedBuf::zeroed(blocks), bytes: blocks * BLOCK_SIZE, pool: None };
        };
        let kept = self.classes[class].lock().pop();
        let buf = match kept {
            Some(buf) => {
                self.kept_blocks.fetch_sub(buf.block_count(), Ordering::Relaxed);
                buf
            }
            None => AlignedBuf::zeroed(1 << class),
        };
        PooledBuf { buf, bytes: blocks * BLOCK_SIZE, pool: Some(Arc::clone(self)) }
    }

    /// Bytes of unused buffers held at the moment.
    pub fn kept_bytes(&self) -> usize {
        self.kept_blocks.load(Ordering::Relaxed) * BLOCK_SIZE
    }

    fn give_back(&self, buf: AlignedBuf) {
        let blocks = buf.block_count();
        let room = self.kept_blocks.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |kept| {
            Some(kept + blocks).filter(|&sum| sum <= self.kept_blocks_max)
        });
        if let (Ok(_), Some(class)) = (room, class_of(blocks)) {
            self.classes[class].lock().push(buf);
        }
    }
}

/// The smallest class that holds `blocks`; none when that is too large to keep.
fn class_of(blocks: usize) -> Option<usize> {
    (blocks <= POOLED_BLOCKS_MAX).then(|| blocks.max(1).next_power_of_two().trailing_zeros() as usize)
}

/// A buffer that returns to its pool when dropped. Dereferences to its bytes.
pub struct PooledBuf {
    buf: AlignedBuf,
    bytes: usize,
    pool: Option<Arc<BufPool>>,
}

impl Deref for PooledBuf {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.buf[..self.bytes]
    }
}

impl DerefMut for PooledBuf {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.buf[..self.bytes]
    }
}

impl Drop for PooledBuf {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.take() {
            pool.give_back(std::mem::replace(&mut self.buf, AlignedBuf::zeroed(0)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_returned_buffer_is_used_again() {
        let pool = BufPool::new(1 << 20);
        let mut first = pool.take(3);
        assert_eq!(first.len(), 3 * BLOCK_SIZE);
        first[0] = 9;
        let address = first.as_ptr();
        drop(first);
        assert_eq!(pool.kept_bytes(), 4 * BLOCK_SIZE);
        let second = pool.take(4);
        assert_eq!((second.as_ptr(), second[0], pool.kept_bytes()), (address, 9, 0));
    }

    #[test]
    fn the_pool_keeps_no_more_than_its_limit() {
        let pool = BufPool::new(10 * BLOCK_SIZE);
        let taken: Vec<_> = (0..8).map(|_| pool.take(4)).collect();
        drop(taken);
        assert_eq!(pool.kept_bytes(), 8 * BLOCK_SIZE);
        drop(pool.take(POOLED_BLOCKS_MAX + 1));
        assert_eq!(pool.kept_bytes(), 8 * BLOCK_SIZE);
    }

    #[test]
    fn every_size_up_to_the_largest_is_served_and_aligned() {
        let pool = BufPool::new(64 << 20);
        for blocks in 0..=POOLED_BLOCKS_MAX + 3 {
            let mut buf = pool.take(blocks);
            assert_eq!((buf.len(), buf.as_ptr() as usize % BLOCK_SIZE), (blocks * BLOCK_SIZE, 0));
            buf.fill(1);
        }
    }

    #[test]
    fn threads_share_a_pool_within_its_limit() {
        let pool = BufPool::new(16 * BLOCK_SIZE);
        std::thread::scope(|scope| {
            for thread in 0..4u8 {
                let pool = &pool;
                scope.spawn(move || {
                    for round in 0..200 {
                        let mut buf = pool.take(1 + round % 5);
                        buf.fill(thread);
                        assert!(buf.iter().all(|&b| b == thread));
                    }
                });
            }
        });
        assert!(pool.kept_bytes() <= 16 * BLOCK_SIZE);
        let held: usize = pool.classes.iter().flat_map(|c| c.lock().clone()).map(|b| b.len()).sum();
        assert_eq!(held, pool.kept_bytes());
    }
}
