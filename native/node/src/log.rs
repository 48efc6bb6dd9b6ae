//! Where the lines of a mounted volume go: stderr, a file, the system's log, or the log of the runtime
//! directory where no system log listens. A line that one place does not take goes to the next.

use crate::path::host_path;
use crate::system_log::{self, SYSTEM_LOG};
use napi::bindgen_prelude::Utf16String;
use napi_derive::napi;
use parking_lot::Mutex;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Once;

/// One log per process, for a process serves one mount.
static SINK: Mutex<Sink> = Mutex::new(Sink::Stderr(String::new()));

enum Sink {
    /// Lines begin with the name of the tool.
    Stderr(String),
    /// Nobody reads our output any more.
    Detached(Places),
}

/// Where lines of a process without a terminal may go, in this order.
struct Places {
    /// The file that was asked for, and its path.
    file: Option<(File, String)>,
    system: PathBuf,
    /// The log of the runtime directory.
    own: Option<PathBuf>,
}

/// At this size the log of the runtime directory, which may be in memory, is set aside: `.old`.
const OWN_BYTES_MAX: u64 = 1 << 20;

/// Writes a line; one that no place takes is lost, for there is nobody to tell.
pub fn line(text: &str) {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match &mut *SINK.lock() {
        // Not eprintln!, which panics when the reader is gone. One write a line.
        Sink::Stderr(tool) => drop(io::stderr().write_all(format!("{tool}: {text}\n").as_bytes())),
        Sink::Detached(places) => places.line(&text),
    }
}

/// Where lines go: the path of a file, `stderr`, `system log`, or `nowhere`.
#[napi]
pub fn lines_to() -> String {
    match &*SINK.lock() {
        Sink::Stderr(_) => "stderr".into(),
        Sink::Detached(places) => places.name(),
    }
}

/// Whether the system has a log that takes lines.
#[napi]
pub fn has_system_log() -> bool {
    system_log::listens(Path::new(SYSTEM_LOG))
}

impl Places {
    fn line(&mut self, text: &str) {
        let stamp = format!("{} hn4[{}]: {text}\n", now(), std::process::id());
        let in_file = self.file.as_mut().is_some_and(|(file, _)| file.write_all(stamp.as_bytes()).is_ok());
        if in_file || system_log::send(&self.system, text).is_ok() {
            return;
        }
        if let Some(path) = &self.own {
            drop(append(path, &stamp));
        }
    }

    fn name(&self) -> String {
        match (&self.file, &self.own) {
            (Some((_, path)), _) => path.clone(),
            _ if system_log::listens(&self.system) => "system log".into(),
            (None, Some(path)) => path.to_string_lossy().into_owned(),
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

/// Lines go to stderr, behind the name of the tool.
#[napi]
pub fn log_to_stderr(tool: String) {
    *SINK.lock() = Sink::Stderr(tool);
}

/// A line for the log.
#[napi]
pub fn log_line(text: String) {
    line(&text);
}

/// Opens the file `path` for [`detach_output`], before anything else could fail without it.
#[napi]
pub struct LogFile(File, String);

#[napi]
impl LogFile {
    /// Error: the host's sentence.
    #[napi(constructor)]
    pub fn open(path: Utf16String) -> napi::Result<LogFile> {
        let path = host_path(&path);
        let shown = path.display().to_string();
        match OpenOptions::new().append(true).create(true).mode(0o640).open(&path) {
            Ok(file) => Ok(LogFile(file, shown)),
            Err(error) => Err(napi::Error::from_reason(format!("{shown}: {error}"))),
        }
    }
}

/// Lets go of stdin, stdout and stderr, so that whoever started this process can end: lines go to
/// the file, else to the system's log, else to `own`.
#[napi]
pub fn detach_output(file: Option<&LogFile>, own: Option<String>) -> napi::Result<()> {
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    let output = file.map_or(null.as_fd(), |file| file.0.as_fd());
    let places = Places {
        file: file
            .map(|LogFile(file, path)| Ok::<_, io::Error>((file.try_clone()?, path.clone())))
            .transpose()?,
        system: SYSTEM_LOG.into(),
        own: own.map(PathBuf::from),
    };
    for (number, source) in [(0, null.as_fd()), (1, output), (2, output)] {
        // SAFETY: dup2 on descriptor numbers; Rust owns none of 0, 1 and 2.
        if unsafe { libc::dup2(source.as_raw_fd(), number) } == -1 {
            return Err(io::Error::last_os_error().into());
        }
    }
    *SINK.lock() = Sink::Detached(places);
    Ok(())
}

/// Panics become lines of the log, without a stack trace.
pub fn watch_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            let place =
                info.location().map(|at| format!(" ({}:{})", at.file(), at.line())).unwrap_or_default();
            line(&format!("internal error{place}: {}", crate::promise::message(info.payload())));
        }));
    });
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
