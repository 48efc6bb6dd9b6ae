//! Memory that O_DIRECT accepts: whole blocks, aligned to 4096 bytes.

use super::units::BLOCK_SIZE;
use std::ops::{Deref, DerefMut};

/// One block of memory at an address that is a multiple of 4096.
#[repr(C, align(4096))]
#[derive(Clone, Copy)]
pub(super) struct AlignedBlock([u8; BLOCK_SIZE]);

impl AlignedBlock {
    pub(super) const ZERO: AlignedBlock = AlignedBlock([0; BLOCK_SIZE]);
}

// A slice of these is one gapless run of bytes.
const _: () = assert!(size_of::<AlignedBlock>() == BLOCK_SIZE && align_of::<AlignedBlock>() == BLOCK_SIZE);

/// A buffer of whole blocks, aligned to 4096 bytes. Dereferences to its bytes.
#[derive(Clone)]
pub struct AlignedBuf {
    blocks: Box<[AlignedBlock]>,
}

impl AlignedBuf {
    /// `blocks` blocks of zeros.
    pub fn zeroed(blocks: usize) -> AlignedBuf {
        AlignedBuf { blocks: vec![AlignedBlock::ZERO; blocks].into_boxed_slice() }
    }
    /// The bytes, followed by zeros up to a whole block.
    pub fn copy_of(bytes: &[u8]) -> AlignedBuf {
        let mut buf = AlignedBuf::zeroed(bytes.len().div_ceil(BLOCK_SIZE));
        buf[..bytes.len()].copy_from_slice(bytes);
        buf
    }
    pub fn block_count(&self) -> usize {
        self.blocks.len()
    }
}

impl Deref for AlignedBuf {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        let bytes = self.blocks.len() * BLOCK_SIZE;
        // SAFETY: an AlignedBlock is exactly BLOCK_SIZE initialised bytes without padding (asserted
        // above), a slice of them has no gaps, and u8 may be read at any address.
        unsafe { std::slice::from_raw_parts(self.blocks.as_ptr().cast::<u8>(), bytes) }
    }
}

impl DerefMut for AlignedBuf {
    fn deref_mut(&mut self) -> &mut [u8] {
        let bytes = self.blocks.len() * BLOCK_SIZE;
        // SAFETY: as in `deref`; any bytes are a valid AlignedBlock; `&mut self` makes it unique.
        unsafe { std::slice::from_raw_parts_mut(self.blocks.as_mut_ptr().cast::<u8>(), bytes) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_aligned_zeroed_and_writable_to_its_last_byte() {
        for blocks in [1, 2, 3, 16, 256, 300] {
            let mut buf = AlignedBuf::zeroed(blocks);
            assert_eq!(buf.as_ptr() as usize % BLOCK_SIZE, 0);
            assert_eq!(buf.len(), blocks * BLOCK_SIZE);
            assert!(buf.iter().all(|&b| b == 0));
            buf.fill(0xa5);
            assert!(buf.iter().all(|&b| b == 0xa5));
        }
        assert!(AlignedBuf::zeroed(0).is_empty());
    }

    #[test]
    fn a_copy_is_padded_with_zeros() {
        let buf = AlignedBuf::copy_of(&[7; BLOCK_SIZE + 1]);
        assert_eq!(buf.block_count(), 2);
        assert!(buf[..BLOCK_SIZE + 1].iter().all(|&b| b == 7));
        assert!(buf[BLOCK_SIZE + 1..].iter().all(|&b| b == 0));
        let mut clone = buf.clone();
        clone[0] = 1;
        assert_eq!(buf[0], 7);
    }
}
