//! What can happen to a device.

use crate::base::BlockNumber;
use std::sync::Arc;

/// Begin and end are events of their own, for only a write that *returned* before a flush was
/// *called* is durable when that flush returns.
#[derive(Clone, Debug)]
pub enum Event {
    WriteBegin {
        id: u64,
        at: BlockNumber,
        data: Arc<[u8]>,
    },
    DiscardBegin {
        id: u64,
        at: BlockNumber,
        count: u64,
    },
    FlushBegin {
        id: u64,
    },
    /// The end of the write, discard or flush that began as `id`.
    End {
        id: u64,
        ok: bool,
    },
    /// Said by the test: "file a is synced now".
    Marker(String),
}
