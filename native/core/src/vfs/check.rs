//! Checks that come before any operation touches a file.

use crate::base::{Code, Result};
use crate::format::layout;
use crate::volume::InodeState;

/// Names are 1 to 255 bytes without NUL and `/`, not `.` or `..`.
pub fn name(name: &[u8]) -> Result<()> {
    if name.len() > layout::NAME_MAX as usize {
        return Err(Code::NameTooLong.into());
    }
    let illegal =
        name.is_empty() || name == b"." || name == b".." || name.iter().any(|b| matches!(b, 0 | b'/'));
    if illegal { Err(Code::InvalidArgument.into()) } else { Ok(()) }
}

fn permits(state: &InodeState, forbidden: u64) -> Result<()> {
    if u64::from(state.slot.anchor.permissions) & forbidden != 0 {
        return Err(Code::NotPermitted.into());
    }
    Ok(())
}

/// Content, attributes and names may change (chattr +i forbids it).
pub fn mutable(state: &InodeState) -> Result<()> {
    permits(state, layout::PERMISSION_IMMUTABLE)
}

/// Existing bytes, attributes and names may change (chattr +i and +a forbid it).
pub fn rewritable(state: &InodeState) -> Result<()> {
    permits(state, layout::PERMISSION_IMMUTABLE | layout::PERMISSION_APPEND)
}

/// The directory still has a name; an unlinked one takes no entries.
pub fn alive(state: &InodeState) -> Result<()> {
    if state.gone || state.slot.attributes.nlink == 0 { Err(Code::NotFound.into()) } else { Ok(()) }
}
