//! Reading, writing and shaping file contents.

use super::node::{APPEND, CAPABILITY, IMMUTABLE, now};
use super::state::{SIZE_MAX, State};
use crate::base::{BLOCK_SIZE, Code, Ino, Result};
use crate::vfs::api::{FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE, FALLOC_ZERO_RANGE, Seek};
use std::sync::atomic::Ordering::Relaxed;

impl State {
    pub fn read(&self, ino: Ino, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let node = self.node(ino)?;
        let (size, content) = node.regular()?;
        let count = size.saturating_sub(offset).min(buf.len() as u64) as usize;
        content.read(offset, &mut buf[..count]);
        if count > 0 {
            node.atime.store(now(), Relaxed);
        }
        Ok(count)
    }

    pub fn write(&mut self, ino: Ino, offset: u64, data: &[u8], kill_suidgid: bool) -> Result<usize> {
        let node = self.node(ino)?;
        let (size, content) = node.regular()?;
        node.refuse(if offset < size { IMMUTABLE | APPEND } else { IMMUTABLE })?;
        let end = range_end(offset, data.len() as u64)?;
        if data.is_empty() {
            return Ok(0);
        }
        let added = content.missing(offset, data.len() as u64);
        self.change_content(ino, added, |size, content| {
            content.write(offset, data);
            *size = end.max(*size);
        })?;
        self.node_mut(ino)?.modified(kill_suidgid);
        Ok(data.len())
    }

    /// As `write`; privileges stay.
    pub fn write_back(&mut self, ino: Ino, offset: u64, data: &[u8]) -> Result<usize> {
        let capability = self.node(ino)?.xattrs.get(CAPABILITY).cloned();
        let done = self.write(ino, offset, data, false)?;
        if let Some(value) = capability {
            self.node_mut(ino)?.xattrs.insert(CAPABILITY.to_vec(), value);
        }
        Ok(done)
    }

    pub fn append(&mut self, ino: Ino, data: &[u8], kill_suidgid: bool) -> Result<u64> {
        let (offset, _) = self.node(ino)?.regular()?;
        self.write(ino, offset, data, kill_suidgid)?;
        Ok(offset)
    }

    pub fn fallocate(&mut self, ino: Ino, mode: u32, offset: u64, length: u64) -> Result<()> {
        let node = self.node(ino)?;
        let (_, content) = node.regular()?;
        let keep = mode & FALLOC_KEEP_SIZE != 0;
        let action = mode & !FALLOC_KEEP_SIZE;
        if !matches!(action, 0 | FALLOC_PUNCH_HOLE | FALLOC_ZERO_RANGE)
            || (action == FALLOC_PUNCH_HOLE && !keep)
        {
            return Err(Code::NotSupported.into());
        }
        node.refuse(if action == 0 { IMMUTABLE } else { IMMUTABLE | APPEND })?;
        if length == 0 {
            return Err(Code::InvalidArgument.into());
        }
        let end = range_end(offset, length)?;
        let added = if action == FALLOC_PUNCH_HOLE { 0 } else { content.missing(offset, length) };
        self.change_content(ino, added, |size, content| {
            if action != 0 {
                content.punch(offset, length);
            }
            if action != FALLOC_PUNCH_HOLE {
                content.allocate(offset, length);
            }
            if !keep {
                *size = end.max(*size);
            }
        })?;
        self.node_mut(ino)?.modified(false);
        Ok(())
    }

    pub fn seek(&self, ino: Ino, offset: u64, what: Seek) -> Result<u64> {
        let (size, content) = self.node(ino)?.regular()?;
        if offset >= size {
            return Err(Code::NoSeekTarget.into());
        }
        match what {
            Seek::Hole => Ok(content.next_hole(offset).min(size)),
            Seek::Data => content.next_data(offset).filter(|&at| at < size).ok_or(Code::NoSeekTarget.into()),
        }
    }

    /// Holes of the source become bytes of zero.
    pub fn copy_range(
        &mut self,
        from: Ino,
        from_offset: u64,
        to: Ino,
        to_offset: u64,
        length: u64,
    ) -> Result<u64> {
        let (size, _) = self.node(from)?.regular()?;
        let (target_size, _) = self.node(to)?.regular()?;
        let count = size.saturating_sub(from_offset).min(length);
        range_end(to_offset, count)?;
        if from == to && from_offset < to_offset + count && to_offset < from_offset + count {
            return Err(Code::InvalidArgument.into());
        }
        self.node(to)?.refuse(if to_offset < target_size { IMMUTABLE | APPEND } else { IMMUTABLE })?;
        let mut buf = vec![0; 64 * BLOCK_SIZE];
        let mut copied = 0;
        while copied < count {
            let part = (count - copied).min(buf.len() as u64) as usize;
            self.read(from, from_offset + copied, &mut buf[..part])?;
            match self.write(to, to_offset + copied, &buf[..part], false) {
                Err(error) if copied == 0 => return Err(error),
                Err(_) => break,
                Ok(written) => copied += written as u64,
            }
        }
        Ok(copied)
    }
}

fn range_end(offset: u64, length: u64) -> Result<u64> {
    offset.checked_add(length).filter(|&end| end <= SIZE_MAX).ok_or(Code::FileTooLarge.into())
}
