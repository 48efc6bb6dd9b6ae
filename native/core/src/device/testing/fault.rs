//! A device that fails when told to.

use crate::base::{BLOCK_SIZE, BlockNumber, Result};
use crate::device::{Device, Outside, bounds, host};
use crate::testing::Rng;
use parking_lot::Mutex;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What kind of operation a rule is about. A vectored write is a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Read,
    Write,
    Flush,
    Discard,
}

/// Which operations of the kind it hits, counted from 0 since the rule was added.
#[derive(Clone, Debug)]
pub enum When {
    Nth(u64),
    From(u64),
    /// Those that touch one of these blocks.
    Blocks(Range<u64>),
}

/// What happens instead. The errors look as those of a real device (code `Io`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Eio,
    NoSpace,
    /// The first half of the blocks is written (of one block nothing), then an error.
    ShortWrite,
    /// A write or flush that answers "done" and did nothing.
    Lost,
    /// A read with one bit wrong; where, says the seed.
    FlipBit(u64),
    /// The device's own code has a defect.
    Panic,
}

struct Rule {
    op: Op,
    when: When,
    fault: Fault,
    seen: u64,
}

/// Passes everything on that no rule hits; the first rule that hits decides.
pub struct FaultDevice {
    inner: Arc<dyn Device>,
    rules: Mutex<Vec<Rule>>,
    met: AtomicU64,
}

impl FaultDevice {
    /// Without rules: nothing fails.
    pub fn new(inner: Arc<dyn Device>) -> FaultDevice {
        FaultDevice { inner, rules: Mutex::default(), met: AtomicU64::new(0) }
    }

    pub fn add(&self, op: Op, when: When, fault: Fault) {
        self.rules.lock().push(Rule { op, when, fault, seen: 0 });
    }

    /// Operations that a rule has hit so far.
    pub fn met(&self) -> u64 {
        self.met.load(Ordering::Relaxed)
    }

    /// Operations of a kind since its first rule was added.
    pub fn seen(&self, op: Op) -> u64 {
        self.rules.lock().iter().find(|rule| rule.op == op).map_or(0, |rule| rule.seen)
    }

    /// The device is well again.
    pub fn clear(&self) {
        self.rules.lock().clear();
    }

    fn fault(&self, op: Op, at: BlockNumber, blocks: u64) -> Option<Fault> {
        let mut hit = None;
        for rule in self.rules.lock().iter_mut().filter(|rule| rule.op == op) {
            let number = rule.seen;
            rule.seen += 1;
            let hits = match &rule.when {
                When::Nth(n) => number == *n,
                When::From(n) => number >= *n,
                When::Blocks(range) => range.start < at.0 + blocks && at.0 < range.end,
            };
            if hits && hit.is_none() {
                hit = Some(rule.fault);
            }
        }
        self.met.fetch_add(u64::from(hit.is_some()), Ordering::Relaxed);
        hit
    }

    fn refuse(&self, what: &str, at: BlockNumber, bytes: usize, fault: Fault) -> Result<()> {
        let errno = match fault {
            Fault::Lost => return Ok(()),
            Fault::NoSpace => libc::ENOSPC,
            Fault::Eio | Fault::ShortWrite | Fault::FlipBit(_) => libc::EIO,
            Fault::Panic => panic!("a {what} of block {} panics, as it was told to", at.0),
        };
        Err(host::error::transfer(what, at.byte(), bytes, &std::io::Error::from_raw_os_error(errno)))
    }
}

impl Device for FaultDevice {
    fn block_count(&self) -> u64 {
        self.inner.block_count()
    }

    fn read(&self, at: BlockNumber, buf: &mut [u8]) -> Result<()> {
        bounds::check(self.block_count(), at, buf.len())?;
        match self.fault(Op::Read, at, (buf.len() / BLOCK_SIZE) as u64) {
            None => self.inner.read(at, buf),
            Some(Fault::FlipBit(seed)) => {
                self.inner.read(at, buf)?;
                let bit = Rng::new(seed).below(buf.len() as u64 * 8);
                if let Some(byte) = buf.get_mut((bit / 8) as usize) {
                    *byte ^= 1 << (bit % 8);
                }
                Ok(())
            }
            Some(fault) => self.refuse("read", at, buf.len(), fault),
        }
    }

    fn write(&self, at: BlockNumber, buf: &[u8]) -> Result<()> {
        self.write_vectored(at, &[buf])
    }

    fn write_vectored(&self, at: BlockNumber, bufs: &[&[u8]]) -> Result<()> {
        let bytes = bounds::check_all(self.block_count(), at, bufs)?;
        let Some(fault) = self.fault(Op::Write, at, (bytes / BLOCK_SIZE) as u64) else {
            return self.inner.write_vectored(at, bufs);
        };
        if fault == Fault::ShortWrite {
            let half = bytes / BLOCK_SIZE / 2 * BLOCK_SIZE;
            self.inner.write(at, &bufs.concat()[..half])?;
        }
        self.refuse("write", at, bytes, fault)
    }

    fn flush(&self) -> Result<()> {
        match self.fault(Op::Flush, BlockNumber(0), 0) {
            None => self.inner.flush(),
            Some(fault) => self.refuse("flush", BlockNumber(0), 0, fault),
        }
    }

    fn discard(&self, at: BlockNumber, count: u64) -> Result<()> {
        bounds::check_blocks(self.block_count(), at, count)?;
        match self.fault(Op::Discard, at, count) {
            None => self.inner.discard(at, count),
            Some(fault) => self.refuse("discard", at, 0, fault),
        }
    }

    fn read_only(&self) -> bool {
        self.inner.read_only()
    }

    fn outside(&self, thorough: bool) -> Result<Outside> {
        self.inner.outside(thorough)
    }
}
