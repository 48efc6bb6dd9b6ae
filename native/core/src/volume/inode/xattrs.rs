//! Extended attributes of a file as one payload (docs/format.md 6).

use super::{Locked, View};
use crate::base::Result;
use crate::extension::xattr;
use crate::format::layout;
use crate::transaction::Transaction;
use crate::volume::Volume;

/// File capabilities: any change of content or owner takes them away (capabilities(7)).
const CAPABILITY: &[u8] = b"security.capability";

impl Volume {
    /// The payload; empty if the file has none, without I/O.
    pub fn xattrs(&self, file: View<'_>) -> Result<Vec<u8>> {
        if !file.has(layout::DATA_CLASS_HAS_XATTR) {
            return Ok(Vec::new());
        }
        self.extension_payload(file, layout::EXTENSION_XATTR)
    }

    /// Stores the payload. The caller marks the file. An error changes nothing.
    pub fn store_xattrs(&self, tx: &Transaction<'_>, file: &mut Locked<'_>, payload: &[u8]) -> Result<()> {
        self.store_extension(tx, file, layout::EXTENSION_XATTR, payload)?;
        file.set(layout::DATA_CLASS_HAS_XATTR, !payload.is_empty());
        Ok(())
    }

    /// Removes the file's capabilities, if it has any, and marks the file then: what follows may fail.
    pub fn drop_capability(&self, tx: &Transaction<'_>, file: &mut Locked<'_>) -> Result<()> {
        if !file.has(layout::DATA_CLASS_HAS_XATTR) || file.inode.is_directory() {
            return Ok(());
        }
        if file.chain.is_none() {
            file.chain = Some(self.chain_of(&file.slot)?);
        }
        let payload = self.xattrs(file.view())?;
        match xattr::remove(&payload, CAPABILITY) {
            Ok(rest) => {
                self.store_xattrs(tx, file, &rest)?;
                self.mark(tx, file);
                Ok(())
            }
            Err(_) => Ok(()),
        }
    }
}
