//! Devices that break the contract in one way each: the suite finds every one.

use super::*;
use crate::base::{BLOCK_SIZE, BlockNumber};
use crate::base::{Code, Error, Result};
use crate::device::testing::MemDevice;
use crate::device::{BlockWrite, Device};
use std::panic::{AssertUnwindSafe, catch_unwind};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    /// None.
    Sound,
    OneBlockMore,
    SaysReadOnly,
    /// A long write loses its last block.
    ShortWrite,
    /// A read of an odd address gives other bytes.
    OddAddress,
    BuffersReversed,
    /// The last of many writes is lost.
    ManyWrites,
    /// Buffers behind the first thousand are lost.
    ManyBuffers,
    /// Every flush empties block 0.
    FlushLoses,
    /// A discard takes one block more.
    DiscardsMore,
    /// A discarded block takes no write.
    DiscardSticks,
    HalfBlocks,
    NoEmptyTransfers,
    /// Of a write beyond the end, the part inside is done.
    WritesThenRefuses,
    WrongCode,
}

struct Broken {
    inner: MemDevice,
    flaw: Flaw,
    discarded: parking_lot::Mutex<Vec<u64>>,
}

impl Broken {
    fn new(blocks: u64, flaw: Flaw) -> Broken {
        Broken { inner: MemDevice::new(blocks), flaw, discarded: Default::default() }
    }
    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }
}

impl Device for Broken {
    fn block_count(&self) -> u64 {
        self.inner.block_count() + u64::from(self.is(Flaw::OneBlockMore))
    }
    fn read(&self, at: BlockNumber, buf: &mut [u8]) -> Result<()> {
        if self.is(Flaw::NoEmptyTransfers) && buf.is_empty() {
            return Err(Error::new(Code::InvalidArgument, "no bytes"));
        }
        self.inner.read(at, buf).map_err(|error| match self.flaw {
            Flaw::WrongCode => Error::new(Code::Io, "outside"),
            _ => error,
        })?;
        if self.is(Flaw::OddAddress) && buf.as_ptr() as usize % 512 != 0 {
            buf.iter_mut().for_each(|byte| *byte ^= 1);
        }
        Ok(())
    }
    fn write(&self, at: BlockNumber, buf: &[u8]) -> Result<()> {
        match self.flaw {
            Flaw::ShortWrite if buf.len() > 100 * BLOCK_SIZE => {
                self.inner.write(at, &buf[..buf.len() - BLOCK_SIZE])
            }
            Flaw::HalfBlocks => self.inner.write(at, &buf[..buf.len() / BLOCK_SIZE * BLOCK_SIZE]),
            Flaw::DiscardSticks if self.discarded.lock().contains(&at.0) => Ok(()),
            Flaw::WritesThenRefuses if at.0 < self.inner.block_count() && !buf.is_empty() => {
                let room = (self.inner.block_count() - at.0) as usize * BLOCK_SIZE;
                self.inner.write(at, &buf[..buf.len().min(room) / BLOCK_SIZE * BLOCK_SIZE])?;
                self.inner.write(at, buf)
            }
            _ => self.inner.write(at, buf),
        }
    }
    fn write_vectored(&self, at: BlockNumber, bufs: &[&[u8]]) -> Result<()> {
        match self.flaw {
            Flaw::BuffersReversed => {
                self.inner.write_vectored(at, &bufs.iter().rev().copied().collect::<Vec<_>>())
            }
            Flaw::ManyBuffers => self.inner.write_vectored(at, &bufs[..bufs.len().min(1000)]),
            _ => self.inner.write_vectored(at, bufs),
        }
    }
    fn write_many(&self, writes: &[BlockWrite<'_>]) -> Result<()> {
        let most = if self.is(Flaw::ManyWrites) { 100 } else { usize::MAX };
        writes.iter().take(most).try_for_each(|write| self.write_vectored(write.at, write.bufs))
    }
    fn flush(&self) -> Result<()> {
        if self.is(Flaw::FlushLoses) { self.inner.write(BlockNumber(0), &[0; BLOCK_SIZE]) } else { Ok(()) }
    }
    fn discard(&self, at: BlockNumber, count: u64) -> Result<()> {
        self.discarded.lock().extend(at.0..at.0.saturating_add(count).min(self.inner.block_count()));
        let more = self.is(Flaw::DiscardsMore) && at.0 + count < self.inner.block_count();
        self.inner.discard(at, count + u64::from(more))
    }
    fn read_only(&self) -> bool {
        self.is(Flaw::SaysReadOnly)
    }
}

#[test]
fn every_flaw_is_found() {
    let keeps = |flaw| {
        let run = || device_contract(&|blocks| Box::new(Broken::new(blocks, flaw)));
        catch_unwind(AssertUnwindSafe(run)).is_ok()
    };
    assert!(keeps(Flaw::Sound));
    for flaw in [
        Flaw::OneBlockMore,
        Flaw::SaysReadOnly,
        Flaw::ShortWrite,
        Flaw::OddAddress,
        Flaw::BuffersReversed,
        Flaw::ManyBuffers,
        Flaw::ManyWrites,
        Flaw::FlushLoses,
        Flaw::DiscardsMore,
        Flaw::DiscardSticks,
        Flaw::HalfBlocks,
        Flaw::NoEmptyTransfers,
        Flaw::WritesThenRefuses,
        Flaw::WrongCode,
    ] {
        assert!(!keeps(flaw), "{flaw:?} was not found");
    }
}

#[test]
fn a_device_that_takes_writes_is_none_for_reading_only() {
    for flaw in [Flaw::Sound, Flaw::SaysReadOnly] {
        let run = || read_only_contract(&Broken::new(4, flaw));
        assert!(catch_unwind(AssertUnwindSafe(run)).is_err(), "{flaw:?}");
    }
}
