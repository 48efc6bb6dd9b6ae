//! Calls that return when names and attributes are durable: fsync of a directory, of a renamed file,
//! of a file in new directories.

use crate::recorded::Recorded;
use hn4_fuse::testing::calls::{chmod, fsync, rename};
use rustix::fs::{RenameFlags, XattrFlags, setxattr};
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, chown, symlink};

/// Durable paths without the root, sorted.
fn durable_names(mount: &Recorded) -> Vec<String> {
    mount.durable().into_keys().filter(|path| !path.is_empty()).collect()
}

#[test]
fn fsync_of_a_directory_makes_its_names_durable() {
    let Some(mount) = Recorded::lazy() else { return };
    let dir = mount.path("d");
    fs::create_dir(&dir).expect("mkdir");
    for name in ["gone", "moved"] {
        fs::write(dir.join(name), b"").expect("create");
    }
    fs::create_dir(dir.join("empty")).expect("mkdir");
    assert_eq!(durable_names(&mount), [""; 0]);
    fsync(&dir);
    assert_eq!(durable_names(&mount), ["/d", "/d/empty", "/d/gone", "/d/moved"]);

    fs::write(dir.join("file"), b"").expect("create");
    fs::create_dir(dir.join("sub")).expect("mkdir");
    symlink("nowhere", dir.join("soft")).expect("symlink");
    fs::hard_link(dir.join("file"), dir.join("hard")).expect("link");
    fs::remove_file(dir.join("gone")).expect("unlink");
    fs::remove_dir(dir.join("empty")).expect("rmdir");
    fs::rename(dir.join("moved"), dir.join("here")).expect("rename");
    assert_eq!(durable_names(&mount), ["/d", "/d/empty", "/d/gone", "/d/moved"]);
    fsync(&dir);
    assert_eq!(durable_names(&mount), ["/d", "/d/file", "/d/hard", "/d/here", "/d/soft", "/d/sub"]);
    let tree = mount.durable();
    assert_eq!((tree["/d/file"].attr.nlink, &tree["/d/soft"].target[..]), (2, &b"nowhere"[..]));
    mount.finish();
}

#[test]
fn fsync_of_either_directory_makes_a_move_durable() {
    let Some(mount) = Recorded::lazy() else { return };
    for name in ["a", "b"] {
        fs::create_dir(mount.path(name)).expect("mkdir");
    }
    for (round, synced) in ["a", "b", "a", "b"].into_iter().enumerate() {
        let name = format!("f{round}");
        fs::write(mount.path("a").join(&name), b"x").expect("create");
        fsync(mount.path("a").join(&name));
        fs::rename(mount.path("a").join(&name), mount.path("b").join(&name)).expect("rename");
        assert!(durable_names(&mount).contains(&format!("/a/{name}")));
        fsync(mount.path(synced));
        let names = durable_names(&mount);
        assert!(names.contains(&format!("/b/{name}")) && !names.contains(&format!("/a/{name}")), "{names:?}");
    }
    mount.finish();
}

#[test]
fn fsync_after_a_rename_makes_name_and_data_durable() {
    let Some(mount) = Recorded::lazy() else { return };
    for round in 0..4u8 {
        let (new, old) = (mount.path("saved.tmp"), mount.path("saved"));
        let data = vec![round; 40_000 + usize::from(round)];
        let file = File::create_new(&new).expect("create");
        file.write_all_at(&data, 0).expect("write");
        fs::rename(&new, &old).expect("rename");
        assert_ne!(mount.durable_bytes("saved"), Some(data.clone()));
        file.sync_all().expect("fsync");
        assert_eq!(mount.durable_bytes("saved"), Some(data));
        assert_eq!(durable_names(&mount), ["/saved"], "the old name is gone");
    }
    mount.finish();
}

/// The file that is synced is itself unchanged: its directory moved, or another one did.
#[test]
fn fsync_of_an_unchanged_file_makes_names_durable() {
    let Some(mount) = Recorded::lazy() else { return };
    fs::create_dir_all(mount.path("d/deep")).expect("mkdir");
    for name in ["d/f", "d/deep/f", "other"] {
        fs::write(mount.path(name), b"text").expect("write");
        fsync(mount.path(name));
    }
    fs::rename(mount.path("d"), mount.path("e")).expect("rename");
    assert!(durable_names(&mount).contains(&"/d/f".into()));
    fsync(mount.path("e/f"));
    assert_eq!(durable_names(&mount), ["/e", "/e/deep", "/e/deep/f", "/e/f", "/other"]);
    let through: [(&str, &str); 3] = [("other", "one"), ("e/deep", "two"), ("", "three")];
    let opened = through.map(|(synced, _)| File::open(mount.path(synced)).expect("open"));
    for (file, (_, name)) in opened.iter().zip(through) {
        fs::write(mount.path("e").join(name), b"").expect("create");
        fs::rename(mount.path("e").join(name), mount.path(name)).expect("rename");
        assert!(!durable_names(&mount).contains(&format!("/{name}")));
        file.sync_data().expect("fdatasync");
        assert!(durable_names(&mount).contains(&format!("/{name}")), "{name}");
    }
    drop(opened);
    mount.finish();
}

#[test]
fn fsync_makes_an_exchange_durable() {
    let Some(mount) = Recorded::lazy() else { return };
    for name in ["a", "b"] {
        fs::write(mount.path(name), name).expect("write");
        fsync(mount.path(name));
    }
    rename(mount.path("a"), mount.path("b"), RenameFlags::EXCHANGE).expect("exchange");
    assert_eq!(mount.durable_bytes("a").as_deref(), Some(&b"a"[..]));
    fsync(mount.path("b"));
    let both = [mount.durable_bytes("a"), mount.durable_bytes("b")];
    assert_eq!(both, [Some(b"b".to_vec()), Some(b"a".to_vec())]);
    mount.finish();
}

#[test]
fn fsync_of_a_new_file_takes_its_new_directories_along() {
    let Some(mount) = Recorded::lazy() else { return };
    fs::create_dir_all(mount.path("a/b/c")).expect("mkdir");
    fs::write(mount.path("a/b/c/f"), b"text").expect("write");
    assert_eq!(durable_names(&mount), [""; 0]);
    fsync(mount.path("a/b/c/f"));
    assert_eq!(durable_names(&mount), ["/a", "/a/b", "/a/b/c", "/a/b/c/f"]);
    mount.finish();
}

#[test]
fn fsync_makes_attributes_durable() {
    let Some(mount) = Recorded::lazy() else { return };
    let path = mount.path("f");
    fs::write(&path, b"text").expect("write");
    fsync(&path);
    chmod(&path, 0o640);
    setxattr(&path, "user.colour", b"blue", XattrFlags::empty()).expect("setxattr");
    if rustix::process::geteuid().is_root() {
        chown(&path, Some(12), Some(34)).expect("chown");
    }
    assert!(mount.durable()["/f"].xattrs.is_empty());
    fsync(&path);
    let found = mount.durable()["/f"].clone();
    assert_eq!(found.attr.mode & 0o7777, 0o640);
    assert_eq!(found.xattrs.get(&b"user.colour"[..]).map(|value| &value[..]), Some(&b"blue"[..]));
    mount.finish();
}

#[test]
fn fsync_of_an_unlinked_file_makes_its_end_durable() {
    let Some(mount) = Recorded::lazy() else { return };
    fs::write(mount.path("f"), b"text").expect("write");
    let file = File::open(mount.path("f")).expect("open");
    file.sync_all().expect("fsync");
    fs::remove_file(mount.path("f")).expect("unlink");
    assert_eq!(durable_names(&mount), ["/f"]);
    file.sync_all().expect("fsync");
    assert_eq!(durable_names(&mount), [""; 0]);
    drop(file);
    mount.finish();
}
