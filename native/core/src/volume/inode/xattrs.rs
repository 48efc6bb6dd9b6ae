//! Extended attributes of a file as one payload (docs/format.md 6).

use super::state::{Inode, InodeState};
use crate::base::Result;
use crate::extension::xattr;
use crate::format::layout;
use crate::volume::Volume;

/// File capabilities: any change of content or owner takes them away (capabilities(7)).
const CAPABILITY: &[u8] = b"security.capability";

impl Volume {
    /// The payload; empty if the file has none, without I/O.
    pub fn xattrs(&self, inode: &Inode, state: &InodeState) -> Result<Vec<u8>> {
        if !state.has(layout::DATA_CLASS_HAS_XATTR) {
            return Ok(Vec::new());
        }
        self.extension_payload(inode, state, layout::EXTENSION_XATTR)
    }

    /// Stores the payload. The caller marks the file. An error changes nothing.
    pub fn store_xattrs(&self, inode: &Inode, state: &mut InodeState, payload: &[u8]) -> Result<()> {
        self.store_extension(inode, state, layout::EXTENSION_XATTR, payload)?;
        state.set(layout::DATA_CLASS_HAS_XATTR, !payload.is_empty());
        Ok(())
    }

    /// Removes the file's capabilities, if it has any. The caller marks the file.
    pub fn drop_capability(&self, inode: &Inode, state: &mut InodeState) -> Result<()> {
        if !state.has(layout::DATA_CLASS_HAS_XATTR) || inode.is_directory() {
            return Ok(());
        }
        if state.chain.is_none() {
            state.chain = Some(self.load_chain(inode.ino, state.slot.attributes.extension)?);
        }
        let payload = self.xattrs(inode, state)?;
        match xattr::remove(&payload, CAPABILITY) {
            Ok(rest) => self.store_xattrs(inode, state, &rest),
            Err(_) => Ok(()),
        }
    }
}
