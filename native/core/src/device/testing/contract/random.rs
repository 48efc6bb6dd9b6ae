//! Random operations against an array.

use super::make::Make;
use crate::base::{AlignedBuf, BLOCK_SIZE, BlockNumber};
use crate::device::Device;
use crate::testing::Rng;

/// Longest transfer, in blocks: more than a bounce buffer holds.
const LONGEST: u64 = 600;

pub(super) fn agrees_with_an_array(make: Make) {
    for seed in 0..3 {
        random_operations(&*make([700, 2000, 37][seed as usize]), seed, 150);
    }
}

/// What the device must hold; of a block that was never written, or discarded since, nothing is known.
struct Model {
    bytes: Vec<u8>,
    known: Vec<bool>,
}

impl Model {
    fn write(&mut self, at: u64, bytes: &[u8]) {
        let start = at as usize * BLOCK_SIZE;
        self.bytes[start..start + bytes.len()].copy_from_slice(bytes);
        self.known[at as usize..at as usize + bytes.len() / BLOCK_SIZE].fill(true);
    }

    /// The first block from `at` on that is known and not as in `found`.
    fn differs(&self, at: u64, found: &[u8]) -> Option<u64> {
        let blocks = found.chunks_exact(BLOCK_SIZE).zip(at..);
        blocks
            .filter(|&(_, block)| self.known[block as usize])
            .find(|&(bytes, block)| self.bytes[block as usize * BLOCK_SIZE..][..BLOCK_SIZE] != *bytes)
            .map(|(_, block)| block)
    }
}

/// Random writes, reads, flushes and discards on a device; what is read must be what was written last.
/// Buffers start at odd addresses too. The same sequence for the same seed, which a failure names.
fn random_operations(device: &dyn Device, seed: u64, rounds: usize) {
    let mut rng = Rng::new(seed);
    let blocks = device.block_count();
    let mut model =
        Model { bytes: vec![0; blocks as usize * BLOCK_SIZE], known: vec![false; blocks as usize] };
    let mut memory = AlignedBuf::zeroed(LONGEST as usize + 1);
    for round in 0..rounds {
        let at = rng.below(blocks);
        let count = if rng.chance(1, 4) { rng.below(LONGEST) } else { rng.below(20) }.min(blocks - at);
        let shift = [0, 0, 512, 8, 1][rng.below(5) as usize];
        let buf = &mut memory[shift..shift + count as usize * BLOCK_SIZE];
        match rng.below(11) {
            0..4 => {
                rng.fill(buf);
                device.write(BlockNumber(at), buf).unwrap();
                model.write(at, buf);
            }
            4..6 => {
                rng.fill(buf);
                let mut parts: Vec<&[u8]> = Vec::new();
                let mut rest = &*buf;
                while !rest.is_empty() {
                    let (part, tail) = rest.split_at(rest.len().min(rng.below(4) as usize * BLOCK_SIZE));
                    parts.push(part);
                    rest = tail;
                }
                device.write_vectored(BlockNumber(at), &parts).unwrap();
                model.write(at, buf);
            }
            6 => device.flush().unwrap(),
            7 => {
                device.discard(BlockNumber(at), count).unwrap();
                model.known[at as usize..(at + count) as usize].fill(false);
            }
            _ => {
                device.read(BlockNumber(at), buf).unwrap();
                let wrong = model.differs(at, buf);
                assert_eq!(wrong, None, "seed {seed}, round {round}: block of {at} and {count} on");
            }
        }
    }
    let mut all = vec![0; blocks as usize * BLOCK_SIZE];
    device.read(BlockNumber(0), &mut all).unwrap();
    assert_eq!(model.differs(0, &all), None, "seed {seed}, at the end");
}
