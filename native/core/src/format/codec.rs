//! Between the plain bytes of a block (what the file holds) and its stored bytes (what stands on the
//! device): one function for each direction, for blocks of data and of metadata alike.

use super::Geometry;
use super::descriptor::{BlockPlace, DescriptorTable, Random, Stamp};
use crate::base::{AlignedBuf, BLOCK_SIZE, BlockBuf, crc32c};
use std::sync::Arc;

/// The stored bytes of a run.
pub enum Stored {
    /// The plain bytes as they were given.
    Plain,
    /// Other bytes, as many.
    New(AlignedBuf),
}

/// Why a block's stored bytes are not what its stamp says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Torn or rotten.
    Damaged,
    /// Whole, but not written with the volume's key.
    Forged,
}

/// The first bad block of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockFault {
    /// Its number in the run.
    pub block: usize,
    pub kind: FaultKind,
}

/// Binds the content of blocks to their places and proves it by their stamps. Called by many threads, a
/// run of consecutive blocks and indices at a time.
pub trait BlockCodec: Send + Sync {
    /// Descriptors that hold this codec's stamps.
    fn descriptors(&self) -> DescriptorTable;

    /// A random part for a run that is about to be placed: never the same twice on one volume, unless the
    /// codec uses none.
    fn draw(&self) -> Random;

    /// The stored bytes of a run, and a stamp for each of its blocks. `random`: of a draw that served no
    /// other run, or, to write a bad block again, that of its own stamp.
    fn store(&self, place: &BlockPlace, random: &Random, plain: &[Arc<BlockBuf>]) -> (Stored, Vec<Stamp>);

    /// Checks the stored bytes of a run and turns them into the plain ones, in place. After an error they
    /// are neither.
    fn load(&self, place: &BlockPlace, stamps: &[Stamp], bytes: &mut [u8]) -> Result<(), BlockFault>;
}

/// Makes the codec of a volume.
pub type MakeCodec = fn(&Geometry) -> Arc<dyn BlockCodec>;

/// Blocks as they are, with a CRC: the codec of volumes with descriptors of 32 bytes.
pub struct PlainCodec;

impl BlockCodec for PlainCodec {
    fn descriptors(&self) -> DescriptorTable {
        DescriptorTable::PLAIN
    }
    fn draw(&self) -> Random {
        Random::default()
    }
    fn store(&self, _: &BlockPlace, _: &Random, plain: &[Arc<BlockBuf>]) -> (Stored, Vec<Stamp>) {
        let stamp = |block: &Arc<BlockBuf>| Stamp { crc: crc32c(&block[..]), ..Stamp::default() };
        (Stored::Plain, plain.iter().map(stamp).collect())
    }
    fn load(&self, _: &BlockPlace, stamps: &[Stamp], bytes: &mut [u8]) -> Result<(), BlockFault> {
        debug_assert_eq!(bytes.len(), stamps.len() * BLOCK_SIZE);
        let mut blocks = bytes.chunks_exact(BLOCK_SIZE).zip(stamps);
        match blocks.position(|(block, stamp)| crc32c(block) != stamp.crc) {
            None => Ok(()),
            Some(block) => Err(BlockFault { block, kind: FaultKind::Damaged }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: BlockPlace = BlockPlace { owner: 17, hint: 3, index: 5, flags: 0, stored: 4096 };

    #[test]
    fn plain_blocks_are_stored_as_they_are_with_their_crcs() {
        let blocks: Vec<_> = (1..4u8).map(|byte| Arc::new(BlockBuf::copy_of(&[byte; BLOCK_SIZE]))).collect();
        let random = PlainCodec.draw();
        let (stored, stamps) = PlainCodec.store(&PLACE, &random, &blocks);
        assert!(matches!(stored, Stored::Plain));
        for (block, stamp) in blocks.iter().zip(&stamps) {
            assert_eq!(*stamp, Stamp { crc: crc32c(&block[..]), ..Stamp::default() });
        }
        let mut bytes: Vec<u8> = blocks.iter().flat_map(|block| block.to_vec()).collect();
        let before = bytes.clone();
        PlainCodec.load(&PLACE, &stamps, &mut bytes).unwrap();
        assert_eq!(bytes, before);
        bytes[2 * BLOCK_SIZE + 77] ^= 4;
        let fault = BlockFault { block: 2, kind: FaultKind::Damaged };
        assert_eq!(PlainCodec.load(&PLACE, &stamps, &mut bytes), Err(fault));
    }
}
