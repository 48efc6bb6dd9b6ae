//! A signal ends a long call, over /dev/fuse and over io_uring.

use crate::support::{Mount, uring_is_offered};
use hn4_core::testing::{FormatOptions, formatted, loud, open};
use hn4_core::vfs::api::Vfs;
use hn4_fuse::{Settings, TransportChoice};
use rustix::fs::{FallocateFlags, fallocate};
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::os::unix::thread::JoinHandleExt;
use std::time::Duration;

/// Nothing but that a call is interrupted.
extern "C" fn on_signal(_: libc::c_int) {}

/// From here on SIGUSR1 interrupts calls of this process, and does not restart them.
fn handle_signal() {
    // SAFETY: an all-zero sigaction with a handler that does nothing: safe in every moment.
    let done = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_signal as *const () as usize;
        libc::sigaction(libc::SIGUSR1, &action, std::ptr::null_mut())
    };
    assert_eq!(done, 0);
}

fn a_signal_ends_fallocate(transport: TransportChoice) {
    // 4 GiB, of which the device keeps what is written.
    let blocks = 1 << 20;
    let vfs = || open(formatted(&FormatOptions::new(blocks)), loud());
    let Some(mount) = Mount::of(vfs, Settings::default(), |options| options.transport = transport) else {
        return;
    };
    handle_signal();
    let file = File::create(mount.path("f")).expect("create");
    let length = (blocks - blocks / 8) << 12;
    let ino = file.metadata().expect("stat").ino();
    let caller = std::thread::spawn(move || {
        let done = fallocate(&file, FallocateFlags::empty(), 0, length);
        (done, file)
    });
    // Over io_uring the kernel forgets a signal that comes before the request has reached us.
    while mount.vfs.getattr(ino).expect("getattr").blocks == 0 && !caller.is_finished() {
        std::thread::yield_now();
    }
    while !caller.is_finished() {
        // SAFETY: the thread has not been joined.
        unsafe { libc::pthread_kill(caller.as_pthread_t(), libc::SIGUSR1) };
        std::thread::sleep(Duration::from_millis(1));
    }
    let (done, file) = caller.join().expect("the caller");
    assert_eq!(done, Err(rustix::io::Errno::INTR), "{transport:?}");
    let found = file.metadata().expect("stat");
    assert!(found.len() < length && found.blocks() * 512 <= found.len(), "{found:?}");
    // What was left over can still be had.
    fallocate(&file, FallocateFlags::empty(), 0, 1 << 20).expect("a short one");
    drop(file);
    mount.end();
}

#[test]
fn a_signal_ends_a_long_fallocate() {
    a_signal_ends_fallocate(TransportChoice::Dev);
}

#[test]
fn a_signal_ends_a_long_fallocate_over_io_uring() {
    if !uring_is_offered() {
        eprintln!("skipped: no FUSE over io_uring here");
        return;
    }
    a_signal_ends_fallocate(TransportChoice::Uring);
}
