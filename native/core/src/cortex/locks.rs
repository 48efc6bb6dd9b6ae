//! The pool of 128 locks over page numbers (anchor protocol, section 3).
//!
//! Rules:
//! - whoever changes a slot of a page holds the page's lock;
//! - several locks are taken in ascending index, each once, the stash's lock last;
//! - no I/O happens while one is held.
//!
//! Each lock carries a version that is odd while an anchor moves between two pages under it. A
//! lookup that found nothing, and saw the same even versions of both its pages and of the stash
//! before and after, has proven absence.

use std::sync::atomic::{AtomicU64, Ordering, fence};

use parking_lot::{Mutex, MutexGuard};

/// Locks of the pool. A power of two: the index is the top bits of the hash.
pub const LOCKS: usize = 128;

/// The golden ratio times 2^64: multiplying by it spreads neighbours (Knuth, volume 3, 6.4).
const FIBONACCI: u64 = 0x9e37_79b9_7f4a_7c15;

/// A lock with its version, on a cache line of its own. parking_lot spins shortly, then parks.
#[repr(align(64))]
#[derive(Default)]
pub struct VersionedLock {
    mutex: Mutex<()>,
    version: AtomicU64,
}

impl VersionedLock {
    /// The version before a lookup's scan.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Did nothing move since `version` was read, nor while it was?
    pub fn unmoved_since(&self, version: u64) -> bool {
        fence(Ordering::Acquire);
        version % 2 == 0 && self.version.load(Ordering::Relaxed) == version
    }
}

/// A held lock.
pub struct Held<'a> {
    lock: &'a VersionedLock,
    _guard: MutexGuard<'a, ()>,
}

impl<'a> Held<'a> {
    pub fn new(lock: &'a VersionedLock) -> Held<'a> {
        let guard = lock.mutex.lock();
        #[cfg(test)]
        HELD.set(HELD.get() + 1);
        Held { lock, _guard: guard }
    }

    /// Is it this lock that is held?
    pub fn is(&self, lock: &VersionedLock) -> bool {
        std::ptr::eq(self.lock, lock)
    }
}

#[cfg(test)]
thread_local! {
    static HELD: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Locks the calling thread holds: tests prove with it that none is held across I/O.
#[cfg(test)]
pub fn held_here() -> usize {
    HELD.get()
}

#[cfg(test)]
impl Drop for Held<'_> {
    fn drop(&mut self) {
        HELD.set(HELD.get() - 1);
    }
}

/// Marks locks as "an anchor moves under this" for as long as it lives.
pub struct Moving<'a> {
    held: &'a [Held<'a>],
}

impl<'a> Moving<'a> {
    pub fn begin(held: &'a [Held<'a>]) -> Moving<'a> {
        for one in held {
            // Only the holder writes the version, so load and store need not be one step.
            let version = one.lock.version.load(Ordering::Relaxed);
            one.lock.version.store(version + 1, Ordering::Relaxed);
        }
        // The odd versions are visible before the first slot changes.
        fence(Ordering::Release);
        Moving { held }
    }
}

impl Drop for Moving<'_> {
    fn drop(&mut self) {
        for one in self.held {
            let version = one.lock.version.load(Ordering::Relaxed);
            one.lock.version.store(version + 1, Ordering::Release);
        }
    }
}

/// The locks of the cortex pages and, apart, the one of the stash.
pub struct LockPool {
    pages: [VersionedLock; LOCKS],
    stash: VersionedLock,
}

/// Index of the lock of a cortex page.
pub fn index_of(page: u64) -> usize {
    (page.wrapping_mul(FIBONACCI) >> (64 - LOCKS.trailing_zeros())) as usize
}

impl LockPool {
    pub fn new() -> LockPool {
        LockPool { pages: std::array::from_fn(|_| VersionedLock::default()), stash: VersionedLock::default() }
    }

    /// The lock of a cortex page.
    pub fn of(&self, page: u64) -> &VersionedLock {
        &self.pages[index_of(page)]
    }

    /// The stash's lock: last in the order.
    pub fn stash(&self) -> &VersionedLock {
        &self.stash
    }

    /// Takes the locks of `pages` in ascending index, each once; then the stash's if asked.
    pub fn take(&self, pages: impl IntoIterator<Item = u64>, stash: bool) -> Vec<Held<'_>> {
        let mut wanted = 0u128;
        for page in pages {
            wanted |= 1 << index_of(page);
        }
        self.take_set(wanted, stash)
    }

    /// Takes every lock: nothing in cortex or stash changes until they are dropped.
    pub fn take_all(&self) -> Vec<Held<'_>> {
        self.take_set(u128::MAX, true)
    }

    fn take_set(&self, mut wanted: u128, stash: bool) -> Vec<Held<'_>> {
        let mut held = Vec::with_capacity(wanted.count_ones() as usize + usize::from(stash));
        while wanted != 0 {
            held.push(Held::new(&self.pages[wanted.trailing_zeros() as usize]));
            wanted &= wanted - 1;
        }
        if stash {
            held.push(Held::new(&self.stash));
        }
        held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_pages_have_different_locks() {
        for start in [0, 16, 1 << 20, 1 << 40] {
            let mut seen = [false; LOCKS];
            for page in start..start + 16 {
                assert!(!std::mem::replace(&mut seen[index_of(page)], true), "page {page}");
            }
        }
    }

    #[test]
    fn pages_that_share_a_lock_take_it_once() {
        let pool = LockPool::new();
        let twin = (1..).find(|page| index_of(*page) == index_of(0)).unwrap();
        assert_eq!(pool.take([twin, 0, 7], false).len(), 2);
        assert_eq!(pool.take_all().len(), LOCKS + 1);
    }

    #[test]
    fn a_move_shows_in_the_version_while_it_lasts_and_afterwards() {
        let pool = LockPool::new();
        let lock = pool.of(3);
        let before = lock.version();
        assert!(lock.unmoved_since(before));
        {
            let held = pool.take([3], false);
            let _moving = Moving::begin(&held);
            assert!(!lock.unmoved_since(before));
            assert!(!lock.unmoved_since(lock.version()));
        }
        assert!(!lock.unmoved_since(before));
        assert!(lock.unmoved_since(lock.version()));
    }
}
