//! Devices for tests: memory, recording, faults, counters. They wrap each other; the engine sees
//! only [`super::Device`].

mod contract;
mod counting;
mod crash;
mod event;
mod fault;
mod hooked;
mod mem;
mod recording;
#[cfg(test)]
mod tests;
mod trace;

pub use contract::{Make, device_contract, read_only_contract};
pub use counting::{CountingDevice, Counts};
pub use crash::CrashCursor;
pub use event::Event;
pub use fault::{Fault, FaultDevice, Op, When};
pub use hooked::{Call, HookedDevice};
pub use mem::{Discard, MemDevice};
pub use recording::RecordingDevice;
pub use trace::{CrashState, Trace};
