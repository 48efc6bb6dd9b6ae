//! Giving up on a long operation.

use super::{Code, Result};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Whether whoever waits for an operation has given up. Long ones ask between their steps.
#[derive(Debug, Default)]
pub struct Stop(AtomicBool);

impl Stop {
    pub fn ask(&self) {
        self.0.store(true, Relaxed);
    }
    pub fn is_asked(&self) -> bool {
        self.0.load(Relaxed)
    }
    /// Error: Interrupted.
    pub fn check(&self) -> Result<()> {
        if self.is_asked() { Err(Code::Interrupted.into()) } else { Ok(()) }
    }
}
