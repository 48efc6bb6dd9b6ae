//! Directory listings.

use crate::support::Mount;
use hn4_fuse::testing::calls::eventually;
use hn4_fuse::{ReadDirPlus, Settings};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::DirEntryExt;

fn fill(mount: &Mount, count: usize) -> BTreeSet<String> {
    fs::create_dir(mount.path("d")).expect("mkdir");
    let names: BTreeSet<_> = (0..count).map(|index| format!("file-{index:05}")).collect();
    for name in &names {
        fs::write(mount.path("d").join(name), name).expect("create");
    }
    names
}

fn list(mount: &Mount) -> BTreeSet<String> {
    let entries = fs::read_dir(mount.path("d")).expect("list").map(|entry| entry.expect("entry"));
    let names: Vec<_> = entries.map(|entry| entry.file_name().into_string().expect("a name")).collect();
    let unique: BTreeSet<_> = names.iter().cloned().collect();
    assert_eq!(unique.len(), names.len(), "no name twice");
    unique
}

#[test]
fn large_directories_list_whole_in_every_mode() {
    for readdirplus in [ReadDirPlus::Auto, ReadDirPlus::Always, ReadDirPlus::Never] {
        let Some(mount) = Mount::with(Settings { readdirplus, ..Settings::default() }, |_| {}) else {
            return;
        };
        let names = fill(&mount, 5_000);
        assert_eq!(list(&mount), names, "{readdirplus:?}");
        assert_eq!(list(&mount), names, "{readdirplus:?}, from the kernel's cache");
        let sizes =
            fs::read_dir(mount.path("d")).expect("list").map(|entry| entry.expect("entry").metadata());
        assert!(sizes.into_iter().all(|metadata| metadata.expect("stat").len() == 10));
        mount.finish();
    }
}

#[test]
fn entries_that_stay_are_listed_once_while_others_change() {
    let Some(mount) = Mount::new() else { return };
    let names = fill(&mount, 3_000);
    let mut seen = BTreeSet::new();
    for (index, entry) in fs::read_dir(mount.path("d")).expect("list").enumerate() {
        let name = entry.expect("entry").file_name().into_string().expect("a name");
        if index % 7 == 0 {
            fs::write(mount.path(format!("d/new-{index}")), b"").expect("create");
        }
        if !name.starts_with("new-") {
            assert!(seen.insert(name.clone()), "{name} twice");
            // Removing what was just listed must not move what follows.
            if index % 3 == 0 {
                fs::remove_file(mount.path("d").join(&name)).expect("unlink");
            }
        }
    }
    assert_eq!(seen, names);
    mount.finish();
}

#[test]
fn listings_show_types_and_numbers() {
    let Some(mount) = Mount::new() else { return };
    fs::create_dir(mount.path("dir")).expect("mkdir");
    fs::write(mount.path("file"), b"").expect("create");
    std::os::unix::fs::symlink("x", mount.path("link")).expect("symlink");
    for entry in fs::read_dir(&mount.root).expect("list") {
        let entry = entry.expect("entry");
        let kind = entry.file_type().expect("d_type");
        match entry.file_name().to_str() {
            Some("dir") => assert!(kind.is_dir()),
            Some("file") => assert!(kind.is_file()),
            other => assert!(other == Some("link") && kind.is_symlink()),
        }
        use std::os::unix::fs::MetadataExt;
        assert_eq!(entry.ino(), entry.metadata().expect("stat").ino());
    }
    mount.finish();
}

#[test]
fn listings_hold_no_lookups_once_forgotten() {
    let Some(mount) = Mount::new() else { return };
    let names = fill(&mount, 500);
    list(&mount);
    for name in names {
        fs::remove_file(mount.path("d").join(name)).expect("unlink");
    }
    assert!(eventually(|| mount.vfs.file_count() == 2), "root and d: every lookup count came back");
    mount.finish();
}
