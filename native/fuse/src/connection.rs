//! The connection to the kernel as those use it who have something to say that nobody asked for.

use crate::notify;
use crate::refused::Refused;
use hn4_core::base::Ino;
use parking_lot::RwLock;
use std::fs::File;
use std::io;

/// The connection, from the mount until the threads have ended: were it kept open longer, requests to a
/// mount that lost its threads would wait for ever instead of failing.
#[derive(Default)]
pub struct Connection {
    device: RwLock<Option<File>>,
    /// Pages that the kernel has to forget.
    pub refused: Refused,
}

impl Connection {
    pub fn open(&self, device: File) {
        *self.device.write() = Some(device);
    }

    pub fn close(&self) {
        self.refused.end();
        self.device.write().take();
    }

    /// Drops what the kernel keeps of a file: attributes, and data from byte `offset` on, `length` bytes of
    /// it (0: all). Waits for pages that a request holds, and has dirty ones written: never to be called by
    /// a thread that serves requests.
    pub fn invalidate_inode(&self, ino: Ino, offset: i64, length: i64) -> io::Result<()> {
        self.notify(|device| notify::invalidate_inode(device, ino, offset, length))
    }

    /// Drops the attributes that the kernel keeps of a file, and answers to requests that are under way. It
    /// waits for nothing that a request could hold, so it may be called while one is served: the file is in
    /// use by whoever asked, and no page is looked at (`fuse_reverse_inval_inode` of the kernel).
    pub fn invalidate_attributes(&self, ino: Ino) -> io::Result<()> {
        self.notify(|device| notify::invalidate_inode(device, ino, -1, 0))
    }

    /// Drops what the kernel keeps of a name. The warning of [`Connection::invalidate_inode`] holds.
    pub fn invalidate_entry(&self, parent: Ino, name: &[u8]) -> io::Result<()> {
        self.notify(|device| notify::invalidate_entry(device, parent, name))
    }

    /// Has the kernel forget refused pages until the connection is closed; for a thread of its own. `log`
    /// takes a line for each failure.
    pub fn forget_refused(&self, log: impl Fn(&str)) {
        while let Some((ino, range)) = self.refused.next() {
            let (offset, length) = (range.start as i64, (range.end - range.start) as i64);
            match self.invalidate_inode(ino, offset, length) {
                // The mount is gone, and its pages with it.
                Err(error) if error.raw_os_error() == Some(libc::ENODEV) => {}
                Err(error) => log(&format!("file {ino}: the kernel keeps bytes that were refused: {error}")),
                Ok(()) => {}
            }
        }
    }

    fn notify(&self, send: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
        match &*self.device.read() {
            Some(device) => send(device),
            None => Err(io::Error::from_raw_os_error(libc::ENODEV)),
        }
    }
}
