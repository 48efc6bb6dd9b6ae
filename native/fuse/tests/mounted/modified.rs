//! Every call that changes content moves mtime and ctime, beside ext4.

use crate::set_id_calls::CALLS;
use crate::support::{Mount, on_ext4};
use hn4_fuse::{Cache, Settings};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
use std::ffi::CString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

const PAGE: u64 = 4096;

fn every_call(dir: &Path) {
    let path = dir.join("f");
    let name = CString::new(path.to_str().expect("a plain path")).expect("no NUL");
    for (call, _, change) in CALLS {
        fs::write(&path, [1; 5 * PAGE as usize]).expect("the file");
        let old = Timespec { tv_sec: 1, tv_nsec: 0 };
        let times = Timestamps { last_access: old, last_modification: old };
        utimensat(CWD, &path, &times, AtFlags::empty()).expect("utimes");
        let before = fs::metadata(&path).expect("stat");
        assert_eq!(before.mtime(), 1);
        std::thread::sleep(std::time::Duration::from_millis(15));
        change(&name, PAGE).unwrap_or_else(|error| panic!("{call}: {error}"));
        let after = fs::metadata(&path).expect("stat");
        assert!(after.mtime() > 1_600_000_000, "{call}: mtime is {}", after.mtime());
        let ctime = |seen: &fs::Metadata| (seen.ctime(), seen.ctime_nsec());
        assert!(ctime(&after) > ctime(&before), "{call} moves ctime");
        fs::remove_file(&path).expect("rm");
    }
}

#[test]
fn every_change_of_content_moves_mtime() {
    for cache in [Cache::WriteThrough, Cache::WriteBack] {
        let settings = Settings { cache, ..Settings::default() };
        let Some(mount) = Mount::with(settings.clone(), |_| {}) else { return };
        every_call(&mount.root);
        mount.finish();
        let Some(mount) = Mount::volume(settings) else { return };
        every_call(&mount.root);
        mount.end();
    }
}

#[test]
fn every_change_of_content_moves_mtime_on_ext4() {
    on_ext4(every_call);
}
