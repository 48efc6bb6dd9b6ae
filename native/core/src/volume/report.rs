//! What whoever mounted the volume hears of it: lines while it lives, a report when it opens, its
//! condition when somebody asks.

use crate::base::Error;
use std::sync::Arc;

/// Takes one line per event that a person should see: damage found, writes that failed. The default
/// drops them.
#[derive(Clone, Default)]
pub struct Reporter(Option<Arc<Take>>);

type Take = dyn Fn(&str) + Send + Sync;

impl Reporter {
    /// `take` is called by any thread, also with locks held: it must not come back to the volume.
    pub fn new(take: impl Fn(&str) + Send + Sync + 'static) -> Reporter {
        Reporter(Some(Arc::new(take)))
    }

    pub(in crate::volume) fn line(&self, line: &str) {
        if let Reporter(Some(take)) = self {
            take(line);
        }
    }

    pub(in crate::volume) fn error(&self, error: &Error) {
        self.line(&error.to_string());
    }
}

impl std::fmt::Debug for Reporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reporter")
    }
}

/// What opening found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// Log records replayed: 0 after a clean unmount.
    pub replayed: u64,
    /// The last record did not count: its data never arrived, or rotted.
    pub dropped: Option<u64>,
    /// Copies of metadata blocks rewritten from the other copy, superblocks among them.
    pub rewritten: u64,
    /// Files without a name that a crash left behind; they are being deleted.
    pub orphans: u64,
    /// Blocks of the log that the device could not read. They count as torn.
    pub unreadable: u64,
}

/// How an open volume stands.
#[derive(Clone, Debug)]
pub struct Condition {
    /// Why it stopped writing, if it did. Reads go on.
    pub stopped: Option<Error>,
    /// Blocks of the log's ring, and how many of them hold what is not in place yet.
    pub log_blocks: u64,
    pub log_held: u64,
    /// Blocks written by programs that have no place yet.
    pub delayed_blocks: u64,
}
