//! readdir and readdirplus.

use super::FileSystem;
use super::api::DirEntry;
use super::stat::attr;
use crate::base::{Code, Error, Ino, Result};
use crate::directory::Entry;
use crate::volume::Inode;
use std::sync::Arc;

/// Cookies of the two names every directory has; entries start at 64.
const COOKIE_DOT: u64 = 1;
const COOKIE_DOT_DOT: u64 = 2;
/// Entries read under one lock; attributes are looked up outside it.
const BATCH: usize = 64;
const DT_DIR: u8 = 4;

struct Listed {
    entry: Entry,
    name: Vec<u8>,
}

impl FileSystem {
    pub(super) fn list(
        &self,
        ino: Ino,
        cookie: u64,
        plus: bool,
        take: &mut dyn FnMut(&DirEntry) -> bool,
    ) -> Result<()> {
        if super::links::is_virtual(ino) {
            self.list_virtual(ino, cookie, take);
            return Ok(());
        }
        let dir = self.directory(ino)?;
        let mut at = cookie;
        for (cookie, name) in [(COOKIE_DOT, &b"."[..]), (COOKIE_DOT_DOT, b"..")] {
            if at < cookie {
                let target =
                    if cookie == COOKIE_DOT { ino } else { self.parent_of(&dir).map_or(ino, |up| up.ino) };
                if !take(&DirEntry { name, ino: target, kind: DT_DIR, cookie, attr: None }) {
                    return Ok(());
                }
                at = cookie;
            }
        }
        let before = at;
        loop {
            let batch = self.batch(&dir, at)?;
            let whole = batch.len() < BATCH;
            for listed in &batch {
                if !self.offer(&dir, listed, plus, take)? {
                    return Ok(());
                }
                at = listed.entry.cookie;
            }
            if whole && at == before {
                // Nothing is left to list: now is the time to say that there was more.
                return self.listed_whole(&dir);
            }
            if whole {
                return Ok(());
            }
        }
    }

    fn batch(&self, dir: &Arc<Inode>, after: u64) -> Result<Vec<Listed>> {
        let names = self.volume.names(dir)?;
        let mut batch = Vec::with_capacity(BATCH);
        self.volume.iterate_past(
            &names,
            after,
            &mut |error| self.passed_over(error),
            &mut |entry, name| {
                batch.push(Listed { entry: *entry, name: name.to_vec() });
                batch.len() < BATCH
            },
        )?;
        Ok(batch)
    }

    /// Who reads what is left of a damaged volume gets the names that are left.
    fn passed_over(&self, error: Error) -> Result<()> {
        if self.volume.options.rescue { Ok(()) } else { Err(error) }
    }

    /// The error of the first block that a listing passed over.
    fn listed_whole(&self, dir: &Arc<Inode>) -> Result<()> {
        if !self.volume.options.rescue {
            return Ok(());
        }
        self.volume.iterate(&self.volume.names(dir)?, 0, &mut |_, _| true)
    }

    /// Hands one entry to the caller; false: it takes no more. A file that vanished since the batch
    /// was read is left out.
    fn offer(
        &self,
        dir: &Arc<Inode>,
        listed: &Listed,
        plus: bool,
        take: &mut dyn FnMut(&DirEntry) -> bool,
    ) -> Result<bool> {
        let Listed { entry, name } = listed;
        let mut shown =
            DirEntry { name, ino: entry.seed.number, kind: entry.kind, cookie: entry.cookie, attr: None };
        if !plus {
            return Ok(take(&shown));
        }
        let inode = {
            // As in lookup: the count is added before the name can go.
            let names = self.volume.names(dir)?;
            match self.volume.find_name(&names, name)? {
                Some(now) if now.seed.number == entry.seed.number => {}
                _ => return Ok(true),
            }
            match self.file_of(dir, entry) {
                Ok(inode) => {
                    self.volume.inodes.add_lookups(&inode, 1);
                    inode
                }
                // A damaged file still shows its name; its own lookup reports the damage.
                Err(error) if matches!(error.code, Code::Corrupt | Code::Io | Code::NotSupported) => {
                    return Ok(take(&shown));
                }
                Err(error) => return Err(error),
            }
        };
        shown.attr = Some(attr(inode.share().view()));
        let taken = take(&shown);
        if !taken && self.volume.inodes.forget(inode.ino, 1).is_some() {
            self.volume.reap_if_unused(&inode);
        }
        Ok(taken)
    }
}
