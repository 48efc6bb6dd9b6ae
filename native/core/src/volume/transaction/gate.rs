//! The gate between operations and commits: operations run inside a transaction (shared), a commit
//! closes it (exclusive, short, never across data I/O).

use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Lock order: gate, then directories, then files (ascending number within each), then page locks.
#[derive(Default)]
pub struct Gate {
    lock: RwLock<()>,
}

/// A step of the commit thread inside the running transaction.
pub type Inside<'a> = RwLockReadGuard<'a, ()>;

impl Gate {
    /// Enters the running transaction. Do not nest: a waiting commit would block the inner call.
    pub fn enter(&self) -> Inside<'_> {
        self.lock.read()
    }
    /// Waits until no operation runs and keeps new ones out.
    pub fn close(&self) -> RwLockWriteGuard<'_, ()> {
        self.lock.write()
    }
}
