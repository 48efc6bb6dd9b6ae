//! Changed pages are bounded by checkpoints of their own, however much room the log has.

use crate::device::testing::MemDevice;
use crate::format::Region;
use crate::pages::PageCache;
use crate::superblocks;
use crate::testing::{FormatOptions, demand_sound, formatted, try_open};
use crate::vfs::{Caller, Vfs};
use crate::volume::OpenOptions;
use std::sync::Arc;
use std::sync::atomic::Ordering;

const REG: u32 = libc::S_IFREG | 0o644;
/// Changed pages at which a checkpoint is due in the smallest cache.
const DUE: usize = 256;

#[test]
fn changed_pages_start_a_checkpoint_before_the_log_does() {
    let options =
        FormatOptions { cortex_pages: Some(3200), log_blocks: Some(16_384), ..FormatOptions::new(131_072) };
    let memory = formatted(&options);
    let open = OpenOptions { sequential: true, cached_pages: 0, ..OpenOptions::default() };
    let (fs, _) = try_open(memory.clone(), open).unwrap();
    let who = Caller::default();
    let mut most = 0;
    for i in 0..600 {
        let dir = fs.mkdir(1, format!("dir-{i}").as_bytes(), 0o755, &who).unwrap().ino;
        for j in 0..12 {
            fs.mknod(dir, format!("file-{j}").as_bytes(), REG, 0, &who).unwrap();
        }
        most = most.max(fs.volume.pages.dirty_pages());
        if i % 10 == 9 {
            fs.syncfs().unwrap();
            let dirty = fs.volume.pages.dirty_pages();
            assert!(dirty < DUE, "{dirty} changed pages after a commit");
        }
    }
    let stats = fs.volume.stats();
    let log = stats.log_bytes.load(Ordering::Relaxed);
    assert!(
        log * 3 < fs.volume.geometry.ring_blocks() * 4096,
        "the case did not happen: the log was crowded"
    );
    assert!(most >= DUE, "the case did not happen: {most} changed pages at most");
    assert!(stats.checkpoints.load(Ordering::Relaxed) > 0, "no checkpoint for {most} changed pages");
    fs.shutdown().unwrap();
    demand_sound(&*memory, "closed");
}

/// An insert costs the same, however many pages of its shard are in use.
#[test]
fn one_more_page_does_not_look_at_all_that_cannot_be_dropped() {
    let memory: Arc<MemDevice> = formatted(&FormatOptions::new(1 << 20));
    let geometry = superblocks::read(&*memory).unwrap().geometry;
    let cache = PageCache::new(memory, &geometry, 0);
    let held: Vec<_> = (0..geometry.map.pages_of(Region::Descriptor))
        .map(|number| cache.get(Region::Descriptor, number).unwrap())
        .collect();
    let shards = 64;
    assert!(held.len() > 100 * shards, "the case did not happen: {} pages", held.len());
    let [inserts, looked_at] =
        [&cache.stats.inserts, &cache.stats.looked_at].map(|count| count.load(Ordering::Relaxed));
    assert!(looked_at <= 32 * inserts, "{looked_at} pages looked at for {inserts} inserts");
}
