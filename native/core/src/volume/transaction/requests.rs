//! Asking for commits and waiting for them.

use crate::base::Result;
use crate::volume::Volume;
use std::sync::atomic::Ordering;

impl Volume {
    /// Returns once everything before the call is durable.
    pub fn commit_all(&self) -> Result<()> {
        if self.options.read_only {
            return Ok(());
        }
        self.request(true, false)
    }

    /// As `commit_all`; then the blocks that the transaction freed may be used again.
    pub(super) fn commit_and_prove(&self) -> Result<()> {
        if self.options.read_only {
            return Ok(());
        }
        self.request(true, true)
    }

    pub(in crate::volume) fn request(&self, all_data: bool, prove: bool) -> Result<()> {
        self.commits.stats.syncs.fetch_add(1, Ordering::Relaxed);
        self.commits.request(all_data, prove)
    }
}
