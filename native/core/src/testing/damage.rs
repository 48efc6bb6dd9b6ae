//! Damage to single blocks of a device in memory.

use crate::base::{BLOCK_SIZE, BlockNumber};
use crate::device::Device;
use crate::device::testing::MemDevice;

/// The bytes of a block that the device must hold.
pub fn read_block(device: &MemDevice, block: BlockNumber) -> [u8; BLOCK_SIZE] {
    let mut bytes = [0; BLOCK_SIZE];
    device.read(block, &mut bytes).expect("a block of the device");
    bytes
}

/// Flips one bit of a block, counted from its start: the smallest damage there is.
pub fn flip(device: &MemDevice, block: BlockNumber, bit: u64) {
    let mut bytes = read_block(device, block);
    bytes[bit as usize / 8] ^= 1 << (bit % 8);
    device.write(block, &bytes).expect("a block of the device");
}

pub fn zero(device: &MemDevice, block: BlockNumber) {
    device.write(block, &[0; BLOCK_SIZE]).expect("a block of the device");
}

/// Puts the bytes of block `source` of `from` into block `target` of `to`.
pub fn copy_block(from: &MemDevice, source: BlockNumber, to: &MemDevice, target: BlockNumber) {
    to.write(target, &read_block(from, source)).expect("a block of the device");
}
