//! Who holds the lock that is in the way.
//!
//! The kernel gives no process for an OFD lock; /proc/PID/fdinfo/FD lists the locks held through
//! that descriptor. (stat of /proc/PID/fd/FD would ask the filesystem behind it, which may hang.)

use crate::device::host::sys;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;

/// Names listed in a message; more are summed up.
const NAMED_MAX: usize = 4;

/// A process with a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Holder {
    pid: u32,
    writes: bool,
}

/// A phrase for an error message: "process 42 (hn4) has it open for writing".
pub(super) fn find(file: &File, exclusive: bool) -> String {
    let mut holders = file.metadata().map(|stat| scan(stat.dev(), stat.ino())).unwrap_or_default();
    // The opener's own failed attempt holds nothing, so it is not in the list.
    if holders.is_empty()
        && let Some(pid) = sys::lock_holder(file, exclusive)
    {
        holders.push(Holder { pid, writes: true });
    }
    describe(&holders)
}

fn describe(holders: &[Holder]) -> String {
    let mut text = String::new();
    for holder in holders.iter().take(NAMED_MAX) {
        let how = if holder.writes { "writing" } else { "reading" };
        let separator = if text.is_empty() { "" } else { ", " };
        let _ =
            write!(text, "{separator}process {} ({}) has it open for {how}", holder.pid, name_of(holder.pid));
    }
    match holders.len().saturating_sub(NAMED_MAX) {
        _ if text.is_empty() => "another process, which this user may not see, has it open".into(),
        0 => text,
        more => format!("{text}, and {more} more"),
    }
}

fn name_of(pid: u32) -> String {
    let comm = fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
    match String::from_utf8_lossy(&comm).trim_end() {
        "" => "ended meanwhile".into(),
        name => name.escape_debug().collect(),
    }
}

fn scan(dev: u64, ino: u64) -> Vec<Holder> {
    let mut found = Vec::new();
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // Unreadable: another user's process, or one that just ended.
        for fd in fs::read_dir(process.path().join("fdinfo")).into_iter().flatten().flatten() {
            let Ok(info) = fs::read_to_string(fd.path()) else { continue };
            let Some(writes) = info.lines().find_map(|line| lock_on(line, dev, ino)) else { continue };
            let holder = Holder { pid, writes };
            if !found.contains(&holder) {
                found.push(holder);
            }
        }
    }
    found
}

/// Whether a line of fdinfo is a lock on this file, and if so whether an exclusive one:
/// `lock: 1: OFDLCK  ADVISORY  WRITE -1 08:01:131075 0 EOF` (device numbers in hex).
fn lock_on(line: &str, dev: u64, ino: u64) -> Option<bool> {
    let mut words = line.strip_prefix("lock:")?.split_whitespace().skip(1);
    if !matches!(words.next()?, "OFDLCK" | "POSIX") {
        return None;
    }
    let writes = words.nth(1)? == "WRITE";
    let mut place = words.nth(1)?.split(':');
    let major = u32::from_str_radix(place.next()?, 16).ok()?;
    let minor = u32::from_str_radix(place.next()?, 16).ok()?;
    let same_ino = place.next()?.parse::<u64>().ok()? == ino;
    // btrfs shows another device number here (0 is an unnamed one) than stat does.
    (same_ino && (major == 0 || libc::makedev(major, minor) == dev)).then_some(writes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_fdinfo_are_understood() {
        let dev = libc::makedev(8, 0x1f);
        let line = "lock:\t1: OFDLCK  ADVISORY  WRITE -1 08:1f:131075 0 EOF";
        assert_eq!(lock_on(line, dev, 131075), Some(true));
        assert_eq!(lock_on(&line.replace("WRITE", "READ "), dev, 131075), Some(false));
        assert_eq!(lock_on(&line.replace("OFDLCK", "POSIX "), dev, 131075), Some(true));
        assert_eq!(lock_on(&line.replace("OFDLCK", "FLOCK "), dev, 131075), None);
        assert_eq!(lock_on(line, dev, 131076), None);
        assert_eq!(lock_on(line, libc::makedev(8, 0x20), 131075), None);
        assert_eq!(lock_on("lock:\t1: OFDLCK", dev, 131075), None);
        assert_eq!(lock_on("pos:\t0", dev, 131075), None);
    }

    #[test]
    fn a_message_names_a_few_and_counts_the_rest() {
        let me = std::process::id();
        let one = Holder { pid: me, writes: false };
        assert!(describe(std::slice::from_ref(&one)).starts_with(&format!("process {me} (")));
        let many = vec![one; 6];
        assert!(describe(&many).ends_with("for reading, and 2 more"));
        assert!(describe(&[]).starts_with("another process"));
    }
}
