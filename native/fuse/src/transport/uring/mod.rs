//! FUSE over io_uring (Linux 6.14): a queue per processor, requests and replies in memory that kernel and
//! session share, one system call that answers a request and waits for the next.
//!
//! INIT, FORGET and INTERRUPT still come through /dev/fuse, and so does everything where the kernel has no
//! queues or one cannot be set up. Each thread has an io_uring of its own with one entry of one queue: a
//! request that waits (for a commit, for a lock) holds up no other. Processors that are not there share the
//! entries of one thread, for the kernel waits until every queue has one.

mod cpus;
mod ring;
mod switch;

use super::MAX_PAYLOAD;
use super::buffer::PageBuffer;
#[cfg(feature = "testing")]
use crate::handler::UringFault;
use crate::handler::{Body, Handler, Outcome};
use crate::wire::Reply;
use hn4_core::vfs::api::Vfs;
use ring::{Event, Ring};
use std::io;
use std::os::fd::AsRawFd;
pub use switch::Switch;

/// Threads of a processor: as many requests may wait for the disk at once.
const PER_CPU: usize = 4;

/// What one thread serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// Of its thread.
    number: usize,
    /// The processor it stays on.
    cpu: Option<usize>,
    queues: Vec<u16>,
}

/// The shares of the threads: some for each processor that is there, one for all others.
///
/// `threads`: how many there may be in all, 0 for [`PER_CPU`] each; a processor always has one.
pub fn shares(threads: usize) -> io::Result<Vec<Share>> {
    let (possible, online) = (cpus::possible()?, cpus::online()?);
    let per_cpu = if threads == 0 { PER_CPU } else { (threads / online.len()).max(1) };
    Ok(divide(possible, &online, per_cpu))
}

fn divide(possible: usize, online: &[usize], per_cpu: usize) -> Vec<Share> {
    let here = online.iter().filter(|&&cpu| cpu < possible);
    let threads = here.flat_map(|&cpu| std::iter::repeat_n(cpu, per_cpu));
    let mut shares: Vec<Share> = threads
        .enumerate()
        .map(|(number, cpu)| Share { number, cpu: Some(cpu), queues: vec![cpu as u16] })
        .collect();
    let absent: Vec<u16> = (0..possible).filter(|cpu| !online.contains(cpu)).map(|cpu| cpu as u16).collect();
    if !absent.is_empty() {
        shares.push(Share { number: shares.len(), cpu: None, queues: absent });
    }
    shares
}

/// The work of one thread until the mount is gone; ends at once where the kernel does not agree. An error is
/// a failure of the ring itself: the mount is served by the other threads, or not at all.
pub fn serve<V: Vfs>(device: &impl AsRawFd, share: &Share, handler: &Handler<V>) -> io::Result<()> {
    let Some(switch) = handler.uring() else { return Ok(()) };
    let made = make_ring(device, share, handler).and_then(|ring| Ok((ring, PageBuffer::new(MAX_PAYLOAD)?)));
    let (mut ring, mut spare) = match made {
        Ok(made) => made,
        Err(error) => {
            switch.failed(&error);
            return Ok(());
        }
    };
    switch.prepared();
    if !switch.wait() {
        return Ok(());
    }
    if let Some(cpu) = share.cpu {
        cpus::pin(cpu);
    }
    for number in 0..ring.entries() {
        ring.register(number)?;
    }
    let mut registered = vec![false; ring.entries()];
    loop {
        match ring.wait()? {
            Event::Request(number) => {
                registered[number] = true;
                answer(&mut ring, number, handler, &mut spare)?;
            }
            // The mount is gone.
            Event::Failed(_, libc::ENOTCONN | libc::ECONNABORTED | libc::ENODEV) => {}
            // The kernel has not yet worked on our answer to INIT.
            Event::Failed(number, libc::EAGAIN) if !registered[number] => {
                std::thread::yield_now();
                ring.register(number)?;
                continue;
            }
            Event::Failed(number, errno) if !registered[number] => {
                switch.failed(&io::Error::from_raw_os_error(errno));
            }
            Event::Failed(_, errno) => return Err(io::Error::from_raw_os_error(errno)),
        }
        if !ring.is_lent() {
            return Ok(());
        }
    }
}

fn make_ring<V: Vfs>(device: &impl AsRawFd, share: &Share, handler: &Handler<V>) -> io::Result<Ring> {
    #[cfg(feature = "testing")]
    match handler.fault() {
        Some(UringFault::Ring(number)) if number == share.number => {
            return Err(io::Error::from_raw_os_error(libc::EPERM));
        }
        // No kernel has this queue.
        Some(UringFault::Register(number)) if number == share.number => {
            return Ring::new(device, &[u16::MAX]);
        }
        _ => {}
    }
    let _ = (share.number, handler);
    Ring::new(device, &share.queues)
}

/// Serves the request in an entry.
fn answer<V: Vfs>(
    ring: &mut Ring,
    number: usize,
    handler: &Handler<V>,
    spare: &mut PageBuffer,
) -> io::Result<()> {
    let Some((header, fixed, payload, size)) = ring.entry(number).request() else {
        return Err(io::Error::other("the kernel handed over a request without its parts"));
    };
    // Request and reply share the buffer: a reply to a request that brings something is made beside it.
    let (outcome, len) = if size == 0 {
        let mut reply = Reply::new(payload);
        (handler.handle(&header, Body::Parts(fixed, &[]), &mut reply), reply.len())
    } else {
        let mut reply = Reply::new(spare);
        let outcome = handler.handle(&header, Body::Parts(fixed, &payload[..size]), &mut reply);
        let len = reply.len();
        if outcome == Outcome::Done {
            payload[..len].copy_from_slice(&spare[..len]);
        }
        (outcome, len)
    };
    let (error, len) = match outcome {
        Outcome::Done => (0, len),
        Outcome::Failed(errno) => (-errno, 0),
        // Nothing that is not answered comes this way.
        Outcome::Silent => (-libc::ENOSYS, 0),
    };
    ring.answer(number, header.unique, error, len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_queue_has_an_entry() {
        for (possible, online, per_cpu) in
            [(1, vec![0], 1), (4, vec![0, 2], 3), (2, vec![0, 1], 2), (64, (0..8).collect::<Vec<_>>(), 2)]
        {
            let shares = divide(possible, &online, per_cpu);
            for queue in 0..possible as u16 {
                let threads = shares.iter().filter(|share| share.queues.contains(&queue)).count();
                let expected = if online.contains(&usize::from(queue)) { per_cpu } else { 1 };
                assert_eq!(threads, expected, "queue {queue} of {possible}, online {online:?}");
            }
            assert!(shares.len() <= online.len() * per_cpu + 1);
        }
    }
}
