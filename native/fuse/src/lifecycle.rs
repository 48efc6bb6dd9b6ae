//! Where a session stands: starting, serving, ended.

use hn4_core::base::Error;
use parking_lot::{Condvar, Mutex};
use std::time::Duration;

/// A session's state. It only moves forward.
#[derive(Clone)]
pub enum Phase {
    /// Mounted, INIT not answered yet.
    Starting,
    /// INIT answered.
    Serving,
    /// INIT answered with a refusal.
    Refused(String),
    /// All threads have ended; the result is that of `Vfs::shutdown`.
    Ended(Result<(), Error>),
}

/// A [`Phase`] to wait on.
pub struct Lifecycle {
    phase: Mutex<Phase>,
    changed: Condvar,
}

impl Lifecycle {
    pub fn new() -> Lifecycle {
        Lifecycle { phase: Mutex::new(Phase::Starting), changed: Condvar::new() }
    }

    pub fn enter(&self, phase: Phase) {
        *self.phase.lock() = phase;
        self.changed.notify_all();
    }

    pub fn phase(&self) -> Phase {
        self.phase.lock().clone()
    }

    /// Waits until INIT was answered or the session ended, at most `limit`.
    pub fn wait_started(&self, limit: Duration) -> Phase {
        let mut phase = self.phase.lock();
        self.changed.wait_while_for(&mut phase, |phase| matches!(phase, Phase::Starting), limit);
        phase.clone()
    }

    /// Waits for the end of the session.
    pub fn wait_ended(&self) -> Result<(), Error> {
        let mut phase = self.phase.lock();
        loop {
            if let Phase::Ended(result) = &*phase {
                return result.clone();
            }
            self.changed.wait(&mut phase);
        }
    }
}
