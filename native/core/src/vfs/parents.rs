//! From a file to one of its names. The slot says one directory that has a name of it, which unlink, link and
//! rename keep true as far as they know another name; where it is not true any more (the other names were given
//! before this mount), every directory is looked through, once: then the slot is set right.

use super::FileSystem;
use super::locking::LockedSet;
use crate::base::{Code, Ino, Result};
use crate::directory::Entry;
use crate::format::{Kind, layout};
use crate::volume::{Inode, Locked};
use std::collections::HashSet;
use std::sync::Arc;

/// Number and hint of a directory.
type Place = (Ino, u32);
/// Entries looked at under one lock of a directory.
const SLICE: usize = 256;

impl FileSystem {
    /// The file gets a further name, in `dir`: the directory that its slot says from now on. The one it said
    /// before is remembered.
    pub(super) fn gains_name(&self, file: &mut Locked<'_>, dir: &Inode) {
        let before = parent(file);
        set_parent(file, (dir.ino, dir.hint));
        if before.0 != dir.ino {
            file.another_parent = Some(before);
        }
    }

    /// The file has lost a name in `dir` and has others: the slot says where, if that is known.
    pub(super) fn loses_name_in(&self, file: &mut Locked<'_>, dir: &Inode) {
        let another = file.another_parent.filter(|(number, _)| *number != dir.ino);
        file.another_parent = None;
        match another {
            Some(place) if parent(file).0 == dir.ino => set_parent(file, place),
            another => file.another_parent = another,
        }
    }

    /// Looks through all directories for a name of a file that is no directory, and writes down where it was:
    /// the directory. NotFound: it has no name. This costs as much as the tree is large.
    pub(super) fn search_name(&self, file: &Arc<Inode>) -> Result<Arc<Inode>> {
        let (dir, name) = self.search(file.ino).ok_or(Code::NotFound)?;
        self.mend_parent(file, &dir, &name);
        self.found_names.lock().remember(file.ino, dir.ino, &name);
        Ok(dir)
    }

    /// From the root on. A directory that cannot be read may not hide a name in another.
    fn search(&self, number: Ino) -> Option<(Arc<Inode>, Vec<u8>)> {
        let mut left: Vec<Place> = vec![(layout::INO_ROOT, 0)];
        let mut seen = HashSet::new();
        while let Some((ino, hint)) = left.pop() {
            let dir = match self.volume.inode(ino, hint) {
                Ok(dir) if dir.is_directory() && seen.insert(ino) => dir,
                _ => continue,
            };
            let found = self.find_in(&dir, &mut |entry| {
                if entry.kind == Kind::Directory.number() {
                    left.push((entry.seed.number, entry.seed.hint));
                }
                entry.seed.number == number
            });
            if let Ok(Some(name)) = found {
                return Some((dir, name));
            }
        }
        None
    }

    /// The name of the first entry that is wanted, a slice of the directory under each lock.
    pub(super) fn find_in(
        &self,
        dir: &Arc<Inode>,
        is_wanted: &mut dyn FnMut(&Entry) -> bool,
    ) -> Result<Option<Vec<u8>>> {
        let mut behind = 0;
        loop {
            let (mut seen, mut name) = (0, None);
            self.volume.iterate(&self.volume.names(dir)?, behind, &mut |entry, found| {
                seen += 1;
                behind = entry.cookie;
                if is_wanted(entry) {
                    name = Some(found.to_vec());
                }
                name.is_none() && seen < SLICE
            })?;
            if name.is_some() || seen < SLICE {
                return Ok(name);
            }
        }
    }

    /// Writes down where a name of the file was found. What may not be written is found again the next time.
    fn mend_parent(&self, file: &Arc<Inode>, dir: &Arc<Inode>, name: &[u8]) {
        let _ = self.volume.change(|tx| {
            let mut locked = LockedSet::new(&[dir, file]);
            let now = self.volume.find_entry(locked.of(dir), name)?;
            if now.is_some_and(|entry| entry.seed.number == file.ino) && !locked.of(file).gone {
                set_parent(locked.of(file), (dir.ino, dir.hint));
                self.volume.mark(tx, locked.of(file));
            }
            Ok(())
        });
    }
}

fn parent(file: &Locked<'_>) -> Place {
    (file.slot.attributes.parent_number, file.slot.attributes.parent_hint)
}

fn set_parent(file: &mut Locked<'_>, (number, hint): Place) {
    file.slot.attributes.parent_number = number;
    file.slot.attributes.parent_hint = hint;
}
