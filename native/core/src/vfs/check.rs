//! Checks that come before any operation touches a file.

use crate::base::{Code, Result};
use crate::format::layout;
use crate::volume::InodeState;

pub use crate::volume::guards::{mutable, rewritable};

/// Names are 1 to 255 bytes without NUL and `/`, not `.` or `..`.
pub fn name(name: &[u8]) -> Result<()> {
    if name.len() > layout::NAME_MAX as usize {
        return Err(Code::NameTooLong.into());
    }
    let illegal =
        name.is_empty() || name == b"." || name == b".." || name.iter().any(|b| matches!(b, 0 | b'/'));
    if illegal { Err(Code::InvalidArgument.into()) } else { Ok(()) }
}

/// The directory still has a name; an unlinked one takes no entries.
pub fn alive(state: &InodeState) -> Result<()> {
    if state.gone || state.slot.attributes.nlink == 0 { Err(Code::NotFound.into()) } else { Ok(()) }
}
