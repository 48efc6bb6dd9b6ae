//! `-o sync` and `-o dirsync`: what a changing call did is durable when it returns, without fsync. Without
//! the option none of these calls makes anything durable, so it is the option that did.

use crate::recorded::Recorded;
use hn4_core::testing::{noise, read_tree};
use hn4_core::vfs::Vfs;
use hn4_fuse::MountFlag;
use hn4_fuse::testing::calls::{chmod, open, rename, set_flags};
use rustix::fs::{
    AtFlags, CWD, FallocateFlags, FileType, IFlags, Mode, OFlags, RenameFlags, XattrFlags, copy_file_range,
    fallocate, linkat, mknodat, removexattr, setxattr,
};
use std::fs::{self, File, FileTimes};
use std::io::Write;
use std::os::unix::fs::{FileExt, chown, symlink};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Changes {
    Names,
    Others,
}
use Changes::{Names, Others};

type Call = (&'static str, Changes, fn(&Path));

fn special(path: &Path, kind: FileType) {
    mknodat(CWD, path, kind, Mode::RUSR, 0).expect("mknod");
}

fn allocate(path: &Path, flags: FallocateFlags, offset: u64, length: u64) {
    fallocate(open(path, 0), flags, offset, length).expect("fallocate");
}

/// Every call of the kernel's that changes something, on files that `prepare` made.
const CALLS: [Call; 34] = [
    ("create", Names, |root| drop(File::create_new(root.join("new")).expect("create"))),
    ("mkdir", Names, |root| fs::create_dir(root.join("new-d")).expect("mkdir")),
    ("mkfifo", Names, |root| special(&root.join("pipe"), FileType::Fifo)),
    ("mknod of a socket", Names, |root| special(&root.join("socket"), FileType::Socket)),
    ("symlink", Names, |root| symlink("nowhere", root.join("soft")).expect("symlink")),
    ("long symlink", Names, |root| symlink("nowhere".repeat(50), root.join("long")).expect("symlink")),
    ("link", Names, |root| fs::hard_link(root.join("f"), root.join("d/hard")).expect("link")),
    ("rename", Names, |root| fs::rename(root.join("a"), root.join("b")).expect("rename")),
    ("rename to another directory", Names, |root| {
        fs::rename(root.join("b"), root.join("d/b")).expect("rename");
    }),
    ("rename over", Names, |root| fs::rename(root.join("d/b"), root.join("over")).expect("rename")),
    ("rename of a directory", Names, |root| {
        fs::rename(root.join("new-d"), root.join("d/s")).expect("rename")
    }),
    ("rename without fsync of data", Names, |root| {
        File::create(root.join("tmp")).and_then(|f| f.write_all_at(&[7; 50_000], 0)).expect("write");
        fs::rename(root.join("tmp"), root.join("saved")).expect("rename");
    }),
    ("exchange", Names, |root| {
        rename(root.join("f"), root.join("g"), RenameFlags::EXCHANGE).expect("exchange")
    }),
    ("unlink", Names, |root| fs::remove_file(root.join("d/hard")).expect("unlink")),
    ("unlink of the last name", Names, |root| fs::remove_file(root.join("over")).expect("unlink")),
    ("rmdir", Names, |root| fs::remove_dir(root.join("d/s")).expect("rmdir")),
    ("linkat of a file without a name", Names, |root| {
        let flags = OFlags::TMPFILE | OFlags::RDWR;
        let file = rustix::fs::open(root, flags, Mode::RUSR | Mode::WUSR).expect("O_TMPFILE");
        linkat(&file, "", CWD, root.join("named"), AtFlags::EMPTY_PATH).expect("linkat");
    }),
    ("write", Others, |root| open(root.join("f"), 0).write_all_at(&noise(1, 70_000), 3000).expect("write")),
    ("append", Others, |root| open(root.join("f"), libc::O_APPEND).write_all(b"more").expect("write")),
    ("ftruncate up", Others, |root| open(root.join("f"), 0).set_len(200_000).expect("truncate")),
    ("ftruncate down", Others, |root| open(root.join("f"), 0).set_len(40_001).expect("truncate")),
    ("O_TRUNC", Others, |root| drop(File::create(root.join("g")).expect("open"))),
    ("fallocate", Others, |root| allocate(&root.join("g"), FallocateFlags::empty(), 0, 30_000)),
    ("fallocate, size kept", Others, |root| {
        allocate(&root.join("g"), FallocateFlags::KEEP_SIZE, 100_000, 30_000)
    }),
    ("fallocate, a hole", Others, |root| {
        allocate(&root.join("f"), FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, 5000, 20_000)
    }),
    ("fallocate, zeros", Others, |root| allocate(&root.join("f"), FallocateFlags::ZERO_RANGE, 100, 300)),
    ("copy_file_range", Others, |root| {
        let (from, to) = (open(root.join("f"), 0), open(root.join("g"), 0));
        copy_file_range(from, Some(&mut 0), to, Some(&mut 8192), 20_000).expect("copied");
    }),
    ("chmod", Others, |root| chmod(root.join("f"), 0o640)),
    ("chown", Others, |root| chown(root.join("f"), Some(12), Some(34)).expect("chown")),
    ("utimensat", Others, |root| {
        let times = FileTimes::new().set_modified(UNIX_EPOCH + Duration::from_secs(7));
        open(root.join("f"), 0).set_times(times).expect("utimensat");
    }),
    ("setxattr", Others, |root| {
        setxattr(root.join("f"), "user.x", &noise(2, 900), XattrFlags::empty()).expect("setxattr");
    }),
    ("removexattr", Others, |root| removexattr(root.join("f"), "user.x").expect("removexattr")),
    ("a new public id", Others, |root| {
        let id = b"01234567-89ab-cdef-0123-456789abcdef";
        setxattr(root.join("f"), "user.hn4.public_id", id, XattrFlags::empty()).expect("setxattr");
    }),
    ("chattr +i", Others, |root| set_flags(root.join("d"), IFlags::IMMUTABLE)),
];

fn prepare(root: &Path) {
    fs::create_dir(root.join("d")).expect("mkdir");
    for name in ["a", "f", "g", "over"] {
        fs::write(root.join(name), noise(name.len() as u64, 20_000)).expect("write");
    }
}

/// Each call with the options; `durable` says which of them are to be durable when they return.
fn each_call(flags: &[MountFlag], durable: impl Fn(Changes) -> bool) {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: chown and chattr need root");
        return;
    }
    let Some(mount) = Recorded::with(true, |options| options.flags = flags.to_vec()) else { return };
    prepare(&mount.root);
    for (what, changes, call) in CALLS {
        mount.fs.syncfs().expect("syncfs");
        let before = read_tree(&mount.fs).expect("the volume reads");
        call(&mount.root);
        let now = read_tree(&mount.fs).expect("the volume reads");
        assert!(before != now, "{flags:?}: {what} changed nothing");
        // When nothing is on its way any more, all states that a power cut may leave are one.
        let found = mount.durable();
        assert_eq!(found == now, durable(changes), "{flags:?}: {what}");
        if durable(changes) {
            assert!(mount.everything() == now, "{flags:?}: {what}: something is still on its way");
        }
    }
    set_flags(mount.path("d"), IFlags::empty());
    mount.finish();
}

#[test]
fn without_an_option_no_call_is_durable_when_it_returns() {
    each_call(&[], |_| false);
}

#[test]
fn dirsync_makes_calls_on_names_durable() {
    each_call(&[MountFlag::DirSync], |changes| changes == Names);
}

#[test]
fn sync_makes_every_call_durable() {
    each_call(&[MountFlag::Sync], |_| true);
}
