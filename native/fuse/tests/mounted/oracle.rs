//! The mounted `MemVfs` against the host's file system.

use crate::support::Mount;
use hn4_core::testing::with_seeds;
use hn4_fuse::testing::compare;
use hn4_fuse::{Cache, Settings};
use tempfile::TempDir;

fn run(settings: impl Fn() -> Settings, count: u64) {
    with_seeds(count, |seed| {
        let Some(mount) = Mount::with(settings(), |_| {}) else { return };
        // Next to the build, not in /tmp: a tmpfs lacks some of the calls.
        let host = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory of the host");
        if let Err(report) = compare(&mount.root, host.path(), seed, 1_500) {
            panic!("{report}");
        }
        mount.finish();
    });
}

#[test]
fn random_calls_answer_as_the_hosts_do() {
    run(Settings::default, 30);
}

#[test]
fn random_calls_answer_as_the_hosts_do_with_write_back() {
    run(|| Settings { cache: Cache::WriteBack, ..Settings::default() }, 10);
}

#[test]
fn random_calls_answer_as_the_hosts_do_when_open_is_served() {
    run(|| Settings { no_open: false, ..Settings::default() }, 10);
}
