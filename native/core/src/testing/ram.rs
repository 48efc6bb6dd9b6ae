//! A device of RAM for the tests of this crate's lower layers.

use crate::base::{BLOCK_SIZE, Block, Code, Error, Result};
use crate::device::Device;
use parking_lot::Mutex;

pub(crate) struct RamDevice {
    bytes: Mutex<Vec<u8>>,
}

impl RamDevice {
    pub(crate) fn new(blocks: u64) -> RamDevice {
        RamDevice { bytes: Mutex::new(vec![0; blocks as usize * BLOCK_SIZE]) }
    }
    /// Flips one bit of a block.
    pub(crate) fn flip(&self, block: Block, bit: usize) {
        self.bytes.lock()[block.byte() as usize + bit / 8] ^= 1 << (bit % 8);
    }
    fn range(&self, at: Block, len: usize) -> Result<std::ops::Range<usize>> {
        let end = at.0.checked_mul(4096).and_then(|byte| byte.checked_add(len as u64));
        match end {
            Some(end) if len.is_multiple_of(BLOCK_SIZE) && end <= self.bytes.lock().len() as u64 => {
                Ok(at.byte() as usize..end as usize)
            }
            _ => Err(Error::from(Code::InvalidArgument)),
        }
    }
}

impl Device for RamDevice {
    fn block_count(&self) -> u64 {
        (self.bytes.lock().len() / BLOCK_SIZE) as u64
    }
    fn read(&self, at: Block, buf: &mut [u8]) -> Result<()> {
        let range = self.range(at, buf.len())?;
        buf.copy_from_slice(&self.bytes.lock()[range]);
        Ok(())
    }
    fn write(&self, at: Block, buf: &[u8]) -> Result<()> {
        let range = self.range(at, buf.len())?;
        self.bytes.lock()[range].copy_from_slice(buf);
        Ok(())
    }
    fn write_vectored(&self, at: Block, bufs: &[&[u8]]) -> Result<()> {
        self.write(at, &bufs.concat())
    }
    fn flush(&self) -> Result<()> {
        Ok(())
    }
    fn discard(&self, _at: Block, _count: u64) -> Result<()> {
        Ok(())
    }
    fn read_only(&self) -> bool {
        false
    }
}
