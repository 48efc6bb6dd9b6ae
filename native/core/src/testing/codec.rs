//! A codec that is no cipher: it shows that whatever a cipher would need reaches every block. Volumes made
//! for it have descriptors of 64 bytes; no command makes or opens one.
//!
//! Stored byte i is plain byte i XOR byte i mod 16 of the run's random part; the tag is a SipHash of the
//! place, the random part and the CRC of the plain bytes (the same in test/support/xor-codec.ts).

use crate::base::{AlignedBuf, BLOCK_SIZE, BlockBuf, crc32c, siphash24};
use crate::format::layout::DESCRIPTOR_UNWRITTEN;
use crate::format::{
    BlockCodec, BlockFault, BlockPlace, DescriptorTable, FaultKind, Geometry, PlainCodec, Random, Stamp,
    Stored,
};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

/// The codec of a volume that tests have made.
pub fn codec_of(geometry: &Geometry) -> Arc<dyn BlockCodec> {
    if geometry.descriptors == DescriptorTable::PLAIN {
        return Arc::new(PlainCodec);
    }
    Arc::new(XorCodec::new(geometry.hash_key))
}

/// The test codec of one volume.
pub struct XorCodec {
    hash_key: [u8; 16],
}

impl XorCodec {
    pub fn new(hash_key: [u8; 16]) -> XorCodec {
        XorCodec { hash_key }
    }

    fn tag(&self, place: &BlockPlace, random: &Random, plain_crc: u32) -> [u8; 16] {
        let BlockPlace { owner, hint, index, flags, stored } = *place;
        let message = [
            &owner.to_le_bytes()[..],
            &hint.to_le_bytes(),
            &index.to_le_bytes(),
            &(flags & !(DESCRIPTOR_UNWRITTEN as u16)).to_le_bytes(),
            &stored.to_le_bytes(),
            random,
            &plain_crc.to_le_bytes(),
        ]
        .concat();
        let half = |last: u8| siphash24(&self.hash_key, &[&message[..], &[last]].concat());
        let mut tag = [0; 16];
        tag[..8].copy_from_slice(&half(0).to_le_bytes());
        tag[8..].copy_from_slice(&half(1).to_le_bytes());
        tag
    }
}

fn xor(bytes: &mut [u8], random: &Random) {
    for chunk in bytes.chunks_mut(random.len()) {
        chunk.iter_mut().zip(random).for_each(|(byte, key)| *byte ^= key);
    }
}

impl BlockCodec for XorCodec {
    fn descriptors(&self) -> DescriptorTable {
        DescriptorTable::STAMPED
    }

    /// Of the process's own seed and a count: no volume sees one twice, whoever opens it after whom.
    fn draw(&self) -> Random {
        static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        static DRAWN: AtomicU64 = AtomicU64::new(0);
        let number = DRAWN.fetch_add(1, Ordering::Relaxed);
        let mut random = [0; 16];
        random[..8].copy_from_slice(&SEED.hash_one((number, 0)).to_le_bytes());
        random[8..].copy_from_slice(&SEED.hash_one((number, 1)).to_le_bytes());
        random
    }

    fn store(&self, place: &BlockPlace, random: &Random, plain: &[Arc<BlockBuf>]) -> (Stored, Vec<Stamp>) {
        let mut bytes = AlignedBuf::zeroed(plain.len());
        let blocks = bytes.chunks_exact_mut(BLOCK_SIZE).zip(plain).enumerate();
        let stamps = blocks.map(|(i, (stored, plain))| {
            stored.copy_from_slice(&plain[..]);
            xor(stored, random);
            let tag = self.tag(&place.plus(i as u64), random, crc32c(&plain[..]));
            Stamp { crc: crc32c(stored), random: *random, tag }
        });
        let stamps = stamps.collect();
        (Stored::New(bytes), stamps)
    }

    fn load(&self, place: &BlockPlace, stamps: &[Stamp], bytes: &mut [u8]) -> Result<(), BlockFault> {
        assert_eq!(bytes.len(), stamps.len() * BLOCK_SIZE);
        for (i, (block, stamp)) in bytes.chunks_exact_mut(BLOCK_SIZE).zip(stamps).enumerate() {
            xor(block, &stamp.random);
            if self.tag(&place.plus(i as u64), &stamp.random, crc32c(block)) == stamp.tag {
                continue;
            }
            xor(block, &stamp.random);
            let kind = if crc32c(block) == stamp.crc { FaultKind::Forged } else { FaultKind::Damaged };
            return Err(BlockFault { block: i, kind });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::layout::DESCRIPTOR_META;
    use std::collections::BTreeSet;

    const PLACE: BlockPlace =
        BlockPlace { owner: 4711, hint: 42, index: 1000, flags: DESCRIPTOR_META as u16 | 1, stored: 4096 };
    const KEY: [u8; 16] = [9; 16];

    fn blocks(count: u8) -> Vec<Arc<BlockBuf>> {
        let block = |n: u8| std::array::from_fn::<u8, BLOCK_SIZE, _>(|i| (i as u8).wrapping_mul(n | 1));
        (0..count).map(|n| Arc::new(BlockBuf::copy_of(&block(n)))).collect()
    }

    /// Three blocks as they are stored, and their stamps.
    fn stored(codec: &XorCodec) -> (Vec<u8>, Vec<Stamp>) {
        let (stored, stamps) = codec.store(&PLACE, &codec.draw(), &blocks(3));
        let Stored::New(bytes) = stored else { panic!("the plain bytes are stored") };
        (bytes.to_vec(), stamps)
    }

    #[test]
    fn a_run_comes_back_and_a_stored_block_is_not_the_plain_one() {
        let codec = XorCodec::new(KEY);
        let (mut bytes, stamps) = stored(&codec);
        for (i, plain) in blocks(3).iter().enumerate() {
            let block = &bytes[i * BLOCK_SIZE..(i + 1) * BLOCK_SIZE];
            assert!(block != &plain[..] && crc32c(block) == stamps[i].crc);
            assert_eq!(block[20], plain[20] ^ stamps[i].random[4]);
        }
        codec.load(&PLACE, &stamps, &mut bytes).unwrap();
        assert!(bytes == blocks(3).iter().flat_map(|block| block.to_vec()).collect::<Vec<u8>>());
        // A run may be read in parts.
        let (bytes, stamps) = stored(&codec);
        let mut last = bytes[2 * BLOCK_SIZE..].to_vec();
        codec.load(&PLACE.plus(2), &stamps[2..], &mut last).unwrap();
        assert!(last[..] == blocks(3)[2][..]);
    }

    #[test]
    fn the_place_the_key_and_the_content_are_all_bound() {
        let codec = XorCodec::new(KEY);
        let (bytes, stamps) = stored(&codec);
        let load = |codec: &XorCodec, place: BlockPlace, stamps: &[Stamp]| {
            codec.load(&place, stamps, &mut bytes.clone()).unwrap_err()
        };
        let forged = |block| BlockFault { block, kind: FaultKind::Forged };
        for other in [
            BlockPlace { owner: 4712, ..PLACE },
            BlockPlace { hint: 43, ..PLACE },
            BlockPlace { index: 1001, ..PLACE },
            BlockPlace { flags: DESCRIPTOR_META as u16, ..PLACE },
            BlockPlace { stored: 4095, ..PLACE },
        ] {
            assert_eq!(load(&codec, other, &stamps), forged(0), "{other:?}");
        }
        assert_eq!(load(&XorCodec::new([8; 16]), PLACE, &stamps), forged(0));
        let mut other = stamps.clone();
        other[1].tag[15] ^= 1;
        assert_eq!(load(&codec, PLACE, &other), forged(1));
        other[1] = Stamp { random: [0; 16], ..stamps[1] };
        assert_eq!(load(&codec, PLACE, &other), forged(1));
    }

    #[test]
    fn rotten_bytes_are_told_from_forged_ones_and_a_rotten_crc_is_no_matter() {
        let codec = XorCodec::new(KEY);
        let (mut bytes, mut stamps) = stored(&codec);
        bytes[2 * BLOCK_SIZE + 9] ^= 0x20;
        let damaged = BlockFault { block: 2, kind: FaultKind::Damaged };
        assert_eq!(codec.load(&PLACE, &stamps, &mut bytes.clone()), Err(damaged));
        // Who changes bytes and CRC, but has no key.
        stamps[2].crc = crc32c(&bytes[2 * BLOCK_SIZE..]);
        let forged = BlockFault { block: 2, kind: FaultKind::Forged };
        assert_eq!(codec.load(&PLACE, &stamps, &mut bytes.clone()), Err(forged));
        bytes[2 * BLOCK_SIZE + 9] ^= 0x20;
        codec.load(&PLACE, &stamps, &mut bytes).unwrap();
    }

    #[test]
    fn no_draw_comes_twice() {
        let drawn: BTreeSet<Random> = (0..10_000).map(|_| XorCodec::new(KEY).draw()).collect();
        assert_eq!(drawn.len(), 10_000);
    }

    /// test/vectors/xor-codec.json: a block under the test codec, by both languages.
    #[test]
    fn the_stored_block_and_its_stamp_are_those_of_the_vectors() {
        let text = include_str!("../../../../test/vectors/xor-codec.json");
        let root: serde_json::Value = serde_json::from_str(text).unwrap();
        let hex = |v: &serde_json::Value| -> [u8; 16] {
            let text = v.as_str().unwrap();
            std::array::from_fn(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
        };
        let number = |v: &serde_json::Value| v.as_u64().unwrap();
        for v in root["blocks"].as_array().unwrap() {
            let place = BlockPlace {
                owner: number(&v["owner"]),
                hint: number(&v["hint"]) as u32,
                index: number(&v["index"]),
                flags: number(&v["flags"]) as u16,
                stored: number(&v["stored"]) as u16,
            };
            let plain: [u8; BLOCK_SIZE] =
                std::array::from_fn(|i| (i as u64 * number(&v["step"]) + number(&v["first"])) as u8);
            let codec = XorCodec::new(hex(&root["hash_key"]));
            let (stored, stamps) =
                codec.store(&place, &hex(&v["random"]), &[Arc::new(BlockBuf::copy_of(&plain))]);
            let Stored::New(mut bytes) = stored else { panic!("the plain bytes are stored") };
            let expected =
                Stamp { crc: number(&v["crc"]) as u32, random: hex(&v["random"]), tag: hex(&v["tag"]) };
            assert_eq!(stamps, [expected], "{v}");
            assert_eq!(bytes[..16], hex(&v["stored_begins"]));
            codec.load(&place, &stamps, &mut bytes).unwrap();
            assert!(bytes[..] == plain[..]);
        }
    }
}
