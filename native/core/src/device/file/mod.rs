//! A volume in an image file or on a block device of the host.

mod discard;
mod lock;
mod open;
mod rings;
#[cfg(test)]
mod tests;
mod transfer;
mod watch;

pub use lock::ImageLock;
pub use open::OpenFile;

use self::discard::Discarder;
use self::transfer::HostFile;
use self::watch::Watch;
use super::host::{error, sys};
use super::{BlockWrite, Device, Outside, bounds};
use crate::base::{BLOCK_SIZE, BlockNumber, Code, Error, Result, shown};
use std::fmt;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// An image file or block device, locked against a second writer while it lives.
///
/// Transfers bypass the host's page cache (O_DIRECT) where the host can, and go through it where it
/// cannot. The number of blocks is read once, at open: whole blocks, the rest is left alone.
pub struct FileDevice {
    path: PathBuf,
    host: HostFile,
    discarder: Discarder,
    block_count: u64,
    read_only: bool,
    flush_failed: AtomicBool,
    lock: Option<ImageLock>,
    watch: Watch,
}

impl FileDevice {
    /// Whether transfers bypass the host's page cache at the moment.
    pub fn direct(&self) -> bool {
        self.host.direct()
    }
    pub fn path(&self) -> &Path {
        &self.path
    }
    /// Whether the volume lies on a block device (else in an image file).
    pub fn is_block_device(&self) -> bool {
        self.discarder.is_block_device()
    }

    /// Error: the image no longer has room for the volume, or no name, so that it ends with its last descriptor.
    fn check_there(&self) -> Result<Metadata> {
        let name = shown(&self.path);
        let gone = |what: String| Err(Error::new(Code::Io, format!("the image {name} {what}")));
        let failed = |cause| error::transfer("look at the image", 0, 0, &cause);
        let file = self.host.file();
        let stat = file.metadata().map_err(failed)?;
        let bytes = if self.is_block_device() { sys::device_size(file).map_err(failed)? } else { stat.len() };
        if bytes / (BLOCK_SIZE as u64) < self.block_count {
            return gone(format!("was cut to {bytes} bytes while it was in use"));
        }
        // A device without a node is still there.
        let named =
            if self.is_block_device() { self.lock.as_ref().and_then(ImageLock::backing) } else { Some(file) };
        if let Some(named) = named
            && named.metadata().map_err(failed)?.nlink() == 0
        {
            return gone("was deleted or replaced while it was in use".into());
        }
        Ok(stat)
    }

    fn check_writable(&self, what: &str) -> Result<()> {
        if !self.read_only {
            return Ok(());
        }
        Err(Error::new(Code::ReadOnly, format!("{what}: {} is open read-only", shown(&self.path))))
    }
}

impl fmt::Debug for FileDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileDevice")
            .field("path", &self.path)
            .field("block_count", &self.block_count)
            .field("read_only", &self.read_only)
            .field("direct", &self.direct())
            .finish_non_exhaustive()
    }
}

impl Device for FileDevice {
    fn block_count(&self) -> u64 {
        self.block_count
    }

    fn read(&self, at: BlockNumber, buf: &mut [u8]) -> Result<()> {
        bounds::check(self.block_count, at, buf.len())?;
        self.host.read(at.byte(), buf)
    }

    fn write(&self, at: BlockNumber, buf: &[u8]) -> Result<()> {
        self.check_writable("write")?;
        bounds::check(self.block_count, at, buf.len())?;
        self.host.write(at.byte(), buf)
    }

    fn write_vectored(&self, at: BlockNumber, bufs: &[&[u8]]) -> Result<()> {
        self.check_writable("write")?;
        bounds::check_all(self.block_count, at, bufs)?;
        self.host.write_vectored(at.byte(), bufs)
    }

    fn write_many(&self, writes: &[BlockWrite<'_>]) -> Result<()> {
        self.check_writable("write")?;
        for write in writes {
            bounds::check_all(self.block_count, write.at, write.bufs)?;
        }
        self.host.write_many(writes)
    }

    fn writes_at_once(&self) -> usize {
        self.host.writes_at_once()
    }

    /// fdatasync: the file's size never changes. After one failure every later flush fails too,
    /// for the host forgets which pages it could not write and would answer "done".
    fn flush(&self) -> Result<()> {
        if self.flush_failed.load(Ordering::Acquire) {
            return Err(Error::new(Code::Io, "flush: an earlier flush failed, writes may be lost"));
        }
        self.host.file().sync_data().map_err(|cause| {
            self.flush_failed.store(true, Ordering::Release);
            error::transfer("flush", 0, 0, &cause)
        })
    }

    fn discard(&self, at: BlockNumber, count: u64) -> Result<()> {
        self.check_writable("discard")?;
        bounds::check_blocks(self.block_count, at, count)?;
        self.discarder.discard(self.host.file(), at, count)
    }

    fn read_only(&self) -> bool {
        self.read_only
    }

    fn outside(&self, thorough: bool) -> Result<Outside> {
        let stat = self.check_there()?;
        let id = |stat: &Metadata| match self.is_block_device() {
            true => (0, stat.rdev()),
            false => (stat.dev(), stat.ino()),
        };
        let moved = std::fs::metadata(&self.path).map_or(true, |named| id(&named) != id(&stat));
        Ok(Outside { touched: self.watch.was_opened() || thorough, moved })
    }
}
