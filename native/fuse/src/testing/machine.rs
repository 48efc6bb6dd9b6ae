//! What tests that mount share.

use crate::Session;
use std::io::Write;
use std::path::Path;
use std::process::Command;

/// True where /dev/fuse cannot be opened; says so. Either way `npm test` is told (docs/testing.md).
pub fn no_fuse() -> bool {
    match std::fs::OpenOptions::new().read(true).write(true).open("/dev/fuse") {
        Ok(_) => {
            note("ran");
            false
        }
        Err(error) => {
            eprintln!("skipped: /dev/fuse cannot be opened: {error}");
            note("skipped");
            true
        }
    }
}

/// Tells `npm test` what became of the running test.
pub fn note(outcome: &str) {
    let Some(log) = std::env::var_os("HN4_MOUNT_LOG") else { return };
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    let file = std::fs::OpenOptions::new().append(true).create(true).open(log);
    file.and_then(|mut file| file.write_all(format!("{outcome} {name}\n").as_bytes()))
        .expect("HN4_MOUNT_LOG");
}

/// Unmounts. A process that another test is starting may hold our files until its exec: EBUSY is
/// tried again for a while.
pub fn unmount_patiently(session: &Session) -> std::io::Result<()> {
    let mut result = session.unmount(false);
    for _ in 0..400 {
        if !result.as_ref().is_err_and(|error| error.raw_os_error() == Some(libc::EBUSY)) {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
        result = session.unmount(false);
    }
    result
}

/// A loop device of 16 MiB on a file; it goes with the object.
pub struct LoopDevice {
    pub path: String,
}

impl LoopDevice {
    /// None, with a printed reason, where there is none to be had.
    pub fn over(backing: &Path) -> Option<LoopDevice> {
        std::fs::File::options().write(true).open(backing).and_then(|file| file.set_len(16 << 20)).ok()?;
        match Command::new("losetup").args(["-f", "--show"]).arg(backing).output() {
            Ok(output) if output.status.success() => {
                Some(LoopDevice { path: String::from_utf8_lossy(&output.stdout).trim().to_owned() })
            }
            other => {
                eprintln!("skipped: no loop device: {other:?}");
                None
            }
        }
    }
}

impl Drop for LoopDevice {
    fn drop(&mut self) {
        let _ = Command::new("losetup").args(["-d", &self.path]).status();
    }
}
