//! Mounting through fusermount3.

use crate::support::Mount;
use hn4_fuse::Settings;
use hn4_fuse::testing::calls::{chmod, eventually};
use hn4_fuse::testing::no_fuse;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use tempfile::TempDir;

const USER: u32 = 65_534;

fn no_helper() -> bool {
    let found = Command::new("fusermount3").arg("-V").stdout(Stdio::null()).status().is_ok();
    if !found {
        eprintln!("skipped: no fusermount3");
    }
    !found
}

fn table() -> String {
    fs::read_to_string("/proc/self/mountinfo").expect("mountinfo")
}

#[test]
fn auto_unmount_goes_through_the_helper() {
    if no_fuse() || no_helper() {
        return;
    }
    let source = r"/images/a,ro,b\c.img";
    let mounted = Mount::with(Settings::default(), |options| {
        options.auto_unmount = true;
        options.source = source.into();
    });
    let Some(mount) = mounted else { return };
    assert!(table().contains(r" - fuse.hn4 /images/a,ro,b\134c.img "), "{}", table());
    fs::write(mount.path("f"), b"x").expect("writable: the comma added no `ro`");
    mount.finish();
}

/// The example program, which `cargo test` builds, where an ordinary user can run it.
fn example(dir: &TempDir) -> Option<PathBuf> {
    let tests = std::env::current_exe().expect("this program");
    let built = tests.parent()?.parent()?.join("examples/memfs");
    let copy = dir.path().join("memfs");
    if let Err(error) = fs::copy(&built, &copy) {
        eprintln!("skipped: {}: {error}", built.display());
        return None;
    }
    Some(copy)
}

/// The example mounted by another process; its standard output must stay open.
struct Foreign {
    child: Child,
    _output: BufReader<ChildStdout>,
    root: PathBuf,
}

fn foreign(dir: &TempDir, program: &Path, options: &str, user: u32) -> Foreign {
    chmod(dir.path(), 0o755);
    let root = dir.path().join("mnt");
    fs::create_dir(&root).expect("mkdir");
    chown(&root, Some(user), Some(user)).expect("chown");
    let mut command = Command::new(program);
    command.arg(&root).arg(options).uid(user).gid(user).stdout(Stdio::piped());
    let mut child = command.spawn().expect("memfs");
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    output.read_line(&mut line).expect("its line");
    assert!(line.starts_with("mounted on"), "{line}");
    Foreign { child, _output: output, root }
}

fn line_of(root: &Path) -> Option<String> {
    table().lines().find(|line| line.contains(root.to_str().expect("path"))).map(str::to_owned)
}

fn wait_gone(root: &Path) {
    assert!(eventually(|| line_of(root).is_none()), "still mounted: {:?}", line_of(root));
}

fn not_root() -> bool {
    let ordinary = !rustix::process::geteuid().is_root();
    if ordinary {
        eprintln!("skipped: needs root to become another user");
    }
    ordinary
}

#[test]
fn an_ordinary_user_mounts_and_works() {
    if no_fuse() || no_helper() || not_root() {
        return;
    }
    // fusermount3 opens it as the caller.
    if fs::metadata("/dev/fuse").expect("/dev/fuse").permissions().mode() & 0o006 != 0o006 {
        eprintln!("skipped: /dev/fuse is closed to ordinary users");
        return;
    }
    let dir = TempDir::new().expect("a directory");
    let Some(program) = example(&dir) else { return };
    let mut mounted = foreign(&dir, &program, "", USER);
    let line = line_of(&mounted.root).expect("in the table");
    assert!(line.contains("nosuid,nodev") && line.contains("user_id=65534"), "{line}");
    let script = "cd \"$0\" && echo text > f && test \"$(cat f)\" = text && mkdir d && mv f d/g && ls d";
    let mut shell = Command::new("sh");
    shell.args(["-ec", script]).arg(&mounted.root).uid(USER).gid(USER).stdout(Stdio::null());
    assert!(shell.status().expect("sh").success());
    assert!(Command::new("umount").arg(&mounted.root).status().expect("umount").success());
    assert!(mounted.child.wait().expect("ended").success());
    wait_gone(&mounted.root);
}

#[test]
fn with_auto_unmount_a_killed_process_leaves_no_mount() {
    if no_fuse() || no_helper() || not_root() {
        return;
    }
    let dir = TempDir::new().expect("a directory");
    let Some(program) = example(&dir) else { return };
    let mut mounted = foreign(&dir, &program, "auto_unmount", 0);
    fs::write(mounted.root.join("f"), b"x").expect("write");
    mounted.child.kill().expect("kill");
    mounted.child.wait().expect("ended");
    wait_gone(&mounted.root);
}
