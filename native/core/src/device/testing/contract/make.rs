//! Devices to be tested, and their blocks.

use crate::base::{BLOCK_SIZE, BlockNumber};
use crate::device::Device;

/// Makes a new device of so many blocks that takes writes. What they hold does not matter.
pub type Make<'a> = &'a dyn Fn(u64) -> Box<dyn Device>;

/// `count` blocks of the device from `at` on.
pub(super) fn read(device: &dyn Device, at: u64, count: usize) -> Vec<u8> {
    let mut bytes = vec![0xa5; count * BLOCK_SIZE];
    device.read(BlockNumber(at), &mut bytes).expect("blocks inside the device");
    bytes
}

/// Makes a device and fills it with the numbers 1 to 251, block by block.
pub(super) fn numbered(make: Make, blocks: u64) -> (Box<dyn Device>, Vec<u8>) {
    let device = make(blocks);
    let bytes: Vec<u8> =
        (0..blocks).flat_map(|block| std::iter::repeat_n((block % 251) as u8 + 1, BLOCK_SIZE)).collect();
    device.write(BlockNumber(0), &bytes).expect("the whole device");
    (device, bytes)
}
