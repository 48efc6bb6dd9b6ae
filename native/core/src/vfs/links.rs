//! Numbers of the virtual directory `.hn4` and of the links in it. They lie above every file's.

use crate::base::Ino;
use std::collections::HashMap;

const VIRTUAL: Ino = 1 << 62;
pub(super) const HN4_DIR: Ino = VIRTUAL;
pub(super) const ID_DIR: Ino = VIRTUAL + 1;
/// Links: this plus the number of the lookup. The kernel remembers the target of a link by its number, and a
/// rename changes the target: so each lookup has a number of its own.
pub(super) const LINKS: Ino = VIRTUAL + (1 << 60);

pub fn is_virtual(ino: Ino) -> bool {
    ino >= VIRTUAL
}

/// Links of `.hn4/id` that were looked up and not forgotten. They do not hold their files: the kernel
/// may remember a link long after its file was deleted.
#[derive(Default)]
pub struct Links {
    pub(super) known: HashMap<Ino, Link>,
    /// Lookups so far.
    pub(super) turn: u64,
}

pub(super) struct Link {
    /// Number and hint lead to the file's anchor.
    pub(super) number: Ino,
    pub(super) hint: u32,
}
