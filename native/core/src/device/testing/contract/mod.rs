//! What every device must do, as a suite that any implementation runs.

mod content;
mod random;
mod refusals;
#[cfg(test)]
mod tests;

pub use refusals::read_only_contract;

use crate::base::{BLOCK_SIZE, BlockNumber};
use crate::device::Device;

/// Makes a new device of so many blocks that takes writes. What they hold does not matter.
pub type Make<'a> = &'a dyn Fn(u64) -> Box<dyn Device>;

type Rule = (&'static str, fn(Make));

/// The rules of [`Device`], each on a device of its own.
const RULES: [Rule; 9] = [
    ("block_count is the size, and the device takes writes", content::size_is_fixed),
    ("a read sees the writes that have returned, and only their blocks", content::reads_see_writes),
    ("buffers are written in order, however many", content::many_buffers),
    ("memory may lie at any address", content::any_address),
    ("a flush changes nothing that is read", content::flushes),
    ("a discard spares its neighbours, and its blocks can be written again", content::discards),
    ("threads do not disturb each other", content::threads),
    ("what is not whole blocks inside the device is refused and changes nothing", refusals::outside),
    ("any sequence agrees with an array", random::agrees_with_an_array),
];

/// Holds a device to the contract of [`Device`]. Panics where it does not keep it, after the rule was
/// printed. `make` is called once a rule, for 4 to 3000 blocks.
pub fn device_contract(make: Make) {
    for (rule, check) in RULES {
        println!("rule: {rule}");
        check(make);
    }
}

/// `count` blocks of the device from `at` on.
fn read(device: &dyn Device, at: u64, count: usize) -> Vec<u8> {
    let mut bytes = vec![0xa5; count * BLOCK_SIZE];
    device.read(BlockNumber(at), &mut bytes).expect("blocks inside the device");
    bytes
}

/// Makes a device and fills it with the numbers 1 to 251, block by block.
fn numbered(make: Make, blocks: u64) -> (Box<dyn Device>, Vec<u8>) {
    let device = make(blocks);
    let bytes: Vec<u8> =
        (0..blocks).flat_map(|block| std::iter::repeat_n((block % 251) as u8 + 1, BLOCK_SIZE)).collect();
    device.write(BlockNumber(0), &bytes).expect("the whole device");
    (device, bytes)
}
