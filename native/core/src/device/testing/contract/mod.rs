//! What every device must do, as a suite that any implementation runs.

mod content;
mod make;
mod random;
mod refusals;
#[cfg(test)]
mod tests;

pub use make::Make;
pub use refusals::read_only_contract;

#[cfg(doc)]
use crate::device::Device;

type Rule = (&'static str, fn(Make));

/// The rules of [`Device`], each on a device of its own.
const RULES: [Rule; 10] = [
    ("block_count is the size, and the device takes writes", content::size_is_fixed),
    ("a read sees the writes that have returned, and only their blocks", content::reads_see_writes),
    ("buffers are written in order, however many", content::many_buffers),
    ("many writes at once are all made, whatever their lengths and addresses", content::many_writes),
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
