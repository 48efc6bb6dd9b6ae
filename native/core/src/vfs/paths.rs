//! From a file up to the root and down again: its path, for who may walk it.

use super::FileSystem;
use super::acls::ACCESS;
use super::api::MaySearch;
use super::stat::attr;
use crate::base::{Code, Error, Ino, Result};
use crate::extension::xattr;
use crate::format::layout;
use crate::volume::Inode;
use std::sync::Arc;

/// Directories above a file: more than this is a loop on the disk.
const DEPTH_MAX: usize = 4096;
/// Entries looked at under one lock of a directory.
const SLICE: usize = 256;

impl FileSystem {
    /// A path of the file from the root on, with a slash before each name. AccessDenied: it leads through a
    /// directory that must not be searched; nothing of its names was looked at then.
    pub(super) fn path_of(&self, file: Arc<Inode>, may_search: &MaySearch<'_>) -> Result<Vec<u8>> {
        let number = file.ino;
        let mut up = vec![file];
        while let Some(last) = up.last().filter(|last| last.ino != layout::INO_ROOT) {
            if up.len() > DEPTH_MAX {
                return Err(Error::new(Code::Corrupt, format!("file {number}: its parents form a loop")));
            }
            let parent = self.parent_of(last)?;
            up.push(parent);
        }
        for dir in up[1..].iter().rev() {
            let state = dir.share();
            let xattrs = self.volume.xattrs(state.view())?;
            let list = xattr::get(&xattrs, ACCESS).unwrap_or_default();
            if !may_search(&attr(state.view()), list) {
                return Err(Code::AccessDenied.into());
            }
        }
        let mut path = Vec::new();
        for pair in up.windows(2).rev() {
            path.push(b'/');
            path.extend(self.name_in(&pair[1], pair[0].ino)?);
        }
        Ok(path)
    }

    /// The name of a file in a directory: the one found last time, else by looking through it, a slice under
    /// each lock.
    fn name_in(&self, dir: &Arc<Inode>, file: Ino) -> Result<Vec<u8>> {
        let known = self.found_names.lock().of(file, dir.ino);
        if let Some(name) = known {
            let entry = self.volume.find_name(&self.volume.names(dir)?, &name)?;
            if entry.is_some_and(|entry| entry.seed.number == file) {
                return Ok(name);
            }
        }
        let mut behind = 0;
        loop {
            let (mut seen, mut name) = (0, None);
            self.volume.iterate(&self.volume.names(dir)?, behind, &mut |entry, found| {
                seen += 1;
                behind = entry.cookie;
                if entry.seed.number == file {
                    name = Some(found.to_vec());
                }
                name.is_none() && seen < SLICE
            })?;
            if let Some(name) = name {
                self.found_names.lock().remember(file, dir.ino, &name);
                return Ok(name);
            }
            if seen < SLICE {
                return Err(Code::NotFound.into());
            }
        }
    }
}
