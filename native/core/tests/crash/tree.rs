//! A tree as the manifest of the TypeScript reader.

use crate::manifest::{Entry, add_block, sorted};
use hn4_core::base::BLOCK_SIZE;
use hn4_core::testing::{Found, Tree};
use serde_json::Value;

/// The tree as the TypeScript reader must find it (test/support/engine.ts), the root with an empty path.
pub fn manifest_of(tree: &Tree) -> Vec<Value> {
    let entry = |(path, found): (&String, &Found)| {
        let is = |kind| found.attr.mode & libc::S_IFMT == kind;
        Entry {
            path: path.as_bytes(),
            attr: &found.attr,
            content: if is(libc::S_IFREG) { sum_of(&found.content) } else { 0 },
            target: is(libc::S_IFLNK).then_some(&found.target),
            xattrs: &found.xattrs,
        }
        .json()
    };
    sorted(tree.iter().map(entry).collect())
}

fn sum_of(content: &[u8]) -> u32 {
    let mut sum = 0;
    for (index, bytes) in content.chunks(BLOCK_SIZE).enumerate() {
        let mut block = [0; BLOCK_SIZE];
        block[..bytes.len()].copy_from_slice(bytes);
        sum = add_block(sum, index as u64, &block);
    }
    sum
}
