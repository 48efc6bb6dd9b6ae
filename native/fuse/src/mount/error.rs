//! Why a mount failed, as a sentence.

use super::MountOptions;
use hn4_core::base::shown;
use std::{fmt, io};

/// The step that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Mountpoint,
    Device,
    Mount,
    Fusermount,
    Transport,
    Threads,
    Negotiation,
}

/// A mount that did not come about; nothing is left mounted.
#[derive(Debug)]
pub struct MountError {
    text: String,
    source: io::Error,
}

impl MountError {
    pub(crate) fn new(step: Step, options: &MountOptions, source: io::Error) -> MountError {
        let mountpoint = shown(&options.mountpoint);
        let text = match step {
            Step::Mountpoint => format!("mountpoint {mountpoint}: {source}"),
            Step::Device => match source.raw_os_error() {
                Some(libc::ENOENT | libc::ENODEV | libc::ENXIO) => {
                    format!("no /dev/fuse ({source}): the kernel module may need `modprobe fuse`")
                }
                _ => format!("/dev/fuse: {source}"),
            },
            Step::Mount => format!("mounting on {mountpoint}: {source}"),
            Step::Fusermount => format!("fusermount3 {mountpoint}: {source}"),
            Step::Transport => format!("FUSE over io_uring: {source}"),
            Step::Threads => format!("starting the session's threads: {source}"),
            Step::Negotiation => format!("{mountpoint}: {source}"),
        };
        MountError { text, source }
    }

    /// The errno behind it, where there is one.
    pub fn errno(&self) -> Option<i32> {
        self.source.raw_os_error()
    }
}

impl fmt::Display for MountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for MountError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}
