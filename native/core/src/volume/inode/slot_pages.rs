//! The pages of cortex and stash, as the cortex wants them.

use crate::base::Result;
use crate::cortex::{SlotPage, SlotStore};
use crate::format::{Region, SlotBytes, layout};
use crate::pages::{CachedPage, Change, PageCache};
use crate::transaction::Transaction;
use std::sync::Arc;

const SLOT: usize = layout::SLOT_SIZE as usize;
const PAYLOAD: usize = layout::PAGE_PAYLOAD as usize;

pub struct SlotPages {
    pub pages: Arc<PageCache>,
}

#[derive(Clone)]
pub struct SlotHandle {
    pages: Arc<PageCache>,
    page: Arc<CachedPage>,
}

impl SlotStore for SlotPages {
    type Page = SlotHandle;

    fn page(&self, region: Region, page: u64) -> Result<SlotHandle> {
        Ok(SlotHandle { page: self.pages.get(region, page)?, pages: self.pages.clone() })
    }
    fn is_blank(&self, region: Region, page: u64) -> bool {
        self.pages.is_blank(region, page)
    }
}

impl SlotPage for SlotHandle {
    fn with<R>(&self, f: impl FnOnce(&[u8]) -> R) -> R {
        self.page.with(|bytes| f(&bytes[..PAYLOAD]))
    }
    type In<'a> = &'a Transaction<'a>;

    fn put(&self, slot: usize, bytes: &SlotBytes, tx: &Transaction<'_>) {
        self.pages.change(tx, &self.page, Change::Items { first: slot, count: 1 }, |page| {
            page[slot * SLOT..(slot + 1) * SLOT].copy_from_slice(bytes);
        });
    }
}
