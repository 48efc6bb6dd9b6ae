//! Closing a volume.

use crate::base::{Code, Error, Result};
use crate::volume::Volume;

impl Volume {
    /// Commits everything, writes it home and ends the threads; later changes are refused. Reads of
    /// open files still work.
    pub fn close(&self) -> Result<()> {
        if !self.commits.close() {
            return Ok(());
        }
        if !self.options.read_only {
            self.commits.stop();
        }
        let threads = std::mem::take(&mut *self.threads.lock());
        let mut threads = threads.into_iter();
        // The commit thread finishes first: its last commit may still need a checkpoint.
        if let Some(commit) = threads.next() {
            let _ = commit.join();
        }
        self.checkpointer.stop();
        for thread in threads {
            let _ = thread.join();
        }
        match self.commits.error() {
            Some(error) => Err(Error::new(Code::Io, format!("the volume was not closed cleanly: {error}"))),
            None => Ok(()),
        }
    }
    /// After the death of a thread: nobody waits for it.
    pub(super) fn abandon(&self) {
        self.checkpointer.abandon();
        self.commits.end();
    }
}
