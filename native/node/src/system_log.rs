//! The system's log, spoken to directly (the protocol of /dev/log, as glibc's syslog(3) speaks it):
//! the function of libc does not say when nobody listens, and then a line is lost without a word.

use std::io::{self, Write};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::Path;
use std::time::Duration;

/// A log that does not take a line must not stop a mount.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether somebody listens there.
pub fn listens(socket: &Path) -> bool {
    UnixDatagram::unbound().is_ok_and(|datagram| datagram.connect(socket).is_ok())
        || UnixStream::connect(socket).is_ok()
}

/// Hands a line over. Errors: nobody listens, or it is not taken in time.
pub fn send(socket: &Path, text: &str) -> io::Result<()> {
    // Daemons, a warning: what syslog.h calls LOG_DAEMON | LOG_WARNING.
    let priority = libc::LOG_DAEMON | libc::LOG_WARNING;
    let mut line = format!("<{priority}>{} hn4[{}]: {text}", local_time(), std::process::id()).into_bytes();
    let datagram = UnixDatagram::unbound()?;
    datagram.set_write_timeout(Some(PATIENCE))?;
    match datagram.send_to(&line, socket) {
        Ok(_) => return Ok(()),
        // Older systems listen for streams, in which a NUL ends a line.
        Err(error) if error.raw_os_error() == Some(libc::EPROTOTYPE) => {}
        Err(error) => return Err(error),
    }
    line.push(0);
    let mut stream = UnixStream::connect(socket)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(&line)
}

/// `Nov  8 10:03:04`, in the machine's own time, as every syslogd reads it.
fn local_time() -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    // SAFETY: time(2) with a null pointer only returns the time.
    let seconds = unsafe { libc::time(std::ptr::null_mut()) };
    // SAFETY: all-zero is a valid tm.
    let mut tm: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: two valid pointers; the result is `tm` or null, which leaves January 0 in it.
    unsafe { libc::localtime_r(&raw const seconds, &raw mut tm) };
    let month = usize::try_from(tm.tm_mon).ok().and_then(|month| MONTHS.get(month)).unwrap_or(&"Jan");
    format!("{month} {:>2} {:02}:{:02}:{:02}", tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec)
}
