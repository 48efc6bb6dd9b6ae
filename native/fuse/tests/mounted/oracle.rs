//! The mounted `MemVfs` against the host's file system.

use crate::support::Mount;
use hn4_fuse::testing::compare;
use hn4_fuse::{Cache, Settings};
use tempfile::TempDir;

/// HN4_SEED=n repeats one sequence.
fn seeds(count: u64) -> Vec<u64> {
    let given = std::env::var("HN4_SEED").ok().and_then(|text| text.parse().ok());
    given.map_or_else(|| (1..=count).collect(), |seed| vec![seed])
}

fn run(settings: impl Fn() -> Settings, count: u64) {
    for seed in seeds(count) {
        let Some(mount) = Mount::with(settings(), |_| {}) else { return };
        // Next to the build, not in /tmp: a tmpfs lacks some of the calls.
        let host = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory of the host");
        if let Err(report) = compare(&mount.root, host.path(), seed, 1_500) {
            panic!("HN4_SEED={seed}\n{report}");
        }
        mount.finish();
    }
}

#[test]
fn random_calls_answer_as_the_hosts_do() {
    run(Settings::default, 30);
}

#[test]
fn with_write_back_too() {
    run(|| Settings { cache: Cache::WriteBack, ..Settings::default() }, 10);
}

#[test]
fn with_open_served_too() {
    run(|| Settings { no_open: false, ..Settings::default() }, 10);
}
