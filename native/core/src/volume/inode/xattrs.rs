//! Extended attributes of a file as one payload (docs/format.md 6).

use super::{ExtensionChange, Locked, View};
use crate::base::Result;
use crate::extension::{Change, xattr};
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

    /// Stores the payload and marks the file. An error changes nothing.
    pub fn store_xattrs(&self, tx: &Transaction<'_>, file: &mut Locked<'_>, payload: &[u8]) -> Result<()> {
        let xattrs = Change { kind: layout::EXTENSION_XATTR, payload };
        if let Some(change) = self.plan_extension(tx, file.view(), &[xattrs])? {
            self.change_extension(tx, file, change);
        }
        Ok(())
    }

    /// The payload without the file's capabilities, if it has any.
    pub fn without_capability(&self, file: View<'_>) -> Result<Option<Vec<u8>>> {
        if !file.has(layout::DATA_CLASS_HAS_XATTR) || file.inode.is_directory() {
            return Ok(None);
        }
        Ok(xattr::remove(&self.xattrs(file)?, CAPABILITY).ok())
    }

    /// Plans to remove the file's capabilities. `None`: it has none.
    pub(in crate::volume) fn plan_drop_capability(
        &self,
        tx: &Transaction<'_>,
        file: View<'_>,
    ) -> Result<Option<ExtensionChange<'_>>> {
        match self.without_capability(file)? {
            Some(rest) => {
                self.plan_extension(tx, file, &[Change { kind: layout::EXTENSION_XATTR, payload: &rest }])
            }
            None => Ok(None),
        }
    }

    /// Removes the file's capabilities, if it has any.
    pub(in crate::volume) fn drop_capability(
        &self,
        tx: &Transaction<'_>,
        file: &mut Locked<'_>,
    ) -> Result<()> {
        if let Some(change) = self.plan_drop_capability(tx, file.view())? {
            self.change_extension(tx, file, change);
        }
        Ok(())
    }
}

/// The change of the chain that a new payload of extended attributes is, if there is one.
pub fn xattrs_of(payload: Option<&[u8]>) -> Vec<Change<'_>> {
    payload.into_iter().map(|payload| Change { kind: layout::EXTENSION_XATTR, payload }).collect()
}
