//! The N-API binding: one line per function, the work is in hn4-core and hn4-fuse.
//!
//! `src/native/addon.ts` declares the same functions with types and loads this library.

// Under cfg(test) the binding's macro leaves the registrations out, and everything looks unused.
#![cfg_attr(test, allow(dead_code))]

mod failure;
mod host;
mod last_words;
mod lock;
mod log;
mod mount;
mod path;
mod places;
mod promise;
mod state;
mod stats;
mod system_log;
mod tune;
mod volume;

use napi_derive::napi;

/// Package version this addon was built from; the loader compares it with package.json.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// CRC32C (Castagnoli) of `bytes`, continuing from `seed` (0 starts anew).
#[napi(js_name = "crc32c")]
pub fn crc32c(bytes: &[u8], seed: Option<u32>) -> u32 {
    crc32c::crc32c_append(seed.unwrap_or(0), bytes)
}

/// Hash of the format description; the loader refuses an addon generated from another one.
#[napi]
pub fn layout_hash() -> &'static str {
    hn4_core::format::layout::LAYOUT_HASH
}
