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
/// Entries whose files are looked for under one lock of their directory.
const BATCH: usize = 32;
const DT_DIR: u8 = 4;

/// An entry with its file, unless that is damaged.
struct Listed {
    entry: Entry,
    name: Vec<u8>,
    file: Option<Arc<Inode>>,
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
        if plus { self.list_with_attributes(&dir, at, take) } else { self.list_names(&dir, at, take) }
    }

    /// All under one lock of the directory, which `take` must not ask for.
    fn list_names(&self, dir: &Arc<Inode>, at: u64, take: &mut dyn FnMut(&DirEntry) -> bool) -> Result<()> {
        let names = self.volume.names(dir)?;
        let mut is_over = true;
        let passed_over = &mut |error| self.passed_over(error);
        self.volume.iterate_past(&names, at, passed_over, &mut |entry, name| {
            is_over = false;
            take(&shown(entry, name))
        })?;
        drop(names);
        if is_over { self.listed_whole(dir) } else { Ok(()) }
    }

    fn list_with_attributes(
        &self,
        dir: &Arc<Inode>,
        mut at: u64,
        take: &mut dyn FnMut(&DirEntry) -> bool,
    ) -> Result<()> {
        let before = at;
        loop {
            let batch = self.batch(dir, at)?;
            for listed in &batch {
                if !self.offer(listed, take) {
                    return Ok(());
                }
                at = listed.entry.cookie;
            }
            if batch.len() < BATCH {
                return if at == before { self.listed_whole(dir) } else { Ok(()) };
            }
        }
    }

    fn batch(&self, dir: &Arc<Inode>, after: u64) -> Result<Vec<Listed>> {
        let names = self.volume.names(dir)?;
        let mut batch = Vec::with_capacity(BATCH);
        let passed_over = &mut |error| self.passed_over(error);
        self.volume.iterate_past(&names, after, passed_over, &mut |entry, name| {
            batch.push(Listed { entry: *entry, name: name.to_vec(), file: None });
            batch.len() < BATCH
        })?;
        for listed in &mut batch {
            listed.file = match self.file_of(dir, &listed.entry) {
                Ok(file) => Some(file),
                // A damaged file still shows its name; its own lookup reports the damage.
                Err(error) if matches!(error.code, Code::Corrupt | Code::Io | Code::NotSupported) => None,
                Err(error) => return Err(error),
            };
        }
        Ok(batch)
    }

    /// Who reads what is left of a damaged volume gets the names that are left.
    fn passed_over(&self, error: Error) -> Result<()> {
        if self.volume.options.rescue { Ok(()) } else { Err(error) }
    }

    /// Nothing was left to list: now is the time to say that there was more. The error of the first block that the
    /// listing passed over.
    fn listed_whole(&self, dir: &Arc<Inode>) -> Result<()> {
        if !self.volume.options.rescue {
            return Ok(());
        }
        self.volume.iterate(&self.volume.names(dir)?, 0, &mut |_, _| true)
    }

    /// Hands one entry to the caller; false: it takes no more.
    fn offer(&self, listed: &Listed, take: &mut dyn FnMut(&DirEntry) -> bool) -> bool {
        let mut shown = shown(&listed.entry, &listed.name);
        let Some(inode) = &listed.file else { return take(&shown) };
        {
            // Under the file's lock, which whoever deletes it for good needs: the lookup counts before that, or the
            // file is found to be gone.
            let file = inode.share();
            if file.gone || file.slot.attributes.nlink == 0 {
                // Since the batch was read; its own lookup says so.
                drop(file);
                return take(&shown);
            }
            self.volume.inodes.add_lookups(inode, 1);
            shown.attr = Some(attr(file.view()));
        }
        let taken = take(&shown);
        if !taken && self.volume.inodes.forget(inode.ino, 1).is_some() {
            self.volume.reap_if_unused(inode);
        }
        taken
    }
}

fn shown<'a>(entry: &Entry, name: &'a [u8]) -> DirEntry<'a> {
    DirEntry { name, ino: entry.seed.number, kind: entry.kind, cookie: entry.cookie, attr: None }
}
