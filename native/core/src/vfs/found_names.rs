//! Names of files, remembered for the next path.

use crate::base::Ino;
use std::collections::HashMap;

/// Names remembered at most.
const NAMES_MAX: usize = 4096;

/// Names that were found by looking through directories, each by its file: the directory and the name.
/// They may have gone since.
#[derive(Default)]
pub struct FoundNames(HashMap<Ino, (Ino, Vec<u8>)>);

impl FoundNames {
    pub fn of(&self, file: Ino, dir: Ino) -> Option<Vec<u8>> {
        self.0.get(&file).filter(|(parent, _)| *parent == dir).map(|(_, name)| name.clone())
    }

    pub fn remember(&mut self, file: Ino, dir: Ino, name: &[u8]) {
        if self.0.len() >= NAMES_MAX {
            self.0.clear();
        }
        self.0.insert(file, (dir, name.to_vec()));
    }
}
