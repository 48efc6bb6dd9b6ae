//! Paths of the host in messages.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The path for a message: each byte that is not UTF-8 as `\xNN`, as src/base/printable.ts shows it.
pub fn shown(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // A String takes everything.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

#[test]
fn bytes_that_are_not_utf8_can_be_told_apart() {
    let bytes = b"/tmp/\xfe\xffa\xc3\xa4\xc3";
    assert_eq!(shown(Path::new(std::ffi::OsStr::from_bytes(bytes))), "/tmp/\\xfe\\xffa\u{e4}\\xc3");
}
