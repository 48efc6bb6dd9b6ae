//! Divides a leaf that overflows: pure, on bytes.

use super::edit;
use super::hash::{Range, hash_of_cookie};
use super::leaf::{Entry, LEAF_BYTES, Leaf, entry_size};
use crate::base::{BLOCK_SIZE, Result};

/// One of the leaves that a leaf becomes.
pub(super) struct Part {
    pub range: Range,
    pub bytes: Box<[u8; BLOCK_SIZE]>,
}

/// An entry on its way to a new leaf.
struct Piece<'a> {
    hash: u64,
    bytes: &'a [u8],
}

/// The leaves, in hash order, that hold the entries of `leaf` and a new one (at `offset` in its
/// block). `None` if more than `depth_limit` bits would be needed to part them.
pub(super) fn split(
    leaf: &Leaf,
    offset: usize,
    name: &[u8],
    entry: &Entry,
    depth_limit: u8,
) -> Result<Option<Vec<Part>>> {
    let mut added = vec![0; entry_size(name)];
    edit::write(&mut added, name, entry);
    let mut pieces = Vec::with_capacity(leaf.count + 1);
    let mut walk = leaf.walk();
    let mut new = Some(Piece { hash: hash_of_cookie(entry.cookie), bytes: &added });
    while let Some(raw) = walk.next()? {
        if raw.offset >= offset {
            pieces.extend(new.take());
        }
        pieces.push(Piece { hash: hash_of_cookie(raw.cookie), bytes: raw.bytes() });
    }
    pieces.extend(new);

    let mut parts = Vec::new();
    // Only one half can overflow: both together are less than two leaves.
    let mut left = Some((leaf.range, &pieces[..]));
    while let Some((range, pieces)) = left.take() {
        if range.depth >= depth_limit {
            return Ok(None);
        }
        let (low, high) = range.halves();
        let (lows, highs) = pieces.split_at(pieces.partition_point(|piece| piece.hash < high.prefix));
        for (range, pieces) in [(low, lows), (high, highs)] {
            if size(pieces) > LEAF_BYTES {
                left = Some((range, pieces));
            } else {
                parts.push(pack(range, pieces));
            }
        }
    }
    parts.sort_by_key(|part| part.range.prefix);
    Ok(Some(parts))
}

fn size(pieces: &[Piece]) -> usize {
    pieces.iter().map(|piece| piece.bytes.len()).sum()
}

fn pack(range: Range, pieces: &[Piece]) -> Part {
    let mut bytes = Box::new(edit::empty(range));
    for piece in pieces {
        edit::append(&mut bytes, piece.bytes, 1);
    }
    Part { range, bytes }
}
