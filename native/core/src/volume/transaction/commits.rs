//! The monitor of commits: what is asked of the commit thread, what it has done, and everyone who
//! waits for it. The only place with its condition variables.
//!
//! Rules:
//! - a request that is asked while a commit runs is served by the next one;
//! - nobody waits for a thread that has ended: its end serves every request and refuses later ones;
//! - the first failure stays: nothing is written after it, every waiter gets it.

use crate::base::{Code, Error, Result};
use crate::volume::report::Reporter;
use parking_lot::{Condvar, Mutex};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

#[derive(Default)]
struct State {
    /// Requests so far; a commit that starts serves all of them.
    requested: u64,
    served: u64,
    /// The next commit takes all delayed data along.
    all_data: bool,
    /// The last request whose commit is to be proven at once: what it freed is waited for.
    prove: u64,
    /// Blocks should be placed soon, without ending the transaction.
    write_back: bool,
    /// Times that was done.
    written_back: u64,
    /// The commit thread has got work of its own.
    woken: bool,
    /// Times that deleting files for good was asked for, and the last of them that is answered.
    reaping_asked: u64,
    reaped: u64,
    /// The volume closes, or its threads have ended.
    stop: bool,
    /// Last transaction whose record is durable.
    durable: u64,
    /// Last transaction that is proven: blocks it freed may be reused, its pages may go home.
    proven: u64,
    error: Option<Error>,
}

impl State {
    /// One more request, and its number: the commit that serves it begins after this call.
    fn ask(&mut self, all_data: bool, prove: bool) -> u64 {
        self.requested += 1;
        self.all_data |= all_data;
        if prove {
            self.prove = self.requested;
        }
        self.requested
    }
    fn is_asked(&self) -> bool {
        self.requested > self.served
    }
    fn is_idle(&self) -> bool {
        !self.is_asked() && !self.write_back && !self.woken && !self.is_over()
    }
    /// Nothing more will be done for those who wait.
    fn is_over(&self) -> bool {
        self.error.is_some() || self.stop
    }
}

/// What the commit thread is to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// A commit for every request up to `target` (0: nobody asked), with all delayed data or only that of
    /// files to be synced.
    Commit { target: u64, all_data: bool },
    /// Place delayed data; the transaction goes on.
    WriteBack,
    /// Commit everything, for every request up to `target`, and end.
    Stop { target: u64 },
    /// Nothing is asked.
    Nothing,
}

/// What a caller asks for without needing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Soon {
    /// Place delayed data.
    WriteBack,
    /// End the transaction.
    Commit,
}

/// How far the running transaction and its delayed data have grown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grown {
    /// More is delayed than memory is for.
    pub full: bool,
    /// The log record is as long as it may be.
    pub long: bool,
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
    /// META blocks of which one copy was bad.
    pub healed_blocks: AtomicU64,
    /// Blocks placed per kind: home, shell 1, overwrite area, segment.
    pub at_home: AtomicU64,
    pub at_shell: AtomicU64,
    pub in_area: AtomicU64,
    pub in_segment: AtomicU64,
}

/// Requests of commits, and what became of them.
pub struct Commits {
    state: Mutex<State>,
    /// The commit thread waits here,
    wanted: Condvar,
    /// and everyone else here.
    done: Condvar,
    /// Set by the first failed write or flush, or a panic in a change: nothing is written any more.
    failed: AtomicBool,
    /// No operation begins any more.
    closed: AtomicBool,
    /// For tests that want the same trace twice: who asks for something waits for it.
    sequential: bool,
    reporter: Reporter,
    /// Files without a name that wait to be deleted for good: they still hold blocks and slots.
    pub nameless: AtomicUsize,
    pub stats: CommitStats,
}

impl Commits {
    /// Transactions up to `durable` are durable and proven.
    pub fn new(durable: u64, sequential: bool, reporter: Reporter) -> Commits {
        Commits {
            state: Mutex::new(State { durable, proven: durable, ..State::default() }),
            wanted: Condvar::new(),
            done: Condvar::new(),
            failed: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            sequential,
            reporter,
            nameless: AtomicUsize::new(0),
            stats: CommitStats::default(),
        }
    }
}

/// For those who need a commit. All of these may wait: no lock and no transaction may be held.
impl Commits {
    /// Waits for a commit that begins after this call. `all_data`: it takes all delayed data along; `prove`: it is
    /// proven at once. Errors: the first failure; ReadOnly once the volume stopped.
    pub fn request(&self, all_data: bool, prove: bool) -> Result<()> {
        let mut state = self.state.lock();
        if state.is_over() {
            return Err(state.error.clone().unwrap_or_else(stopped));
        }
        let mine = state.ask(all_data, prove);
        self.wanted.notify_one();
        self.done.wait_while(&mut state, |state| state.served < mine && state.error.is_none());
        state.error.clone().map_or(Ok(()), Err)
    }

    /// Asks for something to be done soon: to place delayed data, too, if a commit is asked for already.
    pub fn ask_soon(&self, what: Soon) {
        let mut state = self.state.lock();
        if what == Soon::Commit && !state.is_asked() {
            state.ask(true, false);
            self.wanted.notify_one();
        } else if !std::mem::replace(&mut state.write_back, true) {
            self.wanted.notify_one();
        }
        if self.sequential {
            let before = (state.served, state.written_back);
            let waits = |state: &mut State| (state.served, state.written_back) == before && !state.is_over();
            self.done.wait_while(&mut state, waits);
        }
    }

    /// Waits until the files without a name are deleted for good that wait for it now, as far as the running
    /// transaction has room. False: none waited. In sequence, where nothing goes on beside a commit, after the next.
    pub fn reap(&self) -> bool {
        if self.nameless.load(Ordering::Acquire) == 0 {
            return false;
        }
        if self.sequential {
            return self.request(false, true).is_ok();
        }
        let mut state = self.state.lock();
        state.reaping_asked += 1;
        let mine = state.reaping_asked;
        state.woken = true;
        self.wanted.notify_one();
        self.done.wait_while(&mut state, |state| state.reaped < mine && !state.is_over());
        true
    }

    /// Waits, asking for what helps, while the transaction has `grown` too much.
    pub fn wait_for_room(&self, grown: impl Fn() -> Grown) {
        let mut state = self.state.lock();
        loop {
            let Grown { full, long } = grown();
            if state.is_over() || !full && !long {
                return;
            }
            if long && !state.is_asked() {
                state.ask(true, false);
            }
            state.write_back = true;
            self.wanted.notify_one();
            self.done.wait(&mut state);
        }
    }
}

/// For the commit thread.
impl Commits {
    /// Waits until something is asked, at most for `patience` (`None`: as long as it takes).
    pub fn next(&self, patience: Option<Duration>) -> Work {
        let mut state = self.state.lock();
        match patience {
            None => self.wanted.wait_while(&mut state, |state| state.is_idle()),
            Some(most) => drop(self.wanted.wait_while_for(&mut state, |state| state.is_idle(), most)),
        }
        state.woken = false;
        if state.is_over() {
            Work::Stop { target: state.requested }
        } else if state.is_asked() {
            Work::Commit { target: state.requested, all_data: std::mem::take(&mut state.all_data) }
        } else if std::mem::take(&mut state.write_back) {
            Work::WriteBack
        } else {
            Work::Nothing
        }
    }

    /// Ends the wait of [`Commits::next`]: the thread has got work of its own.
    pub fn wake(&self) {
        self.state.lock().woken = true;
        self.wanted.notify_one();
    }

    /// How often [`Commits::reap`] was called so far,
    pub fn reaping_asked(&self) -> u64 {
        self.state.lock().reaping_asked
    }
    /// whether not all of that is answered,
    pub fn is_reaping_asked(&self) -> bool {
        let state = self.state.lock();
        state.reaped < state.reaping_asked
    }
    /// and that so much is.
    pub fn reaped(&self, asked: u64) {
        let mut state = self.state.lock();
        if state.reaped < asked {
            state.reaped = asked;
            self.done.notify_all();
        }
    }

    /// Something was placed: the running transaction may have room again.
    pub fn progress(&self) {
        // Under the lock, so that nobody looks before and waits after.
        let _state = self.state.lock();
        self.done.notify_all();
    }

    /// Delayed data was placed as asked.
    pub fn wrote_back(&self) {
        self.state.lock().written_back += 1;
        self.done.notify_all();
    }

    /// Whether a request that waits to be served asked for its commit to be proven.
    pub fn is_proof_asked(&self) -> bool {
        let state = self.state.lock();
        state.prove > state.served
    }

    /// All requests up to `target` are served.
    pub fn serve(&self, target: u64) {
        let mut state = self.state.lock();
        state.served = state.served.max(target);
        self.done.notify_all();
    }

    /// The record of `txn` is durable, and so a proof of the one before it.
    pub fn committed(&self, txn: u64) {
        let mut state = self.state.lock();
        state.durable = txn;
        state.proven = state.proven.max(txn - 1);
    }

    /// Transactions up to `txn` are proven.
    pub fn proved(&self, txn: u64) {
        let mut state = self.state.lock();
        state.proven = state.proven.max(txn);
    }

    /// The thread ends, or has died: nobody waits for it any more.
    pub fn end(&self) {
        let mut state = self.state.lock();
        state.stop = true;
        state.served = state.requested;
        self.done.notify_all();
        self.wanted.notify_all();
    }
}

/// How things stand.
impl Commits {
    /// Last transaction whose record is durable.
    pub fn durable(&self) -> u64 {
        self.state.lock().durable
    }
    /// Last transaction that is proven.
    pub fn proven(&self) -> u64 {
        self.state.lock().proven
    }
    /// Whether the last durable transaction waits for its proof.
    pub fn is_unproven(&self) -> bool {
        let state = self.state.lock();
        state.durable > state.proven
    }

    pub fn is_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }
    /// Error: the volume stopped writing.
    pub fn check_running(&self) -> Result<()> {
        match self.is_failed() {
            false => Ok(()),
            true => Err(self.error().unwrap_or_else(stopped)),
        }
    }
    /// Why the volume stopped writing.
    pub fn error(&self) -> Option<Error> {
        self.state.lock().error.clone()
    }
    /// ReadOnly: no operation begins any more.
    pub fn check_open(&self) -> Result<()> {
        if self.is_failed() || self.closed.load(Ordering::Acquire) { Err(stopped()) } else { Ok(()) }
    }

    /// No operation begins any more. False: so it was before.
    pub fn close(&self) -> bool {
        !self.closed.swap(true, Ordering::AcqRel)
    }
    /// The commit thread commits everything and ends.
    pub fn stop(&self) {
        self.state.lock().stop = true;
        self.wanted.notify_all();
    }

    /// Stops writing for good: says so once, wakes everyone who waits. Reads go on.
    pub fn fail(&self, error: &Error) {
        let why = if error.detail().is_empty() { error.to_string() } else { error.detail().to_string() };
        self.stop_writing(&why, || {
            format!(
                "write failed, the volume is now read-only: {why}. Unmount, check the host's disk, mount again"
            )
        });
    }

    /// As [`Commits::fail`], after a panic inside a change: what it left half done is not written.
    pub fn panicked(&self) {
        let why = "an operation panicked in the middle of a change, a defect of hn4: please report it";
        self.stop_writing(why, || {
            format!("the volume is now read-only: {why}. What was not synced is lost; unmount, mount again")
        });
    }

    fn stop_writing(&self, why: &str, line: impl FnOnce() -> String) {
        if !self.failed.swap(true, Ordering::AcqRel) {
            self.reporter.line(&line());
        }
        let mut state = self.state.lock();
        if state.error.is_none() {
            state.error = Some(Error::new(Code::Io, why));
        }
        self.done.notify_all();
        self.wanted.notify_all();
    }
}

/// The error of a volume that stopped writing.
pub fn stopped() -> Error {
    Error::new(Code::ReadOnly, "the volume is read-only since it stopped writing")
}

#[cfg(test)]
#[path = "commits_tests.rs"]
mod tests;
