//! What must be found in a volume, as JSON that both languages write: test/support/engine.ts reads it.

use hn4_core::vfs::Attr;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Bytes as text: printable ASCII but `%` as it is, others as %XX.
pub fn escape(bytes: &[u8]) -> String {
    let shown = |&b: &u8| match b {
        b' '..=b'~' if b != b'%' => char::from(b).to_string(),
        _ => format!("%{b:02x}"),
    };
    bytes.iter().map(shown).collect()
}

/// A file: of `attr` the mode, owner, device, links, size and time of change count.
pub struct Entry<'a> {
    pub path: &'a [u8],
    pub attr: &'a Attr,
    /// Sum by [`add_block`] of a regular file, else 0.
    pub content: u32,
    pub target: Option<&'a [u8]>,
    pub xattrs: &'a BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Entry<'_> {
    /// Times are nanoseconds: text, for JSON numbers are doubles. A directory's size means nothing.
    pub fn json(&self) -> Value {
        let Attr { mode, uid, gid, rdev, nlink, size, mtime, .. } = *self.attr;
        let size = if mode & libc::S_IFMT == libc::S_IFDIR { 0 } else { size };
        let xattr =
            |(name, value): (&Vec<u8>, &Vec<u8>)| json!([escape(name), value.len(), crc32c::crc32c(value)]);
        json!({
            "path": escape(self.path),
            "mode": mode,
            "uid": uid,
            "gid": gid,
            "rdev": rdev,
            "nlink": nlink,
            "size": size.to_string(),
            "mtime": mtime.to_string(),
            "content": self.content,
            "target": self.target.map(escape),
            "xattrs": self.xattrs.iter().map(xattr).collect::<Vec<_>>(),
        })
    }
}

/// Entries in the order of their shown paths.
pub fn sorted(mut entries: Vec<Value>) -> Vec<Value> {
    entries.sort_by(|a, b| a["path"].as_str().cmp(&b["path"].as_str()));
    entries
}

/// One block more of the sum over a file: CRC32C over index (8 bytes) and bytes (4096) of every block that
/// is not all zero, in ascending order. Holes and zeros count the same, and a file of 2^47 blocks takes no
/// longer than what it holds.
pub fn add_block(sum: u32, index: u64, bytes: &[u8]) -> u32 {
    if bytes.iter().all(|&byte| byte == 0) {
        return sum;
    }
    crc32c::crc32c_append(crc32c::crc32c_append(sum, &index.to_le_bytes()), bytes)
}
