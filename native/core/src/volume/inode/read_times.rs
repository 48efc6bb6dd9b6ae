//! Files whose last read waits in memory until a transaction takes its time to the slot: a slice at a time, so
//! that no record holds more than it may, and never so many that the cache of inodes grows by them.

use crate::base::Ino;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Files that wait before a commit is asked for on their account.
const CROWD_MAX: usize = 4096;

/// The waiting files.
pub struct ReadTimes {
    /// Numbers; of a file that has left memory or was written meanwhile nothing is due.
    numbers: Mutex<Vec<Ino>>,
    /// Length of `numbers`.
    count: AtomicUsize,
    /// Files of a slice; so many are a crowd.
    crowd: usize,
}

impl ReadTimes {
    /// For a cache of `capacity` inodes.
    pub fn new(capacity: usize) -> ReadTimes {
        let crowd = (capacity / 8).clamp(64, CROWD_MAX);
        ReadTimes { numbers: Mutex::default(), count: AtomicUsize::new(0), crowd }
    }

    /// Files that wait.
    pub fn waiting(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }
    /// Whether so many wait that a commit has to take some.
    pub fn are_many(&self) -> bool {
        self.waiting() >= self.crowd
    }
    /// Whether readers are so far ahead of the commits that they have to help.
    pub fn are_too_many(&self) -> bool {
        self.waiting() >= 2 * self.crowd
    }

    pub(super) fn add(&self, ino: Ino) {
        let mut numbers = self.numbers.lock();
        numbers.push(ino);
        self.count.store(numbers.len(), Ordering::Relaxed);
    }
    /// Takes the numbers of one slice.
    pub(super) fn take(&self) -> Vec<Ino> {
        let mut numbers = self.numbers.lock();
        let keep = numbers.len().saturating_sub(self.crowd);
        let taken = numbers.split_off(keep);
        self.count.store(keep, Ordering::Relaxed);
        taken
    }
    /// Those of a slice that found no room wait on.
    pub(super) fn put_back(&self, rest: impl Iterator<Item = Ino>) {
        let mut numbers = self.numbers.lock();
        numbers.extend(rest);
        self.count.store(numbers.len(), Ordering::Relaxed);
    }
}
