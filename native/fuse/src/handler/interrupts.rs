//! INTERRUPT: a signal came to whoever waits for a request. The kernel says so, goes on waiting, and takes any
//! answer; it sends this through /dev/fuse also where requests come by io_uring (and there forgets a signal
//! that comes before its queue has taken the request: Linux 6.18).
//!
//! Only requests that may take long ask. INTERRUPT has no answer: one that comes before the request it means has
//! begun (another thread read that) is kept for it.

use hn4_core::base::Stop;
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Interrupts kept that meant no running request: most of them are of requests that never ask.
const EARLY_MAX: usize = 64;

#[derive(Default)]
struct State {
    /// By `unique`, which is never used again.
    running: HashMap<u64, Arc<Stop>>,
    early: VecDeque<u64>,
}

/// The long requests of a mount that run.
#[derive(Default)]
pub(super) struct Interrupts(Mutex<State>);

/// One of them; it ends with this value.
pub(super) struct Running<'a> {
    interrupts: &'a Interrupts,
    unique: u64,
    pub stop: Arc<Stop>,
}

impl Interrupts {
    /// A long request begins.
    pub fn begin(&self, unique: u64) -> Running<'_> {
        let stop = Arc::new(Stop::default());
        let mut state = self.0.lock();
        if state.early.contains(&unique) {
            stop.ask();
        }
        state.running.insert(unique, stop.clone());
        Running { interrupts: self, unique, stop }
    }

    /// The kernel interrupts a request.
    pub fn note(&self, unique: u64) {
        let mut state = self.0.lock();
        if let Some(stop) = state.running.get(&unique) {
            return stop.ask();
        }
        if state.early.len() == EARLY_MAX {
            state.early.pop_front();
        }
        state.early.push_back(unique);
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.interrupts.0.lock().running.remove(&self.unique);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_that_is_meant_stops_and_no_other() {
        let interrupts = Interrupts::default();
        let (one, two) = (interrupts.begin(2), interrupts.begin(4));
        interrupts.note(4);
        assert!(!one.stop.is_asked() && two.stop.is_asked());
        drop((one, two));
        assert!(interrupts.0.lock().running.is_empty());
    }

    #[test]
    fn an_interrupt_that_comes_first_is_kept_and_few_are() {
        let interrupts = Interrupts::default();
        interrupts.note(6);
        assert!(interrupts.begin(6).stop.is_asked());
        for unique in 0..10 * EARLY_MAX as u64 {
            interrupts.note(100 + 2 * unique);
        }
        assert!(!interrupts.begin(6).stop.is_asked(), "long ago");
        assert_eq!(interrupts.0.lock().early.len(), EARLY_MAX);
    }
}
