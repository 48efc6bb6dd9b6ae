//! Many writes by one call: io_uring(7). A thread for each write costs two switches, and the host sees one write
//! at a time.

use io_uring::{IoUring, opcode, types};
use parking_lot::Mutex;
use std::fs::File;
use std::io::{self, IoSlice};
use std::os::fd::AsRawFd;
use std::time::Duration;

/// Writes under way at once from one call.
pub(super) const AT_ONCE: usize = 64;

/// A pause where the kernel takes no more requests at the moment.
const BUSY_PAUSE: Duration = Duration::from_micros(100);

/// One write: buffers for consecutive bytes.
pub(super) struct RingWrite<'a> {
    pub offset: u64,
    /// At most IOV_MAX.
    pub slices: &'a [IoSlice<'a>],
}

/// Rings, one for each caller at a time. They are made as they are needed and kept.
pub(super) struct Rings {
    idle: Mutex<Vec<IoUring>>,
}

impl Rings {
    /// Error: the host has no io_uring (ENOSYS), or forbids it (EPERM).
    pub(super) fn new() -> io::Result<Rings> {
        Ok(Rings { idle: Mutex::new(vec![make()?]) })
    }

    /// Makes the writes, at most [`AT_ONCE`], side by side; returns when all have ended. Each answer is what write(2)
    /// would return, or a negative errno; EAGAIN where the kernel did not take it.
    pub(super) fn write(&self, file: &File, writes: &[RingWrite<'_>]) -> Vec<i32> {
        let mut answers = vec![-libc::EAGAIN; writes.len()];
        let idle = self.idle.lock().pop();
        let Ok(mut ring) = idle.map_or_else(make, Ok) else { return answers };
        if run(&mut ring, file, writes, &mut answers) {
            self.idle.lock().push(ring);
        }
        answers
    }
}

fn make() -> io::Result<IoUring> {
    IoUring::new(AT_ONCE as u32)
}

/// False: the ring holds requests that the kernel did not take, and is of no more use.
fn run(ring: &mut IoUring, file: &File, writes: &[RingWrite<'_>], answers: &mut [i32]) -> bool {
    let target = types::Fd(file.as_raw_fd());
    let mut pushed = 0;
    for (number, write) in writes.iter().enumerate() {
        let count = write.slices.len() as u32;
        let entry = opcode::Writev::new(target, write.slices.as_ptr().cast(), count)
            .offset(write.offset)
            .build()
            .user_data(number as u64);
        // SAFETY: `file`, the slices (ABI-compatible with iovec, as std guarantees) and the memory that they name are
        // borrowed by the caller, and this function returns only when the kernel has answered all it took.
        if unsafe { ring.submission().push(&entry) }.is_err() {
            break;
        }
        pushed += 1;
    }
    let mut answered = 0;
    loop {
        // Waits for what is missing, whatever the kernel takes of it now.
        let submitted = ring.submit_and_wait(pushed - answered);
        for completion in ring.completion() {
            if let Some(answer) = answers.get_mut(completion.user_data() as usize) {
                *answer = completion.result();
            }
            answered += 1;
        }
        if answered == pushed {
            return true;
        }
        match submitted {
            Ok(_) => {}
            Err(cause) if cause.raw_os_error() == Some(libc::EINTR) => {}
            Err(_) => {
                let untaken = ring.submission().len();
                if answered + untaken >= pushed {
                    return false;
                }
                // What it did take is under way and will be answered.
                std::thread::sleep(BUSY_PAUSE);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn each_write_arrives_and_has_its_own_answer() {
        let Ok(rings) = Rings::new() else { return };
        let mut file = tempfile::tempfile().unwrap();
        let bytes: Vec<Vec<u8>> = (0..AT_ONCE).map(|n| vec![n as u8; 512]).collect();
        let slices: Vec<[IoSlice<'_>; 2]> =
            bytes.iter().map(|b| [IoSlice::new(&b[..100]), IoSlice::new(&b[100..])]).collect();
        let writes: Vec<RingWrite<'_>> =
            slices.iter().enumerate().map(|(n, s)| RingWrite { offset: n as u64 * 512, slices: s }).collect();
        for _ in 0..3 {
            assert_eq!(rings.write(&file, &writes), vec![512; AT_ONCE]);
        }
        let mut found = Vec::new();
        file.read_to_end(&mut found).unwrap();
        assert_eq!(found, bytes.concat());
        assert_eq!(rings.idle.lock().len(), 1);

        let read_only = File::open("/proc/self/exe").unwrap();
        assert_eq!(rings.write(&read_only, &writes[..2]), vec![-libc::EBADF; 2]);
        assert_eq!(rings.write(&file, &writes[..1]), vec![512]);
    }

    #[test]
    fn callers_side_by_side_have_rings_of_their_own() {
        let Ok(rings) = Rings::new() else { return };
        let file = tempfile::tempfile().unwrap();
        std::thread::scope(|scope| {
            for thread in 0..8u64 {
                let (rings, file) = (&rings, &file);
                scope.spawn(move || {
                    let bytes = [thread as u8; 4096];
                    let slices = [IoSlice::new(&bytes)];
                    for round in 0..50 {
                        let writes: Vec<RingWrite<'_>> = (0..10)
                            .map(|n| RingWrite {
                                offset: (thread * 500 + round * 10 + n) * 4096,
                                slices: &slices,
                            })
                            .collect();
                        assert_eq!(rings.write(file, &writes), vec![4096; 10]);
                    }
                });
            }
        });
        assert!(rings.idle.lock().len() <= 8);
    }
}
