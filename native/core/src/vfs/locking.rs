//! Locking several files: always in ascending number, each once.

use crate::base::Ino;
use crate::volume::{Inode, InodeState};
use parking_lot::RwLockWriteGuard;
use std::sync::Arc;

/// Write locks of a set of files.
pub struct Locked<'a> {
    held: Vec<(Ino, RwLockWriteGuard<'a, InodeState>)>,
}

impl<'a> Locked<'a> {
    pub fn new(files: &[&'a Arc<Inode>]) -> Locked<'a> {
        let mut order: Vec<&Arc<Inode>> = files.to_vec();
        order.sort_unstable_by_key(|inode| inode.ino);
        order.dedup_by_key(|inode| inode.ino);
        Locked { held: order.into_iter().map(|inode| (inode.ino, inode.state.write())).collect() }
    }

    /// The state of one of the files. Panics if it was not named in `new`: a bug of ours.
    pub fn of(&mut self, inode: &Inode) -> &mut InodeState {
        let found = self.held.iter_mut().find(|(ino, _)| *ino == inode.ino);
        &mut found.expect("the file is in the locked set").1
    }
}
