//! The entries of a directory, by name and in the order of their making.

use crate::base::Ino;
use std::collections::BTreeMap;

#[derive(Clone, Copy)]
pub struct Entry {
    pub ino: Ino,
    cookie: u64,
}

pub struct Directory {
    pub parent: Ino,
    by_name: BTreeMap<Vec<u8>, Entry>,
    /// A cookie is never given twice, so a listing under way survives any change.
    by_cookie: BTreeMap<u64, Vec<u8>>,
    next: u64,
}

/// Cookies of `.` and `..`; entries follow.
pub const DOT: u64 = 1;
pub const DOT_DOT: u64 = 2;

impl Directory {
    pub fn new(parent: Ino) -> Directory {
        Directory { parent, by_name: BTreeMap::new(), by_cookie: BTreeMap::new(), next: DOT_DOT + 1 }
    }

    pub fn get(&self, name: &[u8]) -> Option<Ino> {
        self.by_name.get(name).map(|entry| entry.ino)
    }

    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    pub fn insert(&mut self, name: &[u8], ino: Ino) {
        self.remove(name);
        self.by_name.insert(name.to_vec(), Entry { ino, cookie: self.next });
        self.by_cookie.insert(self.next, name.to_vec());
        self.next += 1;
    }

    /// Points an existing name to another file, in its place.
    pub fn replace(&mut self, name: &[u8], ino: Ino) {
        if let Some(entry) = self.by_name.get_mut(name) {
            entry.ino = ino;
        }
    }

    pub fn remove(&mut self, name: &[u8]) {
        if let Some(entry) = self.by_name.remove(name) {
            self.by_cookie.remove(&entry.cookie);
        }
    }

    /// Entries behind `cookie`: (cookie, name, file).
    pub fn after(&self, cookie: u64) -> impl Iterator<Item = (u64, &[u8], Ino)> {
        let rest = self.by_cookie.range(cookie.saturating_add(1)..);
        rest.filter_map(|(&cookie, name)| Some((cookie, name.as_slice(), self.get(name)?)))
    }
}
