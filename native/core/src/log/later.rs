//! Telling damage from the end of the log: does a valid later record stand anywhere in the ring?

use super::codec::record_crc;
use super::read::RingReader;
use super::view::peek;
use crate::base::crc32c_append;
use crate::device::Device;
use crate::format::Geometry;

/// A valid record that a log which ends before it cannot have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Later {
    pub position: u64,
    pub txn: u64,
}

struct Candidate {
    position: u64,
    blocks: u64,
    txn: u64,
    crc: u32,
    /// CRC of the first block with the CRC field taken as zero.
    first_crc: u32,
}

/// Looks at every block of the ring for a record of `epoch` or a later one, with a transaction after
/// `txn` and a valid CRC. One pass, however many blocks pretend to begin a long record: the CRC of any
/// stretch of blocks follows from the CRCs of two prefixes.
pub(super) fn find_later(device: &dyn Device, geometry: &Geometry, epoch: u64, txn: u64) -> Option<Later> {
    let ring = geometry.ring_blocks();
    let mut reader = RingReader::new(device, geometry);
    let mut candidates = Vec::new();
    // prefix[i] = CRC of ring blocks 0 to i - 1.
    let mut prefix = Vec::with_capacity(ring as usize + 1);
    prefix.push(0);
    for position in 0..ring {
        let block = reader.block(position);
        prefix.push(crc32c_append(prefix[position as usize], block));
        if let Some(header) = peek(block, geometry)
            && header.epoch >= epoch
            && header.txn > txn
        {
            let blocks = u64::from(header.blocks);
            let first_crc = record_crc(block);
            candidates.push(Candidate { position, blocks, txn: header.txn, crc: header.crc, first_crc });
        }
    }
    let valid = |c: &&Candidate| {
        let rest = crc_of(&prefix, (c.position + 1) % ring, c.blocks - 1);
        crc32c::crc32c_combine(c.first_crc, rest, bytes(c.blocks - 1)) == c.crc
    };
    let found = candidates.iter().find(valid)?;
    Some(Later { position: found.position, txn: found.txn })
}

fn bytes(blocks: u64) -> usize {
    blocks as usize * crate::base::BLOCK_SIZE
}

/// CRC of `count` ring blocks from `first` on, around the end of the ring if need be.
fn crc_of(prefix: &[u32], first: u64, count: u64) -> u32 {
    let ring = prefix.len() as u64 - 1;
    let stretch = |from: u64, to: u64| {
        // crc(A B) = shift(crc(A), length of B) ^ crc(B)
        let shifted = crc32c::crc32c_combine(prefix[from as usize], 0, bytes(to - from));
        prefix[to as usize] ^ shifted
    };
    let before_end = count.min(ring - first);
    let head = stretch(first, first + before_end);
    let wrapped = count - before_end;
    crc32c::crc32c_combine(head, stretch(0, wrapped), bytes(wrapped))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{BLOCK_SIZE, crc32c};

    #[test]
    fn a_stretch_of_blocks_has_the_crc_of_its_bytes() {
        let ring = 7;
        let data: Vec<u8> =
            (0..ring * BLOCK_SIZE as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let mut prefix = vec![0];
        for block in data.chunks(BLOCK_SIZE) {
            prefix.push(crc32c_append(*prefix.last().unwrap(), block));
        }
        let twice = [&data[..], &data[..]].concat();
        for first in 0..u64::from(ring) {
            for count in 0..=u64::from(ring) {
                let from = first as usize * BLOCK_SIZE;
                let expected = crc32c(&twice[from..from + count as usize * BLOCK_SIZE]);
                assert_eq!(crc_of(&prefix, first, count), expected, "{first} {count}");
            }
        }
    }
}
