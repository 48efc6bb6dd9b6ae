//! /dev/fuse: one read(2) per request, one write(2) per reply, one channel per thread.
//!
//! Both buffers are laid out so that bulk data lies at a page border (copied page by page, fit
//! for O_DIRECT): a request is read to 80 bytes before it, the headers of a WRITE; a reply's
//! payload starts at it, its header 16 bytes before.

use super::buffer::PageBuffer;
use super::{MAX_PAYLOAD, PAGE};
use crate::abi::{DEV_IOC_CLONE, IN_HEADER, InHeader, OUT_HEADER, OutHeader, WriteIn, opcode};
use crate::handler::{Body, Handler, Outcome};
use crate::wire::{LookedUp, Reply};
use hn4_core::vfs::api::Vfs;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use zerocopy::{FromBytes, IntoBytes};

/// Where a request begins in its buffer.
const REQUEST_START: usize = PAGE - IN_HEADER - size_of::<WriteIn>();
/// Where a reply begins in its buffer.
const REPLY_START: usize = PAGE - OUT_HEADER;

/// A connection not bound to a mount yet.
pub fn open_device() -> io::Result<OwnedFd> {
    let file = OpenOptions::new().read(true).write(true).custom_flags(libc::O_CLOEXEC).open("/dev/fuse")?;
    Ok(file.into())
}

/// Another channel of the mount that `master` serves. A request is answered on the channel it
/// was read from.
pub fn clone_channel(master: &OwnedFd) -> io::Result<OwnedFd> {
    let channel = open_device()?;
    let number = master.as_raw_fd() as u32;
    // SAFETY: FUSE_DEV_IOC_CLONE reads one u32 through the pointer, which outlives the call.
    match unsafe { libc::ioctl(channel.as_raw_fd(), DEV_IOC_CLONE, &number) } {
        0 => Ok(channel),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Serves requests until the mount is gone. An error is a failure of the channel itself.
pub fn serve<V: Vfs>(channel: OwnedFd, handler: &Handler<V>) -> io::Result<()> {
    let mut channel = File::from(channel);
    let mut request = PageBuffer::new(PAGE + MAX_PAYLOAD)?;
    let mut answer = PageBuffer::new(PAGE + MAX_PAYLOAD)?;
    while let Some(len) = receive(&mut channel, &mut request[REQUEST_START..])? {
        let bytes = &request[REQUEST_START..REQUEST_START + len];
        let Ok((header, body)) = InHeader::read_from_prefix(bytes) else {
            handler.log("a request without header was dropped");
            continue;
        };
        let mut reply = Reply::new(&mut answer[PAGE..]);
        let outcome = handler.handle(&header, Body::Whole(body), &mut reply);
        let (looked_up, len) = (reply.looked_up, reply.len());
        respond(&mut channel, handler, &header, outcome, looked_up, &mut answer, len);
        if header.opcode == opcode::INIT {
            handler.init_answered();
        }
    }
    Ok(())
}

/// The next request's size in bytes, or None when the mount is gone.
fn receive(channel: &mut File, buf: &mut [u8]) -> io::Result<Option<usize>> {
    loop {
        match channel.read(buf) {
            Ok(len) => return Ok(Some(len)),
            Err(error) => match error.raw_os_error() {
                // ENOENT: the request was aborted while it was being read.
                Some(libc::EINTR | libc::EAGAIN | libc::ENOENT) => {}
                Some(libc::ENODEV | libc::ECONNABORTED) => return Ok(None),
                _ => return Err(error),
            },
        }
    }
}

fn respond<V: Vfs>(
    channel: &mut File,
    handler: &Handler<V>,
    header: &InHeader,
    outcome: Outcome,
    looked_up: LookedUp,
    answer: &mut PageBuffer,
    len: usize,
) {
    let (error, len) = match outcome {
        Outcome::Silent => return,
        Outcome::Done => (0, len),
        Outcome::Failed(errno) => (-errno, 0),
    };
    let head = OutHeader { len: (OUT_HEADER + len) as u32, error, unique: header.unique };
    answer[REPLY_START..PAGE].copy_from_slice(head.as_bytes());
    if let Err(error) = channel.write(&answer[REPLY_START..PAGE + len]) {
        // ENOENT: nobody waits for the answer any more. ENODEV, EPERM: the mount is gone.
        if !matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENODEV | libc::EPERM)) {
            handler.log(&format!("the kernel refused a reply to {}: {error}", opcode::name(header.opcode)));
        }
        if outcome == Outcome::Done {
            handler.take_back(looked_up, &answer[PAGE..PAGE + len]);
        }
    }
}
