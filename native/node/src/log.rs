//! Where the lines of a mounted volume go: stderr, a file, the system's log, or the log of the runtime
//! directory where no system log listens. A line that one place does not take goes to the next.

use crate::path::host_path;
use crate::places::Places;
use crate::system_log;
use hn4_core::base::shown;
use napi::bindgen_prelude::{Buffer, Utf16String};
use napi_derive::napi;
use parking_lot::Mutex;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Once;

/// Where syslogd or journald listens.
const SYSTEM_LOG: &str = "/dev/log";
/// One log per process, for a process serves one mount.
static SINK: Mutex<Sink> = Mutex::new(Sink::Stderr(String::new()));

enum Sink {
    /// Lines begin with the name of the tool.
    Stderr(String),
    /// Nobody reads our output any more.
    Detached(Places),
}

/// Writes a line; one that no place takes is lost, for there is nobody to tell.
pub fn line(text: &str) {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match &mut *SINK.lock() {
        // Not eprintln!, which panics when the reader is gone. One write a line.
        Sink::Stderr(tool) => drop(io::stderr().write_all(format!("{tool}: {text}\n").as_bytes())),
        Sink::Detached(places) => places.line(&text),
    }
}

/// Where lines go, as bytes: the path of a file, `stderr`, `system log`, or `nowhere`.
#[napi]
pub fn lines_to() -> Buffer {
    match &*SINK.lock() {
        Sink::Stderr(_) => b"stderr".to_vec().into(),
        Sink::Detached(places) => places.name().into_os_string().into_vec().into(),
    }
}

/// Whether the system has a log that takes lines.
#[napi]
pub fn has_system_log() -> bool {
    system_log::listens(Path::new(SYSTEM_LOG))
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
pub struct LogFile(File, PathBuf);

#[napi]
impl LogFile {
    /// Error: the host's sentence.
    #[napi(constructor)]
    pub fn open(path: Utf16String) -> napi::Result<LogFile> {
        let path = host_path(&path);
        match OpenOptions::new().append(true).create(true).mode(0o640).open(&path) {
            Ok(file) => Ok(LogFile(file, path)),
            Err(error) => Err(napi::Error::from_reason(format!("{}: {error}", shown(&path)))),
        }
    }
}

/// Lets go of stdin, stdout and stderr, so that whoever started this process can end: lines go to
/// the file, else to the system's log, else to `own`.
#[napi]
pub fn detach_output(file: Option<&LogFile>, own: Option<Utf16String>) -> napi::Result<()> {
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    let output = file.map_or(null.as_fd(), |file| file.0.as_fd());
    let places = Places {
        file: file
            .map(|LogFile(file, path)| Ok::<_, io::Error>((file.try_clone()?, path.clone())))
            .transpose()?,
        system: SYSTEM_LOG.into(),
        own: own.as_ref().map(host_path),
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
