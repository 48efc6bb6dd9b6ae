//! From a file up to the root and down again: its path, for who may walk it.

use super::FileSystem;
use super::acls::ACCESS;
use super::api::{Attr, MaySearch};
use super::stat::attr;
use crate::base::{Code, Error, Ino, Result};
use crate::extension::xattr;
use crate::format::layout;
use crate::volume::Inode;
use std::sync::Arc;

/// Directories above a file: more than this is a loop on the disk.
const DEPTH_MAX: usize = 4096;

impl FileSystem {
    /// A path of the file from the root on, with a slash before each name. AccessDenied: it leads through a
    /// directory that must not be searched; nothing of its names was looked at then. NotFound: it has no name
    /// where it says; the whole tree is looked through only for who may search all of it.
    pub(super) fn path_of(&self, file: Arc<Inode>, may_search: &MaySearch<'_>) -> Result<Vec<u8>> {
        if file.ino == layout::INO_ROOT {
            return Ok(Vec::new());
        }
        if file.is_directory() {
            return self.path_below(self.parent_of(&file)?, &file, may_search);
        }
        let by_parent = match self.parent_if_any(&file)? {
            Some(dir) => self.path_below(dir, &file, may_search),
            None => Err(Code::NotFound.into()),
        };
        match by_parent {
            Err(error) if error.code == Code::NotFound && may_search_all(may_search) => {
                self.path_below(self.search_name(&file)?, &file, may_search)
            }
            path => path,
        }
    }

    /// The path of a file by its name in `dir`.
    fn path_below(&self, dir: Arc<Inode>, file: &Arc<Inode>, may_search: &MaySearch<'_>) -> Result<Vec<u8>> {
        let mut up = vec![file.clone(), dir];
        while let Some(last) = up.last().filter(|last| last.ino != layout::INO_ROOT) {
            if up.len() > DEPTH_MAX {
                let text = format!("file {}: its parents form a loop", file.ino);
                return Err(Error::new(Code::Corrupt, text));
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

    /// The directory that the slot of a file says, if it is one still: it may be deleted when the file lost its
    /// name there.
    fn parent_if_any(&self, file: &Arc<Inode>) -> Result<Option<Arc<Inode>>> {
        let (number, hint) = {
            let attributes = &file.share().slot.attributes;
            (attributes.parent_number, attributes.parent_hint)
        };
        if number != layout::INO_ROOT && number < layout::INO_FIRST {
            return Ok(None);
        }
        match self.volume.inode(number, hint) {
            Ok(dir) => {
                Ok(Some(dir).filter(|dir| dir.is_directory() && dir.share().slot.attributes.nlink > 0))
            }
            Err(error) if error.code == Code::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The name of a file in a directory: the one found last time, else by looking through it.
    fn name_in(&self, dir: &Arc<Inode>, file: Ino) -> Result<Vec<u8>> {
        let known = self.found_names.lock().of(file, dir.ino);
        if let Some(name) = known {
            let entry = self.volume.find_name(&self.volume.names(dir)?, &name)?;
            if entry.is_some_and(|entry| entry.seed.number == file) {
                return Ok(name);
            }
        }
        let found = self.find_in(dir, &mut |entry| entry.seed.number == file)?;
        let name = found.ok_or(Code::NotFound)?;
        self.found_names.lock().remember(file, dir.ino, &name);
        Ok(name)
    }
}

/// Whether somebody may search every directory: one that lets nobody in.
fn may_search_all(may_search: &MaySearch<'_>) -> bool {
    let closed = Attr { mode: libc::S_IFDIR, uid: u32::MAX, gid: u32::MAX, ..Attr::default() };
    may_search(&closed, &[])
}
