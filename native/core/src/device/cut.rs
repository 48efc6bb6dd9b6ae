//! A device whose end is missing, read as one of its full size.

use super::{Device, bounds};
use crate::base::{BLOCK_SIZE, BlockNumber, Code, Error, Result};
use std::sync::Arc;

/// A device of `block_count` blocks of which only the first are there. What lies behind them is `Io`; it takes
/// no writes.
pub struct CutDevice {
    device: Arc<dyn Device>,
    block_count: u64,
}

impl CutDevice {
    pub fn new(device: Arc<dyn Device>, block_count: u64) -> CutDevice {
        CutDevice { device, block_count }
    }
}

impl Device for CutDevice {
    fn block_count(&self) -> u64 {
        self.block_count
    }
    fn read(&self, at: BlockNumber, buf: &mut [u8]) -> Result<()> {
        bounds::check(self.block_count, at, buf.len())?;
        let there = self.device.block_count();
        if at.0 + (buf.len() / BLOCK_SIZE) as u64 > there {
            let text = format!("block {}: behind the end of the device, which has {there} blocks", at.0);
            return Err(Error::new(Code::Io, text));
        }
        self.device.read(at, buf)
    }
    fn write(&self, _: BlockNumber, _: &[u8]) -> Result<()> {
        Err(Code::ReadOnly.into())
    }
    fn write_vectored(&self, _: BlockNumber, _: &[&[u8]]) -> Result<()> {
        Err(Code::ReadOnly.into())
    }
    fn flush(&self) -> Result<()> {
        Ok(())
    }
    fn discard(&self, _: BlockNumber, _: u64) -> Result<()> {
        Err(Code::ReadOnly.into())
    }
    fn read_only(&self) -> bool {
        true
    }
}
