//! The gate, and the two ways through it.

use crate::base::{Code, Error, Result};
use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Number and size of the running transaction, and the lock that tells its operations from its end.
pub struct Gate {
    lock: RwLock<()>,
    number: AtomicU64,
    /// Upper estimate of its log bytes.
    cost: AtomicU64,
    /// Log bytes kept for changes that must come before it ends.
    kept: AtomicU64,
    limit: u64,
    /// Somebody panicked inside: what the transaction changed may be half of what was meant.
    broken: AtomicBool,
}

impl Gate {
    /// `number`: the transaction that runs first. `limit`: log bytes that a transaction may grow to.
    pub fn new(number: u64, limit: u64) -> Gate {
        let (cost, kept, broken) = Default::default();
        Gate { lock: RwLock::default(), number: AtomicU64::new(number), cost, kept, limit, broken }
    }

    /// Enters the running transaction; waits while a commit ends the one before.
    pub fn enter(&self) -> Transaction<'_> {
        Transaction { gate: self, _way: Way::Shared { _guard: self.lock.read() } }
    }

    /// Waits until nobody is inside and keeps everybody out. Io: somebody has panicked inside; such a
    /// transaction never ends.
    pub fn close(&self) -> Result<Closed<'_>> {
        let _guard = self.lock.write();
        if self.broken.load(Ordering::Acquire) {
            return Err(Error::new(Code::Io, "an operation panicked in the middle of a change"));
        }
        Ok(Closed { transaction: Transaction { gate: self, _way: Way::Alone { _guard } } })
    }

    /// The running transaction. Who is outside it learns a number that may be past when it is used.
    pub fn number(&self) -> u64 {
        self.number.load(Ordering::Acquire)
    }

    /// Upper estimate of the log bytes that the running transaction needs, with those kept.
    pub fn cost(&self) -> u64 {
        self.cost.load(Ordering::Relaxed) + self.kept.load(Ordering::Relaxed)
    }

    /// Log bytes that a transaction may grow to.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Log bytes that a change may need which is made as long as there is room: what is left of the limit, doubled,
    /// for what was charged may take twice as much.
    pub fn room(&self) -> u64 {
        2 * self.limit.saturating_sub(self.cost())
    }

    /// Whether the record has grown as long as it may.
    pub fn is_full(&self) -> bool {
        self.cost() >= self.limit
    }
}

/// What the holder is through the gate with.
enum Way<'a> {
    Shared { _guard: RwLockReadGuard<'a, ()> },
    Alone { _guard: RwLockWriteGuard<'a, ()> },
}

/// Being inside the running transaction. It cannot end before this is dropped.
pub struct Transaction<'a> {
    gate: &'a Gate,
    _way: Way<'a>,
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        // Before the way out opens: nobody closes the transaction in between.
        if std::thread::panicking() {
            self.gate.broken.store(true, Ordering::Release);
        }
    }
}

impl Transaction<'_> {
    /// Its number: what its changes carry on the disk.
    pub fn number(&self) -> u64 {
        self.gate.number()
    }

    /// Adds log bytes that a change needs, or will need when the transaction closes.
    pub fn charge(&self, bytes: u64) {
        self.gate.cost.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Keeps log bytes for a change that must come before the transaction ends.
    pub fn keep(&self, bytes: u64) {
        self.gate.kept.fetch_add(bytes, Ordering::Relaxed);
    }

    /// What was kept is charged by now, or not needed.
    pub fn release(&self, bytes: u64) {
        let before = self.gate.kept.fetch_sub(bytes, Ordering::Relaxed);
        debug_assert!(before >= bytes, "more of the log given back than kept");
    }

    /// Upper estimate of its log bytes so far, with those kept.
    pub fn cost(&self) -> u64 {
        self.gate.cost()
    }
}

/// The running transaction with nobody else inside: it can be encoded and ended.
pub struct Closed<'a> {
    transaction: Transaction<'a>,
}

impl Closed<'_> {
    /// From here on changes belong to transaction `number`.
    pub fn start(&self, number: u64) {
        let gate = self.transaction.gate;
        gate.number.store(number, Ordering::Release);
        gate.cost.store(0, Ordering::Relaxed);
        debug_assert_eq!(gate.kept.load(Ordering::Relaxed), 0, "a promise outlives its transaction");
    }
}

/// Whoever has closed a transaction is inside it, too.
impl<'a> std::ops::Deref for Closed<'a> {
    type Target = Transaction<'a>;
    fn deref(&self) -> &Transaction<'a> {
        &self.transaction
    }
}

#[cfg(test)]
mod tests {
    use super::Gate;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn a_transaction_ends_when_nobody_is_inside_and_the_next_begins_empty() {
        let gate = Gate::new(7, 100);
        let inside = gate.enter();
        let ended = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let closed = gate.close().unwrap();
                closed.start(8);
                ended.store(true, Ordering::Release);
            });
            inside.charge(100);
            assert_eq!((inside.number(), inside.cost()), (7, 100));
            inside.keep(50);
            assert_eq!(inside.cost(), 150);
            inside.release(50);
            assert!(gate.is_full());
            assert!(!ended.load(Ordering::Acquire), "somebody is still inside");
            drop(inside);
        });
        assert_eq!((gate.number(), gate.cost(), gate.is_full()), (8, 0, false));
    }

    #[test]
    fn who_has_closed_a_transaction_is_inside_it() {
        let gate = Gate::new(1, 10);
        let closed = gate.close().unwrap();
        closed.charge(3);
        assert_eq!((closed.number(), closed.cost()), (1, 3));
    }

    #[test]
    fn a_transaction_in_which_somebody_panicked_never_ends() {
        let gate = Gate::new(1, 10);
        drop(gate.close().unwrap());
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _inside = gate.enter();
            panic!("in the middle");
        }));
        assert!(ended.is_err());
        assert_eq!(gate.close().err().unwrap().code, crate::base::Code::Io);
        assert_eq!(gate.enter().number(), 1, "who only looks still may");
    }
}
