//! One io_uring and the entries of FUSE queues that it serves.

use crate::abi::uring::{
    AT_ENTRY, AT_IN_OUT, AT_OP_IN, CMD_COMMIT_AND_FETCH, CMD_REGISTER, IOV_SEGMENTS, REQ_HEADER,
    UringCommand, UringEntry,
};
use crate::abi::{InHeader, OUT_HEADER, OutHeader};
use crate::transport::buffer::PageBuffer;
use crate::transport::{MAX_PAYLOAD, PAGE};
use io_uring::squeue::Entry128;
use io_uring::{IoUring, cqueue, opcode, types};
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use zerocopy::{FromBytes, IntoBytes};

/// Where struct io_uring_sqe has its `len`; the builder of commands cannot set it.
const AT_SQE_LEN: usize = 24;

/// What the kernel fills with a request, and we with its reply.
pub struct Entry {
    queue: u16,
    /// A page, of which the kernel knows the first REQ_HEADER bytes.
    header: PageBuffer,
    payload: PageBuffer,
    /// Where both lie; the kernel reads it when the entry is registered.
    iovec: [libc::iovec; 2],
    /// A command of it is with the kernel, which may write to the buffers.
    lent: bool,
}

impl Entry {
    fn new(queue: u16) -> io::Result<Entry> {
        let (mut header, mut payload) = (PageBuffer::new(PAGE)?, PageBuffer::new(MAX_PAYLOAD)?);
        let iovec = [
            libc::iovec { iov_base: header.as_mut_ptr().cast(), iov_len: REQ_HEADER },
            libc::iovec { iov_base: payload.as_mut_ptr().cast(), iov_len: MAX_PAYLOAD },
        ];
        Ok(Entry { queue, header, payload, iovec, lent: false })
    }

    /// The request: its header, fixed part, and the payload with its size. None: the kernel broke its word.
    pub fn request(&mut self) -> Option<(InHeader, &[u8], &mut [u8], usize)> {
        let (head, _) = InHeader::read_from_prefix(&self.header[AT_IN_OUT..AT_OP_IN]).ok()?;
        let size = self.record()?.payload_sz as usize;
        (size <= MAX_PAYLOAD).then_some((head, &self.header[AT_OP_IN..AT_ENTRY], &mut self.payload[..], size))
    }

    fn record(&self) -> Option<UringEntry> {
        UringEntry::read_from_bytes(&self.header[AT_ENTRY..REQ_HEADER]).ok()
    }

    /// Puts a reply in place: the payload of `size` bytes is in the buffer already.
    fn answer(&mut self, unique: u64, error: i32, size: usize) -> u64 {
        let head = OutHeader { len: (OUT_HEADER + size) as u32, error, unique };
        self.header[AT_IN_OUT..AT_IN_OUT + OUT_HEADER].copy_from_slice(head.as_bytes());
        let commit_id = self.record().map_or(unique, |record| record.commit_id);
        let record = UringEntry { commit_id, payload_sz: size as u32, ..Default::default() };
        self.header[AT_ENTRY..REQ_HEADER].copy_from_slice(record.as_bytes());
        commit_id
    }
}

/// Entries and their io_uring. Used by one thread.
pub struct Ring {
    io: IoUring<Entry128, cqueue::Entry>,
    device: RawFd,
    entries: Vec<Entry>,
}

/// What a wait brought.
pub enum Event {
    /// The entry of this number holds a request.
    Request(usize),
    /// An entry's command failed with this errno (positive).
    Failed(usize, i32),
}

impl Ring {
    /// A ring for these queues, one entry for each; nothing is registered yet. `device` must outlive it.
    /// Errors: those of io_uring_setup (EPERM: forbidden here; ENOSYS), no memory.
    pub fn new(device: &impl AsRawFd, queues: &[u16]) -> io::Result<Ring> {
        let entries = queues.iter().map(|&queue| Entry::new(queue)).collect::<io::Result<Vec<_>>>()?;
        let size = (entries.len() as u32).next_power_of_two();
        // One thread submits and reaps: completions need no interrupt of it.
        let io = IoUring::<Entry128, cqueue::Entry>::builder()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .build(size)?;
        Ok(Ring { io, device: device.as_raw_fd(), entries })
    }

    pub fn entries(&self) -> usize {
        self.entries.len()
    }

    pub fn entry(&mut self, number: usize) -> &mut Entry {
        &mut self.entries[number]
    }

    /// Hands an entry to its queue, with the next [`Ring::wait`].
    pub fn register(&mut self, number: usize) -> io::Result<()> {
        let address = self.entries[number].iovec.as_ptr() as u64;
        self.push(number, CMD_REGISTER, 0, Some(address))
    }

    /// Answers the request in an entry and asks for the next, with the next [`Ring::wait`].
    pub fn answer(&mut self, number: usize, unique: u64, error: i32, size: usize) -> io::Result<()> {
        let commit_id = self.entries[number].answer(unique, error, size);
        self.push(number, CMD_COMMIT_AND_FETCH, commit_id, None)
    }

    fn push(&mut self, number: usize, code: u32, commit_id: u64, address: Option<u64>) -> io::Result<()> {
        let entry = &mut self.entries[number];
        let mut command = [0; 80];
        let request = UringCommand { commit_id, qid: entry.queue, ..Default::default() };
        command[..size_of::<UringCommand>()].copy_from_slice(request.as_bytes());
        let built = opcode::UringCmd80::new(types::Fd(self.device), code).cmd(command).addr(address).build();
        let mut built = built.user_data(number as u64);
        if address.is_some() {
            set_len(&mut built, IOV_SEGMENTS);
        }
        // SAFETY: the entry's buffers are mappings of their own and its iovec lies in a vector that never grows;
        // both are freed only when no command of the entry is with the kernel (`lent`, see `drop`).
        unsafe { self.io.submission().push(&built) }.map_err(io::Error::other)?;
        entry.lent = true;
        Ok(())
    }

    /// Submits what was pushed and waits for a completion.
    pub fn wait(&mut self) -> io::Result<Event> {
        loop {
            let done = self.io.completion().next();
            if let Some(done) = done {
                // Others do not wait for what is done with this one.
                if !self.io.submission().is_empty() {
                    self.io.submit()?;
                }
                let number = done.user_data() as usize;
                let Some(entry) = self.entries.get_mut(number) else {
                    return Err(io::Error::other("a completion of no entry"));
                };
                entry.lent = false;
                return Ok(match done.result() {
                    0.. => Event::Request(number),
                    error => Event::Failed(number, -error),
                });
            }
            match self.io.submit_and_wait(1) {
                Err(error)
                    if !matches!(error.raw_os_error(), Some(libc::EINTR | libc::EAGAIN | libc::EBUSY)) =>
                {
                    return Err(error);
                }
                _ => {}
            }
        }
    }

    /// Whether a command of any entry is with the kernel.
    pub fn is_lent(&self) -> bool {
        self.entries.iter().any(|entry| entry.lent)
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        for entry in self.entries.drain(..) {
            if entry.lent {
                // The kernel may still write to it: leaked, at the end of a mount that went wrong.
                std::mem::forget(entry);
            }
        }
    }
}

fn set_len(entry: &mut Entry128, len: u32) {
    // SAFETY: an Entry128 is a struct io_uring_sqe of 128 bytes, a plain record of the kernel's ABI, whose bytes
    // 24 to 27 are `len` (linux/io_uring.h); the test below compares with an operation whose builder sets it.
    unsafe { std::ptr::from_mut(entry).cast::<u8>().add(AT_SQE_LEN).cast::<u32>().write(len) };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of a submission entry.
    fn bytes<T>(entry: &T) -> &[u8] {
        // SAFETY: entries are plain records without padding (struct io_uring_sqe).
        unsafe { std::slice::from_raw_parts(std::ptr::from_ref(entry).cast(), size_of::<T>()) }
    }

    #[test]
    fn length_stands_where_the_kernel_reads_it() {
        let read = opcode::Read::new(types::Fd(3), std::ptr::null_mut(), 0x0102_0304).build();
        assert_eq!(bytes(&read)[AT_SQE_LEN..AT_SQE_LEN + 4], 0x0102_0304_u32.to_le_bytes());
        let mut command = opcode::UringCmd80::new(types::Fd(3), CMD_REGISTER).build();
        let before = bytes(&command).to_vec();
        set_len(&mut command, 0x0102_0304);
        let changed = (0..128).filter(|&at| bytes(&command)[at] != before[at]).collect::<Vec<_>>();
        assert_eq!(changed, [24, 25, 26, 27]);
    }
}
