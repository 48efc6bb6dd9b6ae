//! What chattr +i and +a forbid, asked before any address is computed.

use crate::base::{Code, Result};
use crate::format::layout;
use crate::volume::inode::InodeState;

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

/// Bytes from `offset` on may be written: not before the end of an append-only file.
pub(super) fn may_write_at(state: &InodeState, offset: u64) -> Result<()> {
    if offset < state.size { rewritable(state) } else { mutable(state) }
}
