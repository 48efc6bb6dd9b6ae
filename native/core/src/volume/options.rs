//! How a volume is opened.

use super::report::Reporter;

/// How a volume is opened.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    pub read_only: bool,
    pub noatime: bool,
    /// Clean metadata pages kept in memory (4 KiB each).
    pub cached_pages: usize,
    /// Unused inodes kept in memory.
    pub cached_inodes: usize,
    /// For tests that want the same trace twice: no timers, no threads but the commit thread; every
    /// call that asks it for something waits for it.
    pub sequential: bool,
    /// Lines for the log of the one who mounts.
    pub reporter: Reporter,
}

impl Default for OpenOptions {
    fn default() -> OpenOptions {
        OpenOptions {
            read_only: false,
            noatime: false,
            cached_pages: 16_384,
            cached_inodes: 100_000,
            sequential: false,
            reporter: Reporter::default(),
        }
    }
}
