//! The door between the bytes of blocks and what the device holds of them: the one place in which bytes
//! become stored bytes, and the one in which they come back, for data and META blocks alike.

use crate::base::{BLOCK_SIZE, BlockBuf, BlockNumber, Code, DataNumber, Error, Result};
use crate::device::{Device, Run as WriteRun, WriteBuf};
use crate::format::{BlockCodec, BlockFault, BlockPlace, FaultKind, Geometry, Random, Stamp, Stored};
use crate::log::{NamedBlock, Rewrite};
use std::sync::Arc;

/// The codec of a volume, and where its blocks are.
#[derive(Clone)]
pub struct Coder {
    codec: Arc<dyn BlockCodec>,
    window_start: BlockNumber,
}

impl Coder {
    pub fn new(codec: Arc<dyn BlockCodec>, geometry: &Geometry) -> Coder {
        Coder { codec, window_start: BlockNumber(geometry.window_start) }
    }

    fn block(&self, data: DataNumber) -> BlockNumber {
        self.window_start.plus(data.0)
    }

    /// The write that brings a run to the device from `first` on, and the stamps of its blocks. `place`: of
    /// its first block.
    pub fn store(
        &self,
        first: DataNumber,
        place: &BlockPlace,
        plain: Vec<Arc<BlockBuf>>,
    ) -> (WriteRun, Vec<Stamp>) {
        self.store_with(&self.codec.draw(), first, place, plain)
    }

    fn store_with(
        &self,
        random: &Random,
        first: DataNumber,
        place: &BlockPlace,
        plain: Vec<Arc<BlockBuf>>,
    ) -> (WriteRun, Vec<Stamp>) {
        let (stored, stamps) = self.codec.store(place, random, &plain);
        let bufs = match stored {
            Stored::Plain => plain.into_iter().map(WriteBuf::Block).collect(),
            Stored::New(bytes) => vec![WriteBuf::Owned(bytes)],
        };
        (WriteRun { at: self.block(first), bufs }, stamps)
    }

    /// Turns what the device holds of a run from `first` on into its bytes, in place. `place`: of its first
    /// block. Errors name the first bad block: DataDamaged: torn or rotten; Corrupt: not written with the
    /// volume's key. The bytes then mean nothing.
    pub fn load(
        &self,
        first: DataNumber,
        place: &BlockPlace,
        stamps: &[Stamp],
        bytes: &mut [u8],
    ) -> Result<()> {
        let loaded = self.codec.load(place, stamps, bytes);
        loaded.map_err(|fault| self.error(first, place, fault))
    }

    fn error(&self, first: DataNumber, place: &BlockPlace, fault: BlockFault) -> Error {
        let i = fault.block as u64;
        let BlockPlace { owner, index, .. } = place.plus(i);
        let block = self.block(first.plus(i)).0;
        let what = match (place.is_meta(), index * BLOCK_SIZE as u64) {
            (true, _) => format!("metadata block {index}, copy {}", place.copy()),
            (false, from) => format!("bytes {from} to {}", from + BLOCK_SIZE as u64 - 1),
        };
        let (code, how) = match fault.kind {
            FaultKind::Damaged => (Code::DataDamaged, "does not match its checksum"),
            FaultKind::Forged => (Code::Corrupt, "was not written with this volume's key"),
        };
        Error::new(code, format!("file {owner}, {what}: block {block} {how}"))
    }

    /// Writes the bad copy of a block again, from the good one: the very bytes that its stamp names. Not
    /// flushed. Corrupt: the good copy is not good any more, or holds something else.
    pub fn rewrite(&self, device: &dyn Device, rewrite: &Rewrite) -> Result<()> {
        let Rewrite { bad, good } = rewrite;
        let mut plain = BlockBuf::zeroed();
        device.read(self.block(DataNumber(good.data)), &mut plain[..])?;
        self.load(DataNumber(good.data), &good.place, &[good.stamp], &mut plain[..]).map_err(|error| {
            Error::new(Code::Corrupt, format!("good a moment ago and not now: {}", error.detail()))
        })?;
        let NamedBlock { data, place, stamp } = bad;
        let (run, stamps) = self.store_with(&stamp.random, DataNumber(*data), place, vec![Arc::new(plain)]);
        if stamps != [*stamp] {
            let text = format!("data blocks {} and {data} are copies of one and differ", good.data);
            return Err(Error::new(Code::Corrupt, text));
        }
        run.bufs.iter().try_for_each(|buf| device.write(run.at, buf.bytes()))
    }
}
