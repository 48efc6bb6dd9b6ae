//! /proc/self/mountinfo and /proc/swaps (proc(5)).

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// A line of mountinfo.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mount {
    /// Device number of the filesystem, as in `st_dev`.
    pub(super) device: u64,
    pub(super) at: PathBuf,
    pub(super) kind: String,
    pub(super) source: PathBuf,
}

/// The mounts of this mount namespace; empty where /proc is missing.
pub(super) fn mounts() -> Vec<Mount> {
    let text = fs::read("/proc/self/mountinfo").unwrap_or_default();
    text.split(|&b| b == b'\n').filter_map(parse).collect()
}

/// Files and devices that the kernel swaps to.
pub(super) fn swaps() -> Vec<PathBuf> {
    let text = fs::read("/proc/swaps").unwrap_or_default();
    let lines = text.split(|&b| b == b'\n').skip(1);
    lines.filter_map(|line| line.split(|&b| b == b' ').find(|word| !word.is_empty())).map(unescape).collect()
}

fn parse(line: &[u8]) -> Option<Mount> {
    let mut words = line.split(|&b| b == b' ');
    let (major, minor) = std::str::from_utf8(words.nth(2)?).ok()?.split_once(':')?;
    let device = libc::makedev(major.parse().ok()?, minor.parse().ok()?);
    let at = unescape(words.nth(1)?);
    let mut tail = words.skip_while(|&word| word != b"-").skip(1);
    let kind = String::from_utf8_lossy(tail.next()?).into_owned();
    Some(Mount { device, at, kind, source: unescape(tail.next()?) })
}

/// Undoes `\040` and its kin.
fn unescape(word: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((&first, tail)) = rest.split_first() {
        let octal = (first == b'\\').then(|| tail.get(..3)).flatten();
        let code = octal.and_then(|d| u8::from_str_radix(std::str::from_utf8(d).ok()?, 8).ok());
        bytes.push(code.unwrap_or(first));
        rest = if code.is_some() { &tail[3..] } else { tail };
    }
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_and_without_optional_fields_is_understood() {
        let line = b"36 35 98:5 /mnt1 /mnt\\040two rw,noatime master:1 shared:2 - fuse.hn4 /img\\134x rw,a";
        let mount = parse(line).unwrap();
        assert_eq!(mount.device, libc::makedev(98, 5));
        assert_eq!(mount.at, PathBuf::from("/mnt two"));
        assert_eq!((mount.kind.as_str(), mount.source), ("fuse.hn4", PathBuf::from("/img\\x")));
        assert_eq!(parse(b"1 2 0:3 / /proc rw - proc proc rw").unwrap().kind, "proc");
    }

    #[test]
    fn broken_lines_and_escapes_do_no_harm() {
        for line in [&b""[..], b"1 2", b"1 2 x:y / /", b"1 2 3:4 / /mnt rw", b"1 2 3:4 / /mnt rw - ext4"] {
            assert!(parse(line).is_none());
        }
        assert_eq!(unescape(b"a\\9zz\\04"), PathBuf::from("a\\9zz\\04"));
        assert_eq!(unescape(b"\\777"), PathBuf::from("\\777"));
    }

    #[test]
    fn the_root_is_mounted_here() {
        assert!(mounts().iter().any(|mount| mount.at.as_os_str() == "/"));
    }
}
