//! Reads and writes of whole ranges: short transfers, interrupts, O_DIRECT and its refusal.

use super::rings::{AT_ONCE, RingWrite, Rings};
use crate::base::{BLOCK_SIZE, BufPool, POOLED_BLOCKS_MAX, Result};
use crate::device::BlockWrite;
use crate::device::host::{error, sys};
use std::cell::Cell;
use std::fs::File;
use std::io::{self, ErrorKind, IoSlice};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Largest bounce buffer; a longer transfer goes in pieces.
const BOUNCE_BYTES: usize = POOLED_BLOCKS_MAX * BLOCK_SIZE;
/// Unused bounce buffers kept, in bytes.
const BOUNCE_KEPT_MAX: usize = 8 * BOUNCE_BYTES;

/// An open file of the host, and whether its page cache is bypassed.
///
/// `direct` only ever goes from true to false: at open, or when a transfer is refused with EINVAL.
/// It is switched on the open file itself, for opening anew would give up the lock.
pub(super) struct HostFile {
    file: File,
    direct: AtomicBool,
    /// Bytes that memory of a direct transfer must be aligned to.
    memory_align: usize,
    bounce: Arc<BufPool>,
    /// For direct transfers; none where the host has no io_uring.
    rings: Option<Rings>,
}

impl HostFile {
    pub(super) fn new(file: File, want_direct: bool) -> HostFile {
        let told = sys::direct_alignment(&file);
        // A host that needs more than a block of alignment, or has no direct I/O, says so here.
        let possible = told.is_none_or(|(memory, offset)| {
            memory != 0 && offset != 0 && memory.max(offset) as usize <= BLOCK_SIZE
        });
        let direct = want_direct && possible && sys::set_direct(&file, true).is_ok();
        let memory_align = told.map_or(BLOCK_SIZE, |(memory, _)| memory.max(1) as usize);
        HostFile {
            file,
            direct: AtomicBool::new(direct),
            memory_align,
            bounce: BufPool::new(BOUNCE_KEPT_MAX),
            rings: if direct { Rings::new().ok() } else { None },
        }
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    pub(super) fn direct(&self) -> bool {
        self.direct.load(Ordering::Relaxed)
    }

    #[cfg(test)]
    pub(super) fn pretend_any_alignment(&mut self) {
        self.memory_align = 1;
    }

    /// As where the host has no io_uring.
    #[cfg(test)]
    pub(super) fn forget_rings(&mut self) {
        self.rings = None;
    }

    pub(super) fn read(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        if !self.needs_bounce(buf) {
            return self.read_into(offset, buf);
        }
        let mut at = offset;
        for part in buf.chunks_mut(BOUNCE_BYTES) {
            let mut bounce = self.bounce.take(part.len() / BLOCK_SIZE);
            self.read_into(at, &mut bounce)?;
            part.copy_from_slice(&bounce);
            at += part.len() as u64;
        }
        Ok(())
    }

    pub(super) fn write(&self, offset: u64, buf: &[u8]) -> Result<()> {
        if self.needs_bounce(buf) {
            return self.write_gathered(offset, &[buf]);
        }
        self.write_from(offset, buf)
    }

    pub(super) fn write_vectored(&self, offset: u64, bufs: &[&[u8]]) -> Result<()> {
        if bufs.iter().any(|buf| self.needs_bounce(buf)) {
            return self.write_gathered(offset, bufs);
        }
        let total = bufs.iter().map(|buf| buf.len()).sum();
        let mut slices: Vec<IoSlice<'_>> = bufs.iter().map(|buf| IoSlice::new(buf)).collect();
        let mut rest = &mut slices[..];
        let mut written = 0;
        self.complete("write", offset, total, |done| {
            IoSlice::advance_slices(&mut rest, done - written);
            written = done;
            sys::write_vectored_at(&self.file, rest, offset + done as u64)
        })
    }

    /// Writes that gain by being made side by side: through the host's cache they are copies and no more.
    pub(super) fn writes_at_once(&self) -> usize {
        if self.direct() && self.rings.is_some() { AT_ONCE } else { 1 }
    }

    pub(super) fn write_many(&self, writes: &[BlockWrite<'_>]) -> Result<()> {
        let bufs = || writes.iter().flat_map(|write| write.bufs);
        let rings = self.rings.as_ref().filter(|_| self.direct() && writes.len() > 1);
        let Some(rings) = rings.filter(|_| !bufs().any(|buf| self.needs_bounce(buf))) else {
            return writes.iter().try_for_each(|write| self.write_vectored(write.at.byte(), write.bufs));
        };
        let slices: Vec<IoSlice<'_>> = bufs().map(|buf| IoSlice::new(buf)).collect();
        let mut rest = &slices[..];
        let mut many = Vec::with_capacity(writes.len());
        for write in writes {
            let (slices, others) = rest.split_at(write.bufs.len());
            rest = others;
            let slices = &slices[..slices.len().min(libc::UIO_MAXIOV as usize)];
            many.push(RingWrite { offset: write.at.byte(), slices });
        }
        for (writes, many) in writes.chunks(AT_ONCE).zip(many.chunks(AT_ONCE)) {
            for (write, answer) in writes.iter().zip(rings.write(&self.file, many)) {
                let bytes: usize = write.bufs.iter().map(|buf| buf.len()).sum();
                // A short, refused or failed one is made as any other, and says what is wrong.
                if usize::try_from(answer) != Ok(bytes) {
                    self.write_vectored(write.at.byte(), write.bufs)?;
                }
            }
        }
        Ok(())
    }

    /// Writes the buffers one after the other through aligned memory.
    fn write_gathered(&self, offset: u64, bufs: &[&[u8]]) -> Result<()> {
        let mut rest: usize = bufs.iter().map(|buf| buf.len()).sum();
        let mut source = bufs.iter().flat_map(|buf| buf.chunks_exact(BLOCK_SIZE));
        let mut at = offset;
        while rest > 0 {
            let bytes = rest.min(BOUNCE_BYTES);
            let mut bounce = self.bounce.take(bytes / BLOCK_SIZE);
            for (to, from) in bounce.chunks_exact_mut(BLOCK_SIZE).zip(&mut source) {
                to.copy_from_slice(from);
            }
            self.write_from(at, &bounce)?;
            at += bytes as u64;
            rest -= bytes;
        }
        Ok(())
    }

    fn read_into(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        self.complete("read", offset, buf.len(), |done| {
            self.file.read_at(&mut buf[done..], offset + done as u64)
        })
    }

    fn write_from(&self, offset: u64, buf: &[u8]) -> Result<()> {
        self.complete("write", offset, buf.len(), |done| {
            self.file.write_at(&buf[done..], offset + done as u64)
        })
    }

    fn needs_bounce(&self, buf: &[u8]) -> bool {
        self.direct() && buf.as_ptr() as usize % self.memory_align != 0
    }

    fn complete(
        &self,
        operation: &str,
        offset: u64,
        bytes: usize,
        mut step: impl FnMut(usize) -> io::Result<usize>,
    ) -> Result<()> {
        // Noted before each call: whoever was not direct and still gets EINVAL has a real error.
        let was_direct = Cell::new(false);
        transfer_all(
            operation,
            offset,
            bytes,
            |done| {
                was_direct.set(self.direct());
                step(done)
            },
            || was_direct.get() && self.give_up_direct(),
        )
    }

    /// Goes through the host's page cache from now on; false if the host refuses that too.
    fn give_up_direct(&self) -> bool {
        let given_up = sys::set_direct(&self.file, false).is_ok();
        if given_up {
            self.direct.store(false, Ordering::Relaxed);
        }
        given_up
    }
}

/// Calls `step` with the number of bytes done so far until all `bytes` are; `step` returns how many
/// it moved. On EINVAL `try_other_way` decides whether the step is worth another call.
fn transfer_all(
    operation: &str,
    offset: u64,
    bytes: usize,
    mut step: impl FnMut(usize) -> io::Result<usize>,
    mut try_other_way: impl FnMut() -> bool,
) -> Result<()> {
    let mut done = 0;
    while done < bytes {
        match step(done) {
            Ok(0) => {
                let cause = format!("the host moved only {done}: the image has become shorter");
                return Err(error::transfer(operation, offset, bytes, &cause));
            }
            Ok(moved) => done += moved,
            Err(cause) if cause.kind() == ErrorKind::Interrupted => {}
            Err(cause) if cause.raw_os_error() == Some(libc::EINVAL) && try_other_way() => {}
            Err(cause) => return Err(error::transfer(operation, offset, bytes, &cause)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Code;

    fn errno(number: i32) -> io::Result<usize> {
        Err(io::Error::from_raw_os_error(number))
    }

    #[test]
    fn short_and_interrupted_transfers_go_on_where_they_stopped() {
        let mut answers = vec![Ok(100), errno(libc::EINTR), Ok(4000), Ok(4092)].into_iter();
        let mut seen = Vec::new();
        let step = |done| {
            seen.push(done);
            answers.next().unwrap()
        };
        transfer_all("read", 0, 8192, step, || false).unwrap();
        assert_eq!(seen, [0, 100, 100, 4100]);
    }

    #[test]
    fn einval_is_tried_the_other_way_once_that_is_offered() {
        let mut answers = vec![errno(libc::EINVAL), Ok(4096)].into_iter();
        transfer_all("read", 0, 4096, |_| answers.next().unwrap(), || true).unwrap();
        let error = transfer_all("write", 8192, 4096, |_| errno(libc::EINVAL), || false).unwrap_err();
        assert_eq!(error.code, Code::Io);
    }

    #[test]
    fn an_error_tells_operation_offset_length_and_cause() {
        let error = transfer_all("write", 8192, 4096, |_| errno(libc::ENOSPC), || true).unwrap_err();
        assert_eq!(error.code, Code::Io);
        for part in ["write", "4096 bytes", "offset 8192", "No space left"] {
            assert!(error.detail().contains(part), "{error}");
        }
    }

    #[test]
    fn no_progress_is_an_error_not_a_loop() {
        let error = transfer_all("read", 0, 4096, |_| Ok(0), || true).unwrap_err();
        assert!(error.detail().contains("shorter"), "{error}");
    }
}
