//! A file together with its lock: functions take one of these, so that a state cannot be paired with another
//! file's inode.

use super::{Inode, InodeState};
use parking_lot::{RwLockReadGuard, RwLockWriteGuard};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A file under its write lock.
pub struct Locked<'a> {
    pub inode: &'a Arc<Inode>,
    state: RwLockWriteGuard<'a, InodeState>,
}

/// A file under its read lock.
pub struct Shared<'a> {
    pub inode: &'a Arc<Inode>,
    state: RwLockReadGuard<'a, InodeState>,
}

/// A file that is locked one way or the other: what reading needs.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub inode: &'a Arc<Inode>,
    state: &'a InodeState,
    only_reads: bool,
}

impl View<'_> {
    /// Whether the file is locked for reading.
    pub fn only_reads(&self) -> bool {
        self.only_reads
    }
}

impl Inode {
    /// Locks the file for a change. Several files: in ascending number (docs/architecture.md, "Locks").
    pub fn lock(self: &Arc<Inode>) -> Locked<'_> {
        Locked { inode: self, state: self.state.write() }
    }
    /// Locks the file for reading.
    pub fn share(self: &Arc<Inode>) -> Shared<'_> {
        Shared { inode: self, state: self.state.read() }
    }
}

impl Locked<'_> {
    pub fn view(&self) -> View<'_> {
        View { inode: self.inode, state: &self.state, only_reads: false }
    }
}

impl Shared<'_> {
    pub fn view(&self) -> View<'_> {
        View { inode: self.inode, state: &self.state, only_reads: true }
    }
}

impl Deref for Locked<'_> {
    type Target = InodeState;
    fn deref(&self) -> &InodeState {
        &self.state
    }
}
impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut InodeState {
        &mut self.state
    }
}
impl Deref for Shared<'_> {
    type Target = InodeState;
    fn deref(&self) -> &InodeState {
        &self.state
    }
}
impl Deref for View<'_> {
    type Target = InodeState;
    fn deref(&self) -> &InodeState {
        self.state
    }
}
