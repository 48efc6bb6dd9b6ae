//! Mounting through fusermount3.

use crate::support::{Mount, no_fuse};
use hn4_fuse::Settings;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
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

#[test]
fn an_ordinary_user_mounts_and_dying_unmounts() {
    if no_fuse() || no_helper() {
        return;
    }
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: needs root to become another user");
        return;
    }
    // fusermount3 opens it as the caller.
    if fs::metadata("/dev/fuse").expect("/dev/fuse").permissions().mode() & 0o006 != 0o006 {
        eprintln!("skipped: /dev/fuse is closed to ordinary users");
        return;
    }
    let dir = TempDir::new().expect("a directory");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("chmod");
    let Some(program) = example(&dir) else { return };
    let root = dir.path().join("mnt");
    fs::create_dir(&root).expect("mkdir");
    chown(&root, Some(USER), Some(USER)).expect("chown");
    for (options, kill) in [("", false), ("auto_unmount", true)] {
        let mut command = Command::new(&program);
        command.arg(&root).arg(options).uid(USER).gid(USER).stdout(Stdio::piped());
        let mut child = command.spawn().expect("memfs");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("its line");
        assert!(line.starts_with("mounted on"), "{line}");
        let mounted =
            table().lines().find(|line| line.contains(root.to_str().expect("path"))).map(str::to_owned);
        let mounted = mounted.expect("in the table");
        assert!(mounted.contains("nosuid,nodev") && mounted.contains("user_id=65534"), "{mounted}");
        let script = "echo text > f && test \"$(cat f)\" = text && mkdir d && mv f d/g && ls d";
        let mut shell = Command::new("sh");
        shell
            .args(["-ec", &format!("cd {} && {script}", root.display())])
            .uid(USER)
            .gid(USER)
            .stdout(Stdio::null());
        assert!(shell.status().expect("sh").success());
        if kill {
            child.kill().expect("kill");
        } else {
            assert!(Command::new("umount").arg(&root).status().expect("umount").success());
        }
        child.wait().expect("ended");
        for _ in 0..1_000 {
            if !table().contains(root.to_str().expect("path")) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        assert!(!table().contains(root.to_str().expect("path")), "{options}: still mounted");
    }
}
