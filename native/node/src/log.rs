//! Where the lines of a mounted volume go: stderr, a file, or the system's log.

use crate::path::host_path;
use napi::bindgen_prelude::Utf16String;
use napi_derive::napi;
use parking_lot::Mutex;
use std::ffi::CString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Once;

/// One log per process, for a process serves one mount.
static SINK: Mutex<Sink> = Mutex::new(Sink::Stderr(String::new()));

enum Sink {
    /// Lines begin with the name of the tool.
    Stderr(String),
    /// Lines begin with time and process.
    File(File),
    /// syslog(3), which adds both.
    System,
}

/// Writes a line; one that cannot be written is lost, for there is nobody to tell.
pub fn line(text: &str) {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match &mut *SINK.lock() {
        // Not eprintln!, which panics when the reader is gone. One write a line.
        Sink::Stderr(tool) => drop(io::stderr().write_all(format!("{tool}: {text}\n").as_bytes())),
        Sink::File(file) => {
            let stamp = format!("{} hn4[{}]: {text}\n", now(), std::process::id());
            drop(file.write_all(stamp.as_bytes()));
        }
        Sink::System => system(&text),
    }
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

fn system(text: &str) {
    let Ok(text) = CString::new(text) else { return };
    // SAFETY: a literal format with one %s, and a C string for it; syslog(3) is thread-safe.
    unsafe { libc::syslog(libc::LOG_DAEMON | libc::LOG_WARNING, c"%s".as_ptr(), text.as_ptr()) };
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
pub struct LogFile(File);

#[napi]
impl LogFile {
    /// Error: the host's sentence.
    #[napi(constructor)]
    pub fn open(path: Utf16String) -> napi::Result<LogFile> {
        let path = host_path(&path);
        let opened = OpenOptions::new().append(true).create(true).mode(0o640).open(&path);
        opened.map(LogFile).map_err(|error| napi::Error::from_reason(format!("{}: {error}", path.display())))
    }
}

/// Lets go of stdin, stdout and stderr, so that whoever started this process can end: lines go to
/// the file, or else to the system's log.
#[napi]
pub fn detach_output(file: Option<&LogFile>) -> napi::Result<()> {
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    let output = file.map_or(null.as_fd(), |file| file.0.as_fd());
    let sink = match file {
        Some(file) => Sink::File(file.0.try_clone()?),
        None => {
            // SAFETY: the ident is a literal, which lives as long as the process.
            unsafe { libc::openlog(c"hn4".as_ptr(), libc::LOG_PID, libc::LOG_DAEMON) };
            Sink::System
        }
    };
    for (number, source) in [(0, null.as_fd()), (1, output), (2, output)] {
        // SAFETY: dup2 on descriptor numbers; Rust owns none of 0, 1 and 2.
        if unsafe { libc::dup2(source.as_raw_fd(), number) } == -1 {
            return Err(io::Error::last_os_error().into());
        }
    }
    *SINK.lock() = sink;
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
