//! A mounted volume with what its operations share.

use super::found_names::FoundNames;
use super::links::{Links, is_virtual};
use crate::base::{Code, Ino, Result};
use crate::volume::{Inode, Volume};
use parking_lot::Mutex;
use std::sync::Arc;

/// A mounted volume with the operations of its front ends.
pub struct FileSystem {
    pub volume: Arc<Volume>,
    /// One rename that moves a directory at a time: the tree's shape changes only under it.
    pub(super) moving: Mutex<()>,
    /// Links of `.hn4/id` that the front end knows.
    pub(super) links: Mutex<Links>,
    /// Names that were found for such links.
    pub(super) found_names: Mutex<FoundNames>,
}

impl FileSystem {
    pub fn new(volume: Arc<Volume>) -> FileSystem {
        FileSystem { volume, moving: Mutex::new(()), links: Mutex::default(), found_names: Mutex::default() }
    }

    /// A directory that the front end has looked up.
    pub(super) fn directory(&self, ino: Ino) -> Result<Arc<Inode>> {
        if is_virtual(ino) {
            return Err(Code::NotPermitted.into());
        }
        let inode = self.volume.by_ino(ino)?;
        if inode.is_directory() { Ok(inode) } else { Err(Code::NotDirectory.into()) }
    }
}
