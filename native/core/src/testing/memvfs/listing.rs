//! Directory listings.

use super::directory::{DOT, DOT_DOT};
use super::state::State;
use crate::base::{Ino, Result};
use crate::vfs::api::DirEntry;
use std::sync::atomic::Ordering::Relaxed;

impl State {
    pub fn readdir(
        &self,
        ino: Ino,
        cookie: u64,
        plus: bool,
        take: &mut dyn FnMut(&DirEntry) -> bool,
    ) -> Result<()> {
        let node = self.node(ino)?;
        let entries = node.directory()?;
        let dots = [(DOT, b".".as_slice(), ino), (DOT_DOT, b"..".as_slice(), entries.parent)];
        for (at, name, target) in dots {
            let entry = DirEntry { name, ino: target, kind: libc::DT_DIR, cookie: at, attr: None };
            if at > cookie && !take(&entry) {
                return Ok(());
            }
        }
        for (at, name, target) in entries.after(cookie.max(DOT_DOT)) {
            let found = self.node(target)?;
            let entry = DirEntry {
                name,
                ino: target,
                kind: found.kind(),
                cookie: at,
                attr: plus.then(|| found.attr()),
            };
            if !take(&entry) {
                return Ok(());
            }
            if plus {
                found.lookups.fetch_add(1, Relaxed);
            }
        }
        Ok(())
    }
}
