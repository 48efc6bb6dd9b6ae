//! Making and removing names.

use super::content::Content;
use super::directory::Directory;
use super::node::{APPEND, Body, IMMUTABLE, now};
use super::state::{State, TARGET_MAX};
use crate::base::{Code, Ino, Result};
use crate::vfs::api::{Attr, Caller};

impl State {
    pub fn mknod(
        &mut self,
        parent: Ino,
        name: Option<&[u8]>,
        mode: u32,
        rdev: u32,
        who: &Caller,
    ) -> Result<Attr> {
        let (mode, body) = match mode & libc::S_IFMT {
            // mknod(2): type 0 is a regular file.
            0 | libc::S_IFREG => {
                (mode | libc::S_IFREG, Body::Regular { size: 0, content: Content::default() })
            }
            libc::S_IFIFO | libc::S_IFSOCK | libc::S_IFCHR | libc::S_IFBLK => (mode, Body::Special),
            _ => return Err(Code::InvalidArgument.into()),
        };
        let is_device = matches!(mode & libc::S_IFMT, libc::S_IFCHR | libc::S_IFBLK);
        self.create(parent, name, mode & 0o177_777, if is_device { rdev } else { 0 }, body, who)
    }

    pub fn mkdir(&mut self, parent: Ino, name: &[u8], mode: u32, who: &Caller) -> Result<Attr> {
        let mode = libc::S_IFDIR | mode & 0o7777;
        self.create(parent, Some(name), mode, 0, Body::Directory(Directory::new(parent)), who)
    }

    pub fn symlink(&mut self, parent: Ino, name: &[u8], target: &[u8], who: &Caller) -> Result<Attr> {
        if target.len() > TARGET_MAX {
            return Err(Code::NameTooLong.into());
        }
        if target.is_empty() {
            return Err(Code::NotFound.into());
        }
        self.create(parent, Some(name), libc::S_IFLNK | 0o777, 0, Body::Symlink(target.to_vec()), who)
    }

    /// Also gives a name to a file made by O_TMPFILE. (A file that lost its last name cannot get
    /// another one; the kernel sees to that.)
    pub fn link(&mut self, ino: Ino, parent: Ino, name: &[u8]) -> Result<Attr> {
        let node = self.node(ino)?;
        if node.is_directory() {
            return Err(Code::NotPermitted.into());
        }
        node.refuse(IMMUTABLE | APPEND)?;
        if node.nlink == u32::MAX {
            return Err(Code::TooManyLinks.into());
        }
        self.check_free(parent, name)?;
        let home = self.node_mut(parent)?;
        home.directory_mut()?.insert(name, ino);
        home.modified(false);
        let node = self.node_mut(ino)?;
        node.nlink += 1;
        node.ctime = now();
        Ok(node.looked_up())
    }

    pub fn unlink(&mut self, parent: Ino, name: &[u8]) -> Result<()> {
        let ino = self.removable(parent, name)?;
        if self.node(ino)?.is_directory() {
            return Err(Code::IsDirectory.into());
        }
        self.drop_name(parent, name)?;
        self.lose_name(ino)
    }

    pub fn rmdir(&mut self, parent: Ino, name: &[u8]) -> Result<()> {
        let ino = self.removable(parent, name)?;
        if !self.node(ino)?.directory()?.is_empty() {
            return Err(Code::NotEmpty.into());
        }
        self.drop_name(parent, name)?;
        self.node_mut(parent)?.nlink -= 1;
        self.lose_name(ino)
    }

    /// The file under a name that may be taken away: neither it nor the directory is protected.
    pub fn removable(&self, parent: Ino, name: &[u8]) -> Result<Ino> {
        let ino = self.child(parent, name)?;
        self.node(parent)?.refuse(IMMUTABLE | APPEND)?;
        self.node(ino)?.refuse(IMMUTABLE | APPEND)?;
        Ok(ino)
    }

    fn drop_name(&mut self, parent: Ino, name: &[u8]) -> Result<()> {
        let home = self.node_mut(parent)?;
        home.directory_mut()?.remove(name);
        home.modified(false);
        Ok(())
    }
}
