//! A leaf as bytes: header checks, the walk over its entries, the search for a name, edits.
//!
//! The walk allocates nothing. Every byte is hostile until the walk has passed over it.

use super::bytes::At;
use super::hash::{DISCRIMINATORS, Range, cookie, discriminator_of_cookie, hash_of_cookie};
use crate::base::{BLOCK_SIZE, Code, Ino, Result};
use crate::format::layout::{
    COOKIE_FIRST, DIR_DEPTH_MAX, DIR_ENTRY_HEADER, DIR_HEADER, DIR_LEAF, DIRECTORY_MAGIC, DirBlock,
    DirEntry as EntryHeader, NAME_MAX, NUMBER_END,
};

pub(super) const HEADER: usize = DIR_HEADER as usize;
pub(super) const ENTRY_HEADER: usize = DIR_ENTRY_HEADER as usize;
/// Bytes of a leaf behind its header.
pub const LEAF_BYTES: usize = BLOCK_SIZE - HEADER;
/// Most entries of a leaf: names of one byte.
pub(super) const LEAF_ENTRIES_MAX: usize = LEAF_BYTES / (ENTRY_HEADER + 1);

/// Identity of a file, as in its anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed {
    pub number: Ino,
    pub hint: u32,
    pub random: u32,
}

/// What a name leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub seed: Seed,
    /// Type of the file: S_IFMT >> 12.
    pub kind: u8,
    /// Place in the order of an iteration; the same as long as the name stands.
    pub cookie: u64,
}

/// An entry with its name, as an iteration gives it.
#[derive(Clone, Copy, Debug)]
pub struct NamedEntry<'a> {
    pub name: &'a [u8],
    pub entry: Entry,
}

/// True for the seven file types of Linux (S_IFIFO to S_IFSOCK, shifted by 12).
pub(super) fn is_kind(kind: u8) -> bool {
    matches!(kind, 1 | 2 | 4 | 6 | 8 | 10 | 12)
}

/// True for a name that may stand in a directory.
pub(super) fn is_name(name: &[u8]) -> bool {
    !name.is_empty()
        && name.len() <= NAME_MAX as usize
        && name != b"."
        && name != b".."
        && !name.iter().any(|&byte| byte == 0 || byte == b'/')
}

/// Bytes an entry takes in a leaf.
pub(super) fn entry_size(name: &[u8]) -> usize {
    ENTRY_HEADER + name.len()
}

/// A leaf whose header was checked.
#[derive(Clone, Copy)]
pub(super) struct Leaf<'a> {
    bytes: &'a [u8; BLOCK_SIZE],
    at: At,
    pub range: Range,
    pub count: usize,
    /// Bytes of the entries.
    pub used: usize,
}

/// An entry inside a leaf; its bytes are in bounds.
#[derive(Clone, Copy)]
pub(super) struct Raw<'a> {
    at: At,
    bytes: &'a [u8],
    /// Offset of the entry in the block.
    pub offset: usize,
    pub cookie: u64,
}

/// What an insert must know about a leaf.
pub(super) struct Survey {
    /// Offset in the block where the new entry belongs.
    pub offset: usize,
    /// Smallest discriminator that no entry of the hash uses; `None`: all 64 are taken.
    pub discriminator: Option<u32>,
}

impl<'a> Leaf<'a> {
    /// Checks the header of a leaf that must hold `range`, if one is given.
    pub fn open(bytes: &'a [u8; BLOCK_SIZE], at: At, expected: Option<Range>) -> Result<Leaf<'a>> {
        let Some(header) = DirBlock::decode(bytes) else {
            return Err(at.corrupt("a reserved byte of the header is not zero"));
        };
        if u64::from(header.magic) != DIRECTORY_MAGIC {
            return Err(at.corrupt("no directory block (magic)"));
        }
        if header.kind != DIR_LEAF {
            return Err(at.corrupt("a leaf was expected (kind)"));
        }
        if u64::from(header.depth) > DIR_DEPTH_MAX || header.ordinal != 0 || header.next != 0 {
            return Err(at.corrupt("depth, ordinal or next of a leaf out of range"));
        }
        let range = Range { depth: header.depth, prefix: header.prefix };
        if header.prefix >= Range::ALL.end() || Range::around(header.prefix, header.depth) != range {
            return Err(at.corrupt("prefix has bits below its depth"));
        }
        if expected.is_some_and(|expected| expected != range) {
            return Err(at.corrupt("depth or prefix of the leaf contradicts the index"));
        }
        let (count, used) = (usize::from(header.count), usize::from(header.used));
        if used > LEAF_BYTES || count * (ENTRY_HEADER + 1) > used {
            return Err(at.corrupt("used or count of the leaf out of range"));
        }
        Ok(Leaf { bytes, at, range, count, used })
    }

    pub fn walk(&self) -> Walk<'a> {
        let (first_of_range, last_of_range) = self.range.cookies();
        Walk { leaf: *self, offset: HEADER, seen: 0, last: first_of_range - 1, last_of_range }
    }

    /// Walks over all entries: order, bounds, count, zeros behind them.
    pub fn verify(&self) -> Result<()> {
        let mut walk = self.walk();
        while walk.next()?.is_some() {}
        self.verify_tail()
    }

    fn verify_tail(&self) -> Result<()> {
        if self.bytes[HEADER + self.used..].iter().any(|&byte| byte != 0) {
            return Err(self.at.corrupt("bytes behind the entries are not zero"));
        }
        Ok(())
    }

    /// The entry of `name`, whose hash is `hash`.
    pub fn find(&self, hash: u64, name: &[u8]) -> Result<Option<Raw<'a>>> {
        let first = cookie(hash, 0);
        let last = cookie(hash, DISCRIMINATORS - 1);
        let mut walk = self.walk();
        while let Some(raw) = walk.next()? {
            if raw.cookie > last {
                break;
            }
            if raw.cookie >= first && raw.name() == name {
                return Ok(Some(raw));
            }
        }
        Ok(None)
    }

    /// As `find`, and checks the whole leaf: for who is going to change it.
    pub fn find_verified(&self, hash: u64, name: &[u8]) -> Result<Option<Raw<'a>>> {
        self.verify()?;
        self.find(hash, name)
    }

    /// Checks the whole leaf and finds a place for `name`. Error: `Exists` if it is there.
    pub fn survey(&self, hash: u64, name: &[u8]) -> Result<Survey> {
        let mut offset = HEADER;
        let mut exists = false;
        // Discriminators 0 to contiguous - 1 are taken: the new entry goes behind theirs.
        let mut contiguous = 0;
        let mut walk = self.walk();
        while let Some(raw) = walk.next()? {
            let other = hash_of_cookie(raw.cookie);
            if other < hash {
                offset = raw.end();
            } else if other == hash {
                exists |= raw.name() == name;
                if discriminator_of_cookie(raw.cookie) == contiguous {
                    contiguous += 1;
                    offset = raw.end();
                }
            }
        }
        self.verify_tail()?;
        if exists {
            return Err(Code::Exists.into());
        }
        Ok(Survey { offset, discriminator: (contiguous < DISCRIMINATORS).then_some(contiguous) })
    }
}

/// The walk over a leaf's entries, in cookie order.
pub(super) struct Walk<'a> {
    leaf: Leaf<'a>,
    offset: usize,
    seen: usize,
    last: u64,
    last_of_range: u64,
}

impl<'a> Walk<'a> {
    /// The next entry, checked against its neighbours; `None` behind the last.
    pub fn next(&mut self) -> Result<Option<Raw<'a>>> {
        let Leaf { bytes, at, count, used, .. } = self.leaf;
        let rest = &bytes[self.offset..HEADER + used];
        if rest.is_empty() {
            if self.seen != count {
                return Err(at.corrupt("count is not the number of entries"));
            }
            return Ok(None);
        }
        if rest.len() <= ENTRY_HEADER {
            return Err(at.corrupt("an entry is cut off"));
        }
        let length = usize::from(rest[EntryHeader::AT_NAME_LENGTH]);
        if length == 0 || ENTRY_HEADER + length > rest.len() {
            return Err(at.corrupt("name length of an entry out of range"));
        }
        let mut number = [0u8; 8];
        number.copy_from_slice(&rest[EntryHeader::AT_COOKIE..EntryHeader::AT_COOKIE + 8]);
        let cookie = u64::from_le_bytes(number);
        if cookie <= self.last || cookie > self.last_of_range {
            return Err(at.corrupt("cookie of an entry out of order or of another leaf"));
        }
        debug_assert!(cookie >= COOKIE_FIRST);
        let raw = Raw { at, bytes: &rest[..ENTRY_HEADER + length], offset: self.offset, cookie };
        self.offset += raw.bytes.len();
        self.seen += 1;
        self.last = cookie;
        Ok(Some(raw))
    }
}

impl<'a> Raw<'a> {
    pub fn name(&self) -> &'a [u8] {
        &self.bytes[ENTRY_HEADER..]
    }
    /// The entry as it stands in the leaf.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
    /// Offset in the block behind the entry.
    pub fn end(&self) -> usize {
        self.offset + self.bytes.len()
    }
    /// The entry's fields, checked.
    pub fn entry(&self) -> Result<Entry> {
        let Some(header) = EntryHeader::decode(self.bytes) else {
            return Err(self.at.corrupt("an entry is cut off"));
        };
        if !is_kind(header.kind) {
            return Err(self.at.corrupt("type of an entry out of range"));
        }
        if header.number == 0 || header.number >= NUMBER_END {
            return Err(self.at.corrupt("file number of an entry out of range"));
        }
        if !is_name(self.name()) {
            return Err(self.at.corrupt("a name that no directory may hold"));
        }
        let seed = Seed { number: header.number, hint: header.hint, random: header.random };
        Ok(Entry { seed, kind: header.kind, cookie: header.cookie })
    }
}
