//! Block devices (docs/architecture.md): all image I/O goes through [`Device`], so that tests
//! can record it, cut the power at any write, or inject faults.

mod bounds;
mod cut;
mod file;
mod host;
mod many;
mod outside;
mod queue;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use cut::CutDevice;
pub use file::{FileDevice, ImageLock, OpenFile};
pub use host::{InUse, in_use};
pub use many::BlockWrite;
pub use outside::Outside;
pub use queue::{IoQueue, QUEUE_DEPTH, Run, Ticket, WriteBuf};

use crate::base::{BlockNumber, Result};

/// A device of 4 KiB blocks. Callable from many threads.
///
/// Contract, which `testing::device_contract` holds every device to: `buf` is a whole number of blocks,
/// none included, at any address, and lies inside the device, else `InvalidArgument` (never a panic) and
/// nothing is changed. A write is volatile until a `flush` that was called after it returned has returned.
/// Reads see completed writes. Errors of the host: `Io`, with the offset.
pub trait Device: Send + Sync {
    /// Blocks of the device; the same while it lives.
    fn block_count(&self) -> u64;
    fn read(&self, at: BlockNumber, buf: &mut [u8]) -> Result<()>;
    fn write(&self, at: BlockNumber, buf: &[u8]) -> Result<()>;
    /// Writes any number of buffers, in order, to consecutive blocks; each is whole blocks.
    fn write_vectored(&self, at: BlockNumber, bufs: &[&[u8]]) -> Result<()>;
    /// Makes several writes, none of which overlaps another, each as [`Device::write_vectored`] does it. Error: of one
    /// that failed; others may have been made.
    fn write_many(&self, writes: &[BlockWrite<'_>]) -> Result<()> {
        writes.iter().try_for_each(|write| self.write_vectored(write.at, write.bufs))
    }
    /// Writes that [`Device::write_many`] has under way at once, if it is asked for more than one.
    fn writes_at_once(&self) -> usize {
        1
    }
    /// Makes completed writes durable.
    fn flush(&self) -> Result<()>;
    /// Tells the device that the blocks hold nothing; their content is undefined after it.
    /// Never relied upon: a device that cannot does nothing.
    fn discard(&self, at: BlockNumber, count: u64) -> Result<()>;
    /// Whether the device refuses writes and discards, with `ReadOnly`.
    fn read_only(&self) -> bool;
    /// What happened to the device behind the back of its writer since the last call. Transfers nothing.
    /// `thorough`: what the host cannot tell counts as touched. Error: `Io`, it is cut or deleted.
    fn outside(&self, thorough: bool) -> Result<Outside> {
        let _ = thorough;
        Ok(Outside::default())
    }
}
