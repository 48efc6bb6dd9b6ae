//! Devices for tests: memory, recording, faults, counters. They wrap each other; the engine sees
//! only [`super::Device`].

mod counting;
mod mem;
mod rng;

pub use counting::{CountingDevice, Counts};
pub use mem::{Discard, MemDevice};
pub use rng::Rng;
