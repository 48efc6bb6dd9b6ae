//! Where the lines of a process without a terminal go: a file, the system's log, or the log of the runtime
//! directory where no system log listens. Nothing here needs Node, so tests/places.rs compiles it alone.

use crate::system_log;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Where lines of a process without a terminal may go, in this order.
pub struct Places {
    /// The file that was asked for, and its path.
    pub file: Option<(File, PathBuf)>,
    pub system: PathBuf,
    /// The log of the runtime directory.
    pub own: Option<PathBuf>,
}

/// At this size the log of the runtime directory, which may be in memory, is set aside: `.old`.
pub const OWN_BYTES_MAX: u64 = 1 << 20;

impl Places {
    /// Writes a line; one that no place takes is lost.
    pub fn line(&mut self, text: &str) {
        let stamp = format!("{} hn4[{}]: {text}\n", now(), std::process::id());
        let in_file = self.file.as_mut().is_some_and(|(file, _)| file.write_all(stamp.as_bytes()).is_ok());
        if in_file || system_log::send(&self.system, text).is_ok() {
            return;
        }
        if let Some(path) = &self.own {
            drop(append(path, &stamp));
        }
    }

    /// Where lines go now: the path of a file, `system log`, or `nowhere`.
    pub fn name(&self) -> PathBuf {
        match (&self.file, &self.own) {
            (Some((_, path)), _) => path.clone(),
            _ if system_log::listens(&self.system) => "system log".into(),
            (None, Some(path)) => path.clone(),
            (None, None) => "nowhere".into(),
        }
    }
}

/// A line behind the others. The file is opened for each: several mounts share it, and any may set it
/// aside.
fn append(path: &Path, stamp: &str) -> io::Result<()> {
    if path.symlink_metadata().is_ok_and(|found| found.len() >= OWN_BYTES_MAX) {
        let mut old = path.as_os_str().to_owned();
        old.push(".old");
        std::fs::rename(path, old)?;
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    options.open(path)?.write_all(stamp.as_bytes())
}

/// UTC, ISO 8601.
fn now() -> String {
    // SAFETY: time(2) with a null pointer only returns the time.
    let seconds = unsafe { libc::time(std::ptr::null_mut()) };
    // SAFETY: all-zero is a valid tm.
    let mut tm: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: two valid pointers; the result is `tm` or null, which leaves 1900 in it.
    unsafe { libc::gmtime_r(&raw const seconds, &raw mut tm) };
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        1900 + i64::from(tm.tm_year),
        tm.tm_mon + 1,
        tm.tm_mday,
        tm.tm_hour,
        tm.tm_min,
        tm.tm_sec
    )
}
