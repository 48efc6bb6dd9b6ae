//! A create that finds the table of files full is refused at once: no commit, no read, no number.

use hn4_core::device::testing::{CountingDevice, Counts};
use hn4_core::testing::{FormatOptions, formatted, open, sequential};
use hn4_core::vfs::{Caller, FileSystem, Vfs};
use std::sync::Arc;
use std::sync::atomic::Ordering;

const ROOT: u64 = 1;

fn make(fs: &FileSystem, name: &str) -> Result<u64, i32> {
    let made = fs.mknod(ROOT, name.as_bytes(), libc::S_IFREG | 0o644, 0, &Caller::default());
    made.map(|attr| attr.ino).map_err(|error| error.errno())
}

#[test]
fn a_create_in_a_full_table_costs_nothing() {
    let device = Arc::new(CountingDevice::new(formatted(&FormatOptions::new(4096))));
    // Nothing is kept: what a refused create looks for it has to read.
    let fs = open(device.clone(), hn4_core::volume::OpenOptions { cached_pages: 0, ..sequential() });
    let mut made = Vec::new();
    let full = loop {
        match make(&fs, &format!("f{}", made.len())) {
            Ok(ino) => made.push(ino),
            Err(errno) => break errno,
        }
    };
    assert_eq!((full, fs.statfs().unwrap().ffree), (libc::ENOSPC, 0));
    assert!(made.len() > 1000, "the case did not happen: {} files", made.len());
    fs.fsync(ROOT, false).unwrap();
    let who = Caller::default();
    let syncs = || fs.volume.stats().syncs.load(Ordering::Relaxed);
    let (before, syncs_before) = (device.counts(), syncs());
    for round in 0..300 {
        let name = format!("new{round}");
        let name = name.as_bytes();
        let refused = [
            fs.mknod(ROOT, name, libc::S_IFREG | 0o644, 0, &who),
            fs.mkdir(ROOT, name, 0o755, &who),
            fs.symlink(ROOT, name, &[b'x'; 1000], &who),
            fs.tmpfile(ROOT, libc::S_IFREG | 0o600, &who),
        ];
        assert!(refused.into_iter().all(|made| made.is_err_and(|error| error.errno() == libc::ENOSPC)));
        // Names are judged first, as everywhere.
        assert_eq!(make(&fs, "f7"), Err(libc::EEXIST));
    }
    assert_eq!((device.counts().since(before), syncs()), (Counts::default(), syncs_before));

    // A file that goes makes room for one.
    fs.unlink(ROOT, b"f7").unwrap();
    fs.forget(made[7], 1);
    fs.fsync(ROOT, false).unwrap();
    let next = make(&fs, "again").unwrap();
    assert_eq!(next, made.last().unwrap() + 1, "no refused create has taken a number");
    assert_eq!(make(&fs, "and again"), Err(libc::ENOSPC));
    fs.shutdown().unwrap();
}
