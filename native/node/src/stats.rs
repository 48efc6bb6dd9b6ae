//! What a mount counts, as one plain object.

use hn4_core::vfs::statfs;
use hn4_core::volume::Volume;
use hn4_fuse::Counters;
use napi_derive::napi;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counters since the mount. Numbers are exact below 2^53.
#[napi(object)]
pub struct MountStats {
    pub commits: f64,
    /// fsync and the like that waited for a commit.
    pub syncs: f64,
    pub checkpoints: f64,
    pub log_bytes: f64,
    pub data_blocks: f64,
    pub meta_blocks: f64,
    /// Metadata pages written to their place, both copies counted once.
    pub pages_in_place: f64,
    /// Data blocks placed: at k = 0, at k = 1, in the overwrite area, in a segment.
    pub at_home: f64,
    pub at_shell: f64,
    pub in_area: f64,
    pub in_segment: f64,
    pub page_reads: f64,
    /// Metadata pages repaired from the other copy, and lost in every copy.
    pub pages_healed: f64,
    pub pages_lost: f64,
    pub blocks: f64,
    pub blocks_free: f64,
    pub blocks_available: f64,
    pub files: f64,
    pub files_free: f64,
    /// FUSE requests by name: `Lookup`, `Write`.
    pub requests: HashMap<String, f64>,
}

fn read(counter: &AtomicU64) -> f64 {
    counter.load(Relaxed) as f64
}

pub fn collect(volume: &Volume, requests: &Counters) -> MountStats {
    let (commit, pages) = (volume.stats(), &volume.pages.stats);
    let space = statfs(volume);
    MountStats {
        commits: read(&commit.commits),
        syncs: read(&commit.syncs),
        checkpoints: read(&commit.checkpoints),
        log_bytes: read(&commit.log_bytes),
        data_blocks: read(&commit.data_blocks),
        meta_blocks: read(&commit.meta_blocks),
        pages_in_place: read(&commit.pages_in_place),
        at_home: read(&commit.at_home),
        at_shell: read(&commit.at_shell),
        in_area: read(&commit.in_area),
        in_segment: read(&commit.in_segment),
        page_reads: read(&pages.reads),
        pages_healed: read(&pages.healed),
        pages_lost: read(&pages.lost),
        blocks: space.blocks as f64,
        blocks_free: space.bfree as f64,
        blocks_available: space.bavail as f64,
        files: space.files as f64,
        files_free: space.ffree as f64,
        requests: requests.used().into_iter().map(|(name, count)| (name.into(), count as f64)).collect(),
    }
}
