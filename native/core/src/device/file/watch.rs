//! Notices who opens the image beside us (inotify): almost nobody ever does, so that whoever did may be asked
//! for with a costlier look. What the host's kernel does not see, such as another machine's writes to a file
//! on a server, it cannot tell.

use crate::device::host::sys;
use std::fs::File;
use std::io::Read;

/// Room for some events; each is 16 bytes, for a file that is watched itself has no names.
const EVENTS_BYTES: usize = 1024;

/// Events of the open files. Empty where the host allows no watch.
pub(super) struct Watch(Option<File>);

impl Watch {
    /// Of openings, and of closings of descriptors that could write; what `files` themselves do does not count.
    pub(super) fn new<'a>(files: impl IntoIterator<Item = &'a File>) -> Watch {
        Watch(sys::watch_openings(files).ok())
    }

    /// Whether anybody opened one of them since the last call, or may have.
    pub(super) fn was_opened(&self) -> bool {
        let Some(mut events) = self.0.as_ref() else { return true };
        let mut buf = [0; EVENTS_BYTES];
        let mut found = false;
        loop {
            match events.read(&mut buf) {
                Ok(0) => return found,
                Ok(_) => found = true,
                // No event is left; any other error says nothing good.
                Err(cause) => return found || cause.kind() != std::io::ErrorKind::WouldBlock,
            }
        }
    }
}
