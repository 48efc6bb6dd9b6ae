//! A file that lost a name is still found by its id: its slot says where another name is, or that is looked for
//! and written down.

use crate::rig::{Rig, Setup, options};
use hn4_core::base::{Code, Ino, Result};
use hn4_core::testing::try_open;
use hn4_core::vfs::{Caller, FileSystem, Vfs};
use std::sync::Arc;

const WHO: Caller = Caller { uid: 0, gid: 0, pid: 1, umask: 0 };

/// A volume with directories a, b, c and one file in a, whose id is given.
fn prepared() -> (Rig, [Ino; 3], Ino, Vec<u8>) {
    let rig = Rig::new(&Setup::new(4096));
    let dirs = [b"a", b"b", b"c"].map(|name| rig.fs.mkdir(1, name, 0o755, &WHO).unwrap().ino);
    let file = rig.fs.mknod(dirs[0], b"f", libc::S_IFREG | 0o644, 0, &WHO).unwrap().ino;
    let id = rig.fs.getxattr(file, b"user.hn4.public_id").unwrap();
    (rig, dirs, file, id)
}

fn link(fs: &FileSystem, id: &[u8]) -> Ino {
    let hidden = fs.lookup(1, b".hn4").unwrap().ino;
    let ids = fs.lookup(hidden, b"id").unwrap().ino;
    fs.lookup(ids, id).unwrap().ino
}

/// Where `/.hn4/id/ID` leads.
fn found(fs: &FileSystem, id: &[u8]) -> String {
    String::from_utf8(fs.readlink(link(fs, id)).unwrap()).unwrap()
}

/// The same for somebody who may search what everybody may.
fn found_by_others(fs: &FileSystem, id: &[u8]) -> Result<String> {
    let path = fs.readlink_as(link(fs, id), &|dir, _| dir.mode & 1 != 0)?;
    Ok(String::from_utf8(path).unwrap())
}

/// Closes the volume and opens it again: memory knows no other names any more.
fn again(rig: &mut Rig) {
    rig.fs.shutdown().unwrap();
    rig.fs = Arc::new(try_open(rig.device.clone(), options(true)).unwrap().0);
}

/// The directory that the slot says.
fn parent(fs: &FileSystem, id: &[u8]) -> Ino {
    let text = String::from_utf8(id.to_vec()).unwrap().replace('-', "");
    let bytes: Vec<u8> = (0..16).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect();
    let number = u64::from_le_bytes(bytes[..8].try_into().unwrap());
    let hint = u32::from_le_bytes(bytes[8..12].try_into().unwrap());
    fs.volume.inode(number, hint).unwrap().share().slot.attributes.parent_number
}

#[test]
fn the_slot_says_a_directory_with_a_name_as_long_as_names_are_known() {
    let (rig, [a, b, c], file, id) = prepared();
    rig.fs.link(file, b, b"g").unwrap();
    rig.fs.unlink(a, b"f").unwrap();
    assert_eq!((parent(&rig.fs, &id), &*found(&rig.fs, &id)), (b, "../../b/g"));
    // The newer name goes, the older one stays.
    rig.fs.link(file, c, b"h").unwrap();
    rig.fs.unlink(c, b"h").unwrap();
    assert_eq!((parent(&rig.fs, &id), &*found(&rig.fs, &id)), (b, "../../b/g"));
    // A name is lost to another file that takes it.
    rig.fs.link(file, c, b"h").unwrap();
    rig.fs.mknod(c, b"other", libc::S_IFREG | 0o644, 0, &WHO).unwrap();
    rig.fs.rename(c, b"other", c, b"h", 0).unwrap();
    assert_eq!((parent(&rig.fs, &id), &*found(&rig.fs, &id)), (b, "../../b/g"));
    // Moved, as the name that the slot does not say.
    rig.fs.link(file, a, b"f").unwrap();
    rig.fs.rename(b, b"g", c, b"g", 0).unwrap();
    rig.fs.unlink(c, b"g").unwrap();
    assert_eq!(found(&rig.fs, &id), "../../a/f");
    // Two names in one directory.
    rig.fs.link(file, a, b"second").unwrap();
    rig.fs.unlink(a, b"f").unwrap();
    assert_eq!((parent(&rig.fs, &id), &*found(&rig.fs, &id)), (a, "../../a/second"));
    rig.fs.shutdown().unwrap();
}

#[test]
fn a_name_given_in_another_mount_is_looked_for_and_written_down() {
    for (deleted, changes) in [(false, true), (true, true), (true, false)] {
        let (mut rig, [_, b, c], file, id) = prepared();
        let deep = rig.fs.mkdir(b, b"deep", 0o755, &WHO).unwrap().ino;
        rig.fs.link(file, deep, b"kept").unwrap();
        rig.fs.link(file, c, b"newest").unwrap();
        again(&mut rig);
        let a = rig.fs.lookup(1, b"a").unwrap().ino;
        rig.fs.lookup(1, b"c").unwrap();
        rig.fs.unlink(a, b"f").unwrap();
        rig.fs.unlink(c, b"newest").unwrap();
        if deleted {
            rig.fs.rmdir(1, b"c").unwrap();
        }
        assert_eq!(parent(&rig.fs, &id), c, "the case did not happen: the slot says where a name is");
        if !changes {
            rig.fs.shutdown().unwrap();
            let only_reads = hn4_core::volume::OpenOptions { read_only: true, ..options(true) };
            rig.fs = Arc::new(try_open(rig.device.clone(), only_reads).unwrap().0);
        }
        // An ordinary user does not make the whole tree be looked through.
        assert_eq!(found_by_others(&rig.fs, &id).unwrap_err().code, Code::NotFound);
        assert_eq!(parent(&rig.fs, &id), c);
        assert_eq!(found(&rig.fs, &id), "../../b/deep/kept");
        assert_eq!(parent(&rig.fs, &id), if changes { deep } else { c });
        assert_eq!(found_by_others(&rig.fs, &id).is_ok(), changes);
        again(&mut rig);
        assert_eq!(parent(&rig.fs, &id), if changes { deep } else { c });
        assert_eq!(found(&rig.fs, &id), "../../b/deep/kept");
        rig.fs.shutdown().unwrap();
    }
}

#[test]
fn a_file_without_a_name_has_no_path() {
    let (rig, [a, ..], file, id) = prepared();
    let link = link(&rig.fs, &id);
    rig.fs.unlink(a, b"f").unwrap();
    assert!(rig.fs.readlink(link).is_err());
    rig.fs.forget(file, 1);
    rig.fs.shutdown().unwrap();
}
