//! Paths of the host as JavaScript gives them: text, with each byte that is not UTF-8 as a lone surrogate, U+DC00
//! and the byte, so that a path keeps its bytes.

use crate::failure::Failure;
use napi::bindgen_prelude::Utf16String;
use std::ffi::{CString, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

/// The path that a text means.
pub fn host_path(text: &Utf16String) -> PathBuf {
    let mut bytes = Vec::with_capacity(text.len());
    for unit in char::decode_utf16(text.iter().copied()) {
        match unit.map_err(|error| error.unpaired_surrogate()) {
            Err(byte @ 0xdc80..=0xdcff) => bytes.push((byte & 0xff) as u8),
            character => {
                let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
                bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    }
    OsString::from_vec(bytes).into()
}

/// As system calls take it. Error: it holds a NUL.
pub fn c_path(text: &Utf16String) -> Result<CString, Failure> {
    CString::new(host_path(text).as_os_str().as_bytes())
        .map_err(|_| Failure::new("EINVAL", "a name with a NUL"))
}
