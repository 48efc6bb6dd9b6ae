//! Whether requests come by io_uring: decided once per mount, when INIT is answered.

use parking_lot::{Condvar, Mutex};
use std::io;

/// Shared by the thread that answers INIT and those that would serve the queues.
pub struct Switch {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// Threads that have not made their ring yet.
    preparing: usize,
    /// The answer to INIT was sent, and this is what it said.
    decided: Option<bool>,
    /// Why not.
    reason: Option<String>,
}

impl Switch {
    /// For `threads` threads, of which each calls [`Switch::prepared`] or [`Switch::failed`].
    pub fn new(threads: usize) -> Switch {
        let state = State { preparing: threads, decided: None, reason: None };
        Switch { state: Mutex::new(state), changed: Condvar::new() }
    }

    pub(super) fn prepared(&self) {
        let mut state = self.state.lock();
        state.preparing = state.preparing.saturating_sub(1);
        self.changed.notify_all();
    }

    /// A ring could not be made, or the kernel took none of its entries.
    pub(super) fn failed(&self, error: &io::Error) {
        let mut state = self.state.lock();
        state.preparing = state.preparing.saturating_sub(1);
        state.reason.get_or_insert_with(|| format!("io_uring: {error}"));
        self.changed.notify_all();
    }

    /// Waits for the rings; whether all are there, and nobody has given up.
    pub fn is_ready(&self) -> bool {
        let mut state = self.state.lock();
        // A thread that ends before it has prepared has decided.
        while state.preparing > 0 && state.decided != Some(false) {
            self.changed.wait(&mut state);
        }
        state.reason.is_none() && state.decided != Some(false)
    }

    /// The kernel has its answer: it will, or will not, use the queues. `reason`: why not.
    pub fn decide(&self, used: bool, reason: &str) {
        let mut state = self.state.lock();
        let decided = *state.decided.get_or_insert(used);
        if !decided {
            state.reason.get_or_insert_with(|| reason.to_owned());
        }
        self.changed.notify_all();
    }

    /// Waits for the decision.
    pub(super) fn wait(&self) -> bool {
        let mut state = self.state.lock();
        loop {
            match state.decided {
                Some(used) => return used,
                None => self.changed.wait(&mut state),
            }
        }
    }

    /// Waits for the decision: whether the queues are in use, and the reason if they are not.
    pub fn outcome(&self) -> Result<(), String> {
        self.wait();
        match &self.state.lock().reason {
            None => Ok(()),
            Some(reason) => Err(reason.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_ends_before_it_has_prepared_holds_nobody_up() {
        let switch = Switch::new(2);
        switch.prepared();
        // What the end of any thread says.
        switch.decide(false, "it ended");
        assert!(!switch.is_ready());
        assert_eq!(switch.outcome(), Err("it ended".to_owned()));
    }
}
