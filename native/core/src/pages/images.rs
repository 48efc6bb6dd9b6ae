//! Page images on their way to the disk.

use super::CachedPage;
use crate::format::PageBytes;
use std::sync::Arc;

/// A page as it will stand on the disk.
pub struct PageImage {
    pub(super) page: Arc<CachedPage>,
    pub(super) image: Arc<PageBytes>,
    pub(super) txn: u64,
}

/// The pages whose place on the disk holds older ones at the end of a transaction.
pub struct Snapshot {
    /// The transaction whose end the images show.
    pub txn: u64,
    pub(super) pages: Vec<PageImage>,
    pub(super) init: Vec<(u64, Box<PageBytes>)>,
}

impl Snapshot {
    /// Pages to write, per copy.
    pub fn len(&self) -> usize {
        self.pages.len() + self.init.len()
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
