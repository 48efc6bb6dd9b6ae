//! Edits of leaf bytes that were verified. They keep header and zeros right.

use super::hash::Range;
use super::leaf::{ENTRY_HEADER, Entry, HEADER, entry_size};
use crate::base::BLOCK_SIZE;
use crate::format::layout::{DIR_LEAF, DIRECTORY_MAGIC, DirBlock, DirEntry as EntryHeader};

/// An empty leaf.
pub fn empty(range: Range) -> [u8; BLOCK_SIZE] {
    let mut bytes = [0; BLOCK_SIZE];
    let header = DirBlock {
        magic: DIRECTORY_MAGIC as u32,
        kind: DIR_LEAF,
        depth: range.depth,
        count: 0,
        used: 0,
        ordinal: 0,
        prefix: range.prefix,
        next: 0,
    };
    header.encode(&mut bytes);
    bytes
}

fn counters(bytes: &[u8; BLOCK_SIZE]) -> (u16, u16) {
    let word = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    (word(DirBlock::AT_COUNT), word(DirBlock::AT_USED))
}

fn set_counters(bytes: &mut [u8; BLOCK_SIZE], count: u16, used: u16) {
    bytes[DirBlock::AT_COUNT..DirBlock::AT_COUNT + 2].copy_from_slice(&count.to_le_bytes());
    bytes[DirBlock::AT_USED..DirBlock::AT_USED + 2].copy_from_slice(&used.to_le_bytes());
}

/// Writes the entry at `offset`, moving those behind it up. The caller saw that it fits.
pub fn insert(bytes: &mut [u8; BLOCK_SIZE], offset: usize, name: &[u8], entry: &Entry) {
    let (count, used) = counters(bytes);
    let size = entry_size(name);
    bytes.copy_within(offset..HEADER + usize::from(used), offset + size);
    write(&mut bytes[offset..offset + size], name, entry);
    set_counters(bytes, count + 1, used + size as u16);
}

/// Writes one entry into bytes of just its size.
pub fn write(bytes: &mut [u8], name: &[u8], entry: &Entry) {
    let header = EntryHeader {
        cookie: entry.cookie,
        number: entry.seed.number,
        hint: entry.seed.hint,
        random: entry.seed.random,
        kind: entry.kind,
        name_length: name.len() as u8,
    };
    header.encode(bytes);
    bytes[ENTRY_HEADER..].copy_from_slice(name);
}

/// Takes out the entry of `size` bytes at `offset`.
pub fn remove(bytes: &mut [u8; BLOCK_SIZE], offset: usize, size: usize) {
    let (count, used) = counters(bytes);
    let end = HEADER + usize::from(used);
    bytes.copy_within(offset + size..end, offset);
    bytes[end - size..end].fill(0);
    set_counters(bytes, count - 1, used - size as u16);
}

/// Appends `count` packed entries behind those in the leaf.
pub fn append(bytes: &mut [u8; BLOCK_SIZE], entries: &[u8], more: usize) {
    let (count, used) = counters(bytes);
    let end = HEADER + usize::from(used);
    bytes[end..end + entries.len()].copy_from_slice(entries);
    set_counters(bytes, count + more as u16, used + entries.len() as u16);
}

/// The packed entries of a leaf, and how many.
pub fn entries(bytes: &[u8; BLOCK_SIZE]) -> (&[u8], usize) {
    let (count, used) = counters(bytes);
    (&bytes[HEADER..HEADER + usize::from(used)], usize::from(count))
}
