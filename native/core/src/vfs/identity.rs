//! Dual identity: public ids, and `/.hn4/id/UUID` that leads from an id to the file
//! (docs/format.md 3, "Public ids").
//!
//! The directory `.hn4` exists only in memory and is not listed: its numbers lie above every
//! file's. A link's path is built from back-links, so directory permissions hold; and it is shown only to
//! who may search the directories it leads through.

use super::FileSystem;
use super::api::{Attr, DirEntry, MaySearch};
use super::check;
use super::links::{HN4_DIR, ID_DIR, LINKS, Link, is_virtual};
use super::locking::LockedSet;
use crate::base::{Code, Ino, Result, now_ns};
use crate::format::{Kind, layout};
use crate::volume::{Inode, Purpose};
use std::sync::Arc;

/// The extended attribute that shows and sets the public id.
pub const PUBLIC_ID: &[u8] = b"user.hn4.public_id";

/// The usual text form of an id.
pub fn show(id: &[u8; 16]) -> String {
    let hex = hex(id);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

fn hex(id: &[u8; 16]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads an id with or without dashes.
fn parse(text: &[u8]) -> Option<[u8; 16]> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let dashed = text.len() == 36 && [8, 13, 18, 23].iter().all(|at| text[*at] == b'-');
    if !dashed && text.len() != 32 {
        return None;
    }
    let digits: Vec<u8> = text
        .iter()
        .filter(|c| **c != b'-')
        .map(|c| (*c as char).to_digit(16))
        .collect::<Option<Vec<_>>>()?
        .into_iter()
        .map(|d| d as u8)
        .collect();
    if digits.len() != 32 {
        return None;
    }
    Some(std::array::from_fn(|i| digits[2 * i] << 4 | digits[2 * i + 1]))
}

/// Number, hint and random part of a seed_id.
fn seed_parts(id: &[u8; 16]) -> (u64, u32, u32) {
    (
        u64::from_le_bytes(id[..8].try_into().expect("8 bytes")),
        u32::from_le_bytes(id[8..12].try_into().expect("4 bytes")),
        u32::from_le_bytes(id[12..].try_into().expect("4 bytes")),
    )
}

impl FileSystem {
    /// `.hn4` in the root belongs to the volume.
    pub(super) fn is_reserved(&self, parent: Ino, name: &[u8]) -> bool {
        parent == layout::INO_ROOT && name == b".hn4"
    }

    pub(super) fn lookup_virtual(&self, parent: Ino, name: &[u8]) -> Option<Result<Attr>> {
        let found = match (parent, name) {
            (HN4_DIR, b".") | (ID_DIR, b"..") => Ok(HN4_DIR),
            (HN4_DIR, b"id") | (ID_DIR, b".") => Ok(ID_DIR),
            (ID_DIR, text) => self.id_link(text),
            _ if self.is_reserved(parent, name) => Ok(HN4_DIR),
            _ if is_virtual(parent) => Err(Code::NotFound.into()),
            _ => return None,
        };
        Some(found.and_then(|ino| self.virtual_attr(ino).ok_or(Code::NotFound.into())))
    }

    pub(super) fn virtual_attr(&self, ino: Ino) -> Option<Attr> {
        if !is_virtual(ino) {
            return None;
        }
        let mode = if ino >= LINKS { libc::S_IFLNK | 0o777 } else { libc::S_IFDIR | 0o555 };
        let nlink = if ino >= LINKS { 1 } else { 2 };
        Some(Attr { ino, mode, nlink, ..Attr::default() })
    }

    pub(super) fn list_virtual(&self, ino: Ino, cookie: u64, take: &mut dyn FnMut(&DirEntry) -> bool) {
        let up = if ino == ID_DIR { HN4_DIR } else { layout::INO_ROOT };
        let names: &[(&[u8], Ino)] = &[(b".", ino), (b"..", up), (b"id", ID_DIR)];
        let count = if ino == HN4_DIR { 3 } else { 2 };
        for (i, (name, ino)) in names[..count].iter().enumerate().skip(cookie as usize) {
            let entry = DirEntry {
                name,
                ino: *ino,
                kind: Kind::Directory.number(),
                cookie: i as u64 + 1,
                attr: None,
            };
            if !take(&entry) {
                return;
            }
        }
    }

    fn id_link(&self, text: &[u8]) -> Result<Ino> {
        let id = parse(text).ok_or(Code::NotFound)?;
        let inode = self.by_id(&id)?.ok_or(Code::NotFound)?;
        if inode.share().slot.attributes.nlink == 0 || inode.ino < layout::INO_FIRST {
            return Err(Code::NotFound.into());
        }
        let mut links = self.links.lock();
        links.turn += 1;
        let link = LINKS + links.turn;
        links.known.insert(link, Link { number: inode.ino, hint: inode.hint });
        Ok(link)
    }

    /// Each number was looked up once.
    pub(super) fn forget_link(&self, link: Ino) {
        self.links.lock().known.remove(&link);
    }

    /// The file that shows this public id.
    fn by_id(&self, id: &[u8; 16]) -> Result<Option<Arc<Inode>>> {
        let volume = &self.volume;
        let ids = volume.inode(layout::INO_PUBLIC_IDS, 0)?;
        let entry = volume.find_name(&volume.names(&ids)?, hex(id).as_bytes())?;
        if let Some(entry) = entry {
            return Ok(Some(self.file_of(&ids, &entry)?));
        }
        Ok(self.by_seed(id)?.filter(|inode| inode.share().slot.anchor.public_id == *id))
    }

    /// The file with this seed_id.
    fn by_seed(&self, id: &[u8; 16]) -> Result<Option<Arc<Inode>>> {
        let (number, hint, random) = seed_parts(id);
        if number == 0 || number >= 1 << 53 {
            return Ok(None);
        }
        match self.volume.inode(number, hint) {
            Ok(inode) if inode.hint == hint && inode.random == random => Ok(Some(inode)),
            Ok(_) => Ok(None),
            Err(error) if error.code == Code::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The path of a link, relative to `.hn4/id`, for who may walk it; `None`: not a virtual link.
    pub(super) fn virtual_target(&self, ino: Ino, may_search: &MaySearch<'_>) -> Option<Result<Vec<u8>>> {
        (ino >= LINKS).then(|| {
            let links = self.links.lock();
            let (number, hint) =
                links.known.get(&ino).map(|link| (link.number, link.hint)).ok_or(Code::Stale)?;
            drop(links);
            let path = self.path_of(self.volume.inode(number, hint)?, may_search)?;
            Ok([b"../..", &path[..]].concat())
        })
    }

    pub(super) fn set_public_id(&self, ino: Ino, text: &[u8]) -> Result<()> {
        let id = parse(text).ok_or(Code::InvalidArgument)?;
        // Before anything is looked for.
        check::rewritable(&self.volume.by_ino(ino)?.share())?;
        let taken = self.by_seed(&id)?.map(|inode| inode.ino).or(self.by_id(&id)?.map(|inode| inode.ino));
        match taken {
            Some(owner) if owner != ino => Err(Code::Exists.into()),
            _ => self.change_public_id(ino, id),
        }
    }

    /// Back to the seed_id.
    pub(super) fn reset_public_id(&self, ino: Ino) -> Result<()> {
        let id = self.volume.by_ino(ino)?.share().slot.seed_id();
        self.change_public_id(ino, id)
    }

    fn change_public_id(&self, ino: Ino, id: [u8; 16]) -> Result<()> {
        let volume = &self.volume;
        let ids = volume.inode(layout::INO_PUBLIC_IDS, 0)?;
        let inode = volume.by_ino(ino)?;
        volume.change(|tx| {
            let mut locked = LockedSet::new(&[&ids, &inode]);
            let file = locked.of(&inode);
            check::rewritable(file)?;
            let (old, seed) = (file.slot.anchor.public_id, file.slot.seed_id());
            if old == id {
                return Ok(());
            }
            let names = locked.of(&ids);
            if id != seed {
                if volume.find_entry(names, hex(&id).as_bytes())?.is_some() {
                    return Err(Code::Exists.into());
                }
                volume.insert_entry(tx, names, hex(&id).as_bytes(), &inode, Purpose::User)?;
            }
            if old != seed
                && let Err(error) = volume.remove_entry(tx, names, hex(&old).as_bytes())
            {
                if id != seed {
                    volume.remove_entry(tx, names, hex(&id).as_bytes())?;
                }
                return Err(error);
            }
            volume.mark(tx, names);
            let file = locked.of(&inode);
            file.slot.anchor.public_id = id;
            file.slot.attributes.ctime = now_ns();
            volume.mark(tx, file);
            Ok(())
        })
    }
}
