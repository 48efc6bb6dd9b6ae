//! Asking for commits and waiting for them.

use crate::base::{Code, Error, Result};
use crate::volume::Volume;
use crate::volume::inode::stopped;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the commit thread is asked and what it has done. Behind one lock.
#[derive(Default)]
pub struct CommitState {
    /// Requests so far; a commit that starts serves all of them.
    pub requested: u64,
    pub served: u64,
    /// The next commit takes all delayed data along.
    pub all_data: bool,
    /// The last request whose commit is to be proven at once: what it freed is waited for.
    pub prove: u64,
    /// Blocks should be placed soon, without ending the transaction.
    pub write_back: bool,
    /// Times that was done.
    pub written_back: u64,
    pub stop: bool,
    /// Last transaction whose record is durable.
    pub durable: u64,
    /// Last transaction that is proven: blocks it freed may be reused, its pages may go home.
    pub proven: u64,
    pub error: Option<Error>,
}

impl CommitState {
    /// One more request, and its number: the commit that serves it begins after this call. `all_data`: it takes all
    /// delayed data along; `prove`: it is proven at once.
    pub fn ask(&mut self, all_data: bool, prove: bool) -> u64 {
        self.requested += 1;
        self.all_data |= all_data;
        if prove {
            self.prove = self.requested;
        }
        self.requested
    }
}

/// Counters since the mount.
#[derive(Debug, Default)]
pub struct CommitStats {
    pub commits: AtomicU64,
    /// Calls of fsync and the like that had to wait for a commit.
    pub syncs: AtomicU64,
    pub log_bytes: AtomicU64,
    pub data_blocks: AtomicU64,
    pub meta_blocks: AtomicU64,
    pub checkpoints: AtomicU64,
    pub pages_in_place: AtomicU64,
    /// Blocks placed per kind: home, shell 1, overwrite area, segment.
    pub at_home: AtomicU64,
    pub at_shell: AtomicU64,
    pub in_area: AtomicU64,
    pub in_segment: AtomicU64,
}

impl Volume {
    /// Returns once everything before the call is durable.
    pub fn commit_all(&self) -> Result<()> {
        if self.options.read_only {
            return Ok(());
        }
        self.request(true, false)
    }

    /// As `commit_all`; then the blocks that the transaction freed may be used again.
    pub fn commit_and_prove(&self) -> Result<()> {
        if self.options.read_only {
            return Ok(());
        }
        self.request(true, true)
    }

    pub(in crate::volume) fn request(&self, all_data: bool, prove: bool) -> Result<()> {
        self.stats.syncs.fetch_add(1, Ordering::Relaxed);
        let mut state = self.commit.lock();
        if let Some(error) = &state.error {
            return Err(error.clone());
        }
        if state.stop {
            return Err(stopped());
        }
        let mine = state.ask(all_data, prove);
        self.commit_wanted.notify_one();
        while state.served < mine && state.error.is_none() {
            self.commit_done.wait(&mut state);
        }
        match &state.error {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }

    /// After the death of a thread: nobody waits for it.
    pub(in crate::volume) fn abandon(&self) {
        self.abandon_checkpoints();
        let mut state = self.commit.lock();
        state.stop = true;
        state.served = state.requested;
        self.commit_done.notify_all();
        self.commit_wanted.notify_all();
    }

    /// Error: the volume stopped writing.
    pub(in crate::volume) fn check_running(&self) -> Result<()> {
        match self.failed.load(Ordering::Acquire) {
            false => Ok(()),
            true => Err(self.commit.lock().error.clone().unwrap_or_else(stopped)),
        }
    }

    /// Stops writing for good: says so once, wakes everyone who waits. Reads go on.
    pub(in crate::volume) fn fail(&self, error: &Error) {
        let why = if error.detail().is_empty() { error.to_string() } else { error.detail().to_string() };
        if !self.failed.swap(true, Ordering::AcqRel) {
            self.reporter.line(&format!(
                "write failed, the volume is now read-only: {why}. Unmount, check the host's disk, mount again"
            ));
        }
        let mut state = self.commit.lock();
        if state.error.is_none() {
            state.error = Some(Error::new(Code::Io, why));
        }
        self.commit_done.notify_all();
        self.commit_wanted.notify_all();
    }
}
