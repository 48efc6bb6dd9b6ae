//! Locking several files: always in ascending number, each once.

use crate::volume::{Inode, Locked};
use std::sync::Arc;

/// Write locks of a set of files.
pub struct LockedSet<'a> {
    held: Vec<Locked<'a>>,
}

impl<'a> LockedSet<'a> {
    pub fn new(files: &[&'a Arc<Inode>]) -> LockedSet<'a> {
        let mut order: Vec<&Arc<Inode>> = files.to_vec();
        order.sort_unstable_by_key(|inode| inode.ino);
        order.dedup_by_key(|inode| inode.ino);
        LockedSet { held: order.into_iter().map(Inode::lock).collect() }
    }

    /// One of the files. Panics if it was not named in `new`: a bug of ours.
    pub fn of(&mut self, inode: &Inode) -> &mut Locked<'a> {
        let found = self.held.iter_mut().find(|file| file.inode.ino == inode.ino);
        found.expect("the file is in the locked set")
    }
}
