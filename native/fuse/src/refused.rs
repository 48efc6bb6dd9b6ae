//! Pages that the kernel keeps and the file system did not take: it must forget them.
//!
//! A page that comes back with an error stays in the kernel's cache, clean: every reader would see bytes
//! that are on no disk, of an immutable file for example. The kernel waits for the answer to a page's
//! request before it lets go of the page, and writes dirty neighbours first; so a thread that serves no
//! requests tells it, after the answer.

use hn4_core::base::Ino;
use parking_lot::{Condvar, Mutex};
use std::collections::BTreeMap;
use std::ops::Range;

#[derive(Default)]
struct State {
    /// Byte ranges by file, one for each: as many as there are files, however often pages come back.
    ranges: BTreeMap<Ino, Range<u64>>,
    is_over: bool,
}

/// What has to be forgotten.
#[derive(Default)]
pub struct Refused {
    state: Mutex<State>,
    changed: Condvar,
}

impl Refused {
    pub fn note(&self, ino: Ino, range: Range<u64>) {
        let mut state = self.state.lock();
        let known = state.ranges.entry(ino).or_insert(range.clone());
        *known = known.start.min(range.start)..known.end.max(range.end);
        self.changed.notify_one();
    }

    /// Nobody waits any more.
    pub fn end(&self) {
        self.state.lock().is_over = true;
        self.changed.notify_all();
    }

    /// Waits for the next range; None after [`Refused::end`].
    pub fn next(&self) -> Option<(Ino, Range<u64>)> {
        let mut state = self.state.lock();
        loop {
            if state.is_over {
                return None;
            }
            if let Some(next) = state.ranges.pop_first() {
                return Some(next);
            }
            self.changed.wait(&mut state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_a_file_become_one_and_the_end_comes_first() {
        let refused = Refused::default();
        refused.note(7, 8192..12_288);
        refused.note(9, 0..10);
        refused.note(7, 4096..8192);
        assert_eq!(refused.next(), Some((7, 4096..12_288)));
        assert_eq!(refused.next(), Some((9, 0..10)));
        refused.note(7, 0..1);
        refused.end();
        assert_eq!(refused.next(), None);
    }
}
