//! Directory listings: entries packed into a READDIR or READDIRPLUS reply.

use super::{Reply, Validity, reply::entry};
use crate::abi::*;
use hn4_core::base::Ino;
use hn4_core::vfs::api::DirEntry;
use zerocopy::FromBytes;

/// Records are padded to this (FUSE_REC_ALIGN).
const ALIGN: usize = 8;

/// Packs entries until one does not fit into `limit` bytes.
pub struct DirWriter<'r, 'b> {
    reply: &'r mut Reply<'b>,
    limit: usize,
    plus: Option<Validity>,
}

impl<'r, 'b> DirWriter<'r, 'b> {
    /// `limit` is what the kernel asked for, bytes; `plus` makes READDIRPLUS records.
    pub fn new(reply: &'r mut Reply<'b>, limit: usize, plus: Option<Validity>) -> DirWriter<'r, 'b> {
        DirWriter { reply, limit, plus }
    }

    /// Appends an entry whole or not at all; false when it did not fit.
    pub fn put(&mut self, item: &DirEntry) -> bool {
        let head = if self.plus.is_some() { size_of::<EntryOut>() } else { 0 };
        let bare = head + size_of::<Dirent>() + item.name.len();
        let padded = bare.next_multiple_of(ALIGN);
        let start = self.reply.len();
        if start + padded > self.limit {
            return false;
        }
        let dirent = Dirent {
            ino: item.ino,
            off: item.cookie,
            namelen: item.name.len() as u32,
            kind: item.kind.into(),
        };
        let fits = self.plus.is_none_or(|valid| {
            // Node id 0: a listing without lookup (`.` and `..`).
            self.reply.put(&item.attr.as_ref().map_or(EntryOut::default(), |attr| entry(attr, valid)))
        }) && self.reply.put(&dirent)
            && self.reply.put_bytes(item.name)
            && self.reply.put_bytes(&[0; ALIGN][..padded - bare]);
        if !fits {
            self.reply.set_len(start);
        }
        fits
    }
}

/// Calls `visit` with each node id that a READDIRPLUS payload hands to the kernel.
pub fn for_each_plus_node(mut payload: &[u8], mut visit: impl FnMut(Ino)) {
    while let Ok((entry, rest)) = EntryOut::read_from_prefix(payload) {
        let Ok((dirent, _)) = Dirent::read_from_prefix(rest) else { return };
        if entry.nodeid != 0 {
            visit(entry.nodeid);
        }
        let size =
            (size_of::<EntryOut>() + size_of::<Dirent>() + dirent.namelen as usize).next_multiple_of(ALIGN);
        payload = payload.get(size..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hn4_core::vfs::api::Attr;

    const VALID: Validity = Validity { entry: 1, attr: 1, negative: 1 };

    fn item(name: &[u8], attr: Option<Attr>) -> DirEntry<'_> {
        DirEntry { name, ino: 7, kind: 8, cookie: 3, attr }
    }

    #[test]
    fn an_entry_is_taken_whole_or_not_at_all() {
        let mut buf = [0; 64];
        let mut reply = Reply::new(&mut buf);
        let mut writer = DirWriter::new(&mut reply, 63, None);
        assert!(writer.put(&item(b"a", None)));
        assert!(!writer.put(&item(b"b", None)), "32 + 32 is over the limit of 63");
        assert_eq!(reply.len(), 32);
    }

    #[test]
    fn nodes_of_a_listing_are_found_again() {
        let mut buf = [0; 4096];
        let mut reply = Reply::new(&mut buf);
        let mut writer = DirWriter::new(&mut reply, 4096, Some(VALID));
        assert!(writer.put(&item(b".", None)));
        assert!(writer.put(&item(b"name", Some(Attr { ino: 41, ..Attr::default() }))));
        assert!(writer.put(&item(b"longer name", Some(Attr { ino: 42, ..Attr::default() }))));
        let len = reply.len();
        let mut found = Vec::new();
        for_each_plus_node(&buf[..len], |ino| found.push(ino));
        assert_eq!(found, [41, 42]);
    }
}
