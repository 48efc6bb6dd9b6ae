//! Counts what reaches a device: tests of "at most two reads" and of write amplification.

use crate::base::{BLOCK_SIZE, BlockNumber, Result};
use crate::device::{Device, Outside};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Calls and bytes so far. A vectored write is one write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub reads: u64,
    pub read_bytes: u64,
    pub writes: u64,
    pub written_bytes: u64,
    pub flushes: u64,
    pub discards: u64,
    pub discarded_bytes: u64,
}

impl Counts {
    /// What came on top of `earlier`.
    pub fn since(self, earlier: Counts) -> Counts {
        Counts {
            reads: self.reads - earlier.reads,
            read_bytes: self.read_bytes - earlier.read_bytes,
            writes: self.writes - earlier.writes,
            written_bytes: self.written_bytes - earlier.written_bytes,
            flushes: self.flushes - earlier.flushes,
            discards: self.discards - earlier.discards,
            discarded_bytes: self.discarded_bytes - earlier.discarded_bytes,
        }
    }
}

#[derive(Default)]
struct Counter {
    calls: AtomicU64,
    bytes: AtomicU64,
}

impl Counter {
    fn add(&self, bytes: u64) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
    fn get(&self) -> (u64, u64) {
        (self.calls.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }
}

/// Passes everything on and counts it, failed calls too.
pub struct CountingDevice {
    inner: Arc<dyn Device>,
    reads: Counter,
    writes: Counter,
    flushes: Counter,
    discards: Counter,
}

impl CountingDevice {
    pub fn new(inner: Arc<dyn Device>) -> CountingDevice {
        CountingDevice {
            inner,
            reads: Counter::default(),
            writes: Counter::default(),
            flushes: Counter::default(),
            discards: Counter::default(),
        }
    }

    pub fn counts(&self) -> Counts {
        let (reads, read_bytes) = self.reads.get();
        let (writes, written_bytes) = self.writes.get();
        let (flushes, _) = self.flushes.get();
        let (discards, discarded_bytes) = self.discards.get();
        Counts { reads, read_bytes, writes, written_bytes, flushes, discards, discarded_bytes }
    }
}

impl Device for CountingDevice {
    fn block_count(&self) -> u64 {
        self.inner.block_count()
    }
    fn read(&self, at: BlockNumber, buf: &mut [u8]) -> Result<()> {
        self.reads.add(buf.len() as u64);
        self.inner.read(at, buf)
    }
    fn write(&self, at: BlockNumber, buf: &[u8]) -> Result<()> {
        self.writes.add(buf.len() as u64);
        self.inner.write(at, buf)
    }
    fn write_vectored(&self, at: BlockNumber, bufs: &[&[u8]]) -> Result<()> {
        self.writes.add(bufs.iter().map(|buf| buf.len() as u64).sum());
        self.inner.write_vectored(at, bufs)
    }
    fn flush(&self) -> Result<()> {
        self.flushes.add(0);
        self.inner.flush()
    }
    fn discard(&self, at: BlockNumber, count: u64) -> Result<()> {
        self.discards.add(count.saturating_mul(BLOCK_SIZE as u64));
        self.inner.discard(at, count)
    }
    fn read_only(&self) -> bool {
        self.inner.read_only()
    }
    fn outside(&self, thorough: bool) -> Result<Outside> {
        self.inner.outside(thorough)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::testing::MemDevice;

    #[test]
    fn calls_and_bytes_are_counted() {
        let device = CountingDevice::new(Arc::new(MemDevice::new(8)));
        let block = [0u8; BLOCK_SIZE];
        device.write_vectored(BlockNumber(0), &[&block, &block]).unwrap();
        let before = device.counts();
        device.write(BlockNumber(2), &block).unwrap();
        device.read(BlockNumber(0), &mut [0; 2 * BLOCK_SIZE]).unwrap();
        device.flush().unwrap();
        device.discard(BlockNumber(0), 3).unwrap();
        let expected = Counts {
            reads: 1,
            read_bytes: 8192,
            writes: 1,
            written_bytes: 4096,
            flushes: 1,
            discards: 1,
            discarded_bytes: 3 * 4096,
        };
        assert_eq!(device.counts().since(before), expected);
        assert_eq!((before.writes, before.written_bytes), (1, 8192));
    }
}
