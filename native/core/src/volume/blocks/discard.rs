//! Telling the host at once that freed blocks are unused (`-o discard`).

use crate::base::BlockNumber;
use crate::device::Device;
use crate::volume::report::Reporter;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub struct Discarder {
    device: Arc<dyn Device>,
    reporter: Reporter,
    failed: AtomicBool,
}

impl Discarder {
    pub fn new(device: Arc<dyn Device>, reporter: Reporter) -> Discarder {
        Discarder { device, reporter, failed: AtomicBool::new(false) }
    }

    /// Nothing relies on it, so the first error ends it, with a line.
    pub(super) fn discard(&self, at: BlockNumber, count: u64) {
        if self.failed.load(Ordering::Relaxed) {
            return;
        }
        if let Err(error) = self.device.discard(at, count) {
            self.failed.store(true, Ordering::Relaxed);
            self.reporter.line(&format!("freed blocks are discarded no more: {error}"));
        }
    }
}
