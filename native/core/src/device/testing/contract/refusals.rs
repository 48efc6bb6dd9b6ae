//! What a device refuses.

use super::make::{Make, numbered, read};
use crate::base::{BLOCK_SIZE, BlockNumber, Code, Result};
use crate::device::Device;

pub(super) fn outside(make: Make) {
    const BLOCKS: u64 = 10;
    let (device, model) = numbered(make, BLOCKS);
    let device = &*device;
    let bytes = [0xee; 3 * BLOCK_SIZE];
    let demand = |result: Result<()>, what: &str, at: u64| {
        let code = result.err().map(|error| error.code);
        assert_eq!(code, Some(Code::InvalidArgument), "{what} at block {at}");
        assert!(read(device, 0, BLOCKS as usize) == model, "{what} at block {at} changed something");
    };
    for (at, length) in [
        (0, 1),
        (0, BLOCK_SIZE - 1),
        (3, BLOCK_SIZE + 512),
        (BLOCKS, BLOCK_SIZE),
        (BLOCKS - 1, 2 * BLOCK_SIZE),
        (BLOCKS + 1, 0),
        (u64::MAX, BLOCK_SIZE),
        (u64::MAX - 1, 3 * BLOCK_SIZE),
        (u64::MAX / BLOCK_SIZE as u64 + 1, BLOCK_SIZE),
    ] {
        let part = &bytes[..length];
        demand(device.write(BlockNumber(at), part), &format!("a write of {length} bytes"), at);
        demand(device.write_vectored(BlockNumber(at), &[part]), &format!("a buffer of {length} bytes"), at);
        let mut buf = vec![0; length];
        demand(device.read(BlockNumber(at), &mut buf), &format!("a read of {length} bytes"), at);
        if length % BLOCK_SIZE == 0 {
            let count = (length / BLOCK_SIZE) as u64;
            demand(device.discard(BlockNumber(at), count), &format!("a discard of {count} blocks"), at);
        }
    }
    let block = &bytes[..BLOCK_SIZE];
    demand(device.write_vectored(BlockNumber(0), &[&block[..100], &block[100..]]), "two parts of a block", 0);
    demand(device.write_vectored(BlockNumber(8), &[block, block, block]), "three buffers, room for two", 8);
    demand(device.discard(BlockNumber(1), u64::MAX), "a discard of everything", 1);
}

/// A device that is open for reading only: it says so, and refuses every change.
pub fn read_only_contract(device: &dyn Device) {
    assert!(device.read_only());
    let blocks = device.block_count();
    let before = read(device, 0, blocks as usize);
    let block = [0xee; BLOCK_SIZE];
    for at in [0, blocks - 1] {
        for (what, result) in [
            ("write", device.write(BlockNumber(at), &block)),
            ("write_vectored", device.write_vectored(BlockNumber(at), &[&block])),
            ("discard", device.discard(BlockNumber(at), 1)),
        ] {
            assert_eq!(result.err().map(|error| error.code), Some(Code::ReadOnly), "{what} at block {at}");
        }
    }
    device.flush().unwrap();
    assert!(read(device, 0, blocks as usize) == before);
}
