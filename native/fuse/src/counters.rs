//! Requests served, by opcode.

use crate::abi::opcode;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// One counter per opcode. Requests of unknown opcodes count as opcode 0.
pub struct Counters([AtomicU64; opcode::COUNT]);

impl Counters {
    pub(crate) fn new() -> Counters {
        Counters([const { AtomicU64::new(0) }; opcode::COUNT])
    }

    pub(crate) fn count(&self, opcode: u32) {
        self.0.get(opcode as usize).unwrap_or(&self.0[0]).fetch_add(1, Relaxed);
    }

    /// Requests of this opcode (see [`crate::abi::opcode`]) since the mount.
    pub fn of(&self, opcode: u32) -> u64 {
        self.0.get(opcode as usize).map_or(0, |counter| counter.load(Relaxed))
    }

    /// Requests of all opcodes.
    pub fn total(&self) -> u64 {
        self.0.iter().map(|counter| counter.load(Relaxed)).sum()
    }

    /// Name and count of every opcode that was used.
    pub fn used(&self) -> Vec<(&'static str, u64)> {
        let named = opcode::ALL.iter().map(|&number| (opcode::name(number), self.of(number)));
        named.filter(|&(_, count)| count > 0).collect()
    }
}
