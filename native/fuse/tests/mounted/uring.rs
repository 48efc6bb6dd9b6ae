//! FUSE over io_uring: that it is used, that a mount does without where it cannot be, and how it ends.

use crate::support::{Mount, uring_is_offered, wanted_transport};
use hn4_core::testing::{MemVfs, noise};
use hn4_fuse::testing::calls::eventually;
use hn4_fuse::testing::no_fuse;
use hn4_fuse::{MountOptions, Session, Settings, Transport, TransportChoice, UringFault};
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// More requests at once than all queues have entries.
const MANY: usize = 60;

fn use_it(mount: &Mount) {
    let data = noise(1, 300_000);
    fs::write(mount.path("f"), &data).expect("write");
    assert!(fs::read(mount.path("f")).expect("read") == data);
    fs::rename(mount.path("f"), mount.path("g")).expect("rename");
    assert_eq!(fs::read_dir(&mount.root).expect("list").count(), 1);
}

#[test]
fn it_is_used_where_the_kernel_offers_it() {
    let Some(mount) = Mount::new() else { return };
    use_it(&mount);
    match mount.session.transport() {
        Transport::Uring { threads } => assert!(uring_is_offered() && threads > 0),
        Transport::Dev { reason } => {
            let unwanted = wanted_transport() == TransportChoice::Dev;
            assert!(unwanted || !uring_is_offered(), "{reason:?}");
            assert_eq!(reason.is_none(), unwanted);
        }
    }
    mount.finish();
}

#[test]
fn where_the_set_up_fails_dev_fuse_serves() {
    let Some(plain) = Mount::new() else { return };
    let threads = match plain.session.transport() {
        Transport::Uring { threads } => threads,
        // Whatever fails then, nothing of it is used.
        Transport::Dev { .. } => 2,
    };
    plain.finish();
    for thread in [0, threads / 2, threads - 1] {
        for fault in [UringFault::Ring(thread), UringFault::Register(thread)] {
            let Some(mount) = Mount::with(Settings { fault: Some(fault), ..Settings::default() }, |_| {})
            else {
                return;
            };
            use_it(&mount);
            let is_dev = || matches!(mount.session.transport(), Transport::Dev { .. });
            assert!(eventually(is_dev), "{fault:?}: {:?}", mount.session.transport());
            mount.finish();
        }
    }
}

#[test]
fn unmounting_when_the_process_dies_goes_over_dev_fuse() {
    if no_fuse() {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let options = MountOptions {
        source: "memory".into(),
        mountpoint: dir.path().to_owned(),
        auto_unmount: true,
        transport: TransportChoice::Uring,
        ..MountOptions::default()
    };
    let error = Session::mount(Arc::new(MemVfs::new(16)), &options, Settings::default()).err();
    assert!(error.expect("refused").to_string().contains("auto_unmount"));
}

#[test]
fn who_wants_nothing_else_is_refused() {
    if no_fuse() || uring_is_offered() {
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let options = MountOptions {
        source: "memory".into(),
        mountpoint: dir.path().to_owned(),
        transport: TransportChoice::Uring,
        ..MountOptions::default()
    };
    let vfs = Arc::new(MemVfs::new(16));
    let error = Session::mount(vfs.clone(), &options, Settings::default()).err().expect("refused");
    assert!(error.to_string().contains("io_uring"), "{error}");
    assert!(eventually(|| vfs.shutdowns() == 1));
    assert!(fs::read_dir(dir.path()).expect("not mounted").next().is_none());
}

/// The example `memfs` in a process of its own, with a read that never ends.
fn stalling(dir: &Path) -> Option<Child> {
    let program = std::env::current_exe().ok()?.parent()?.parent()?.join("examples/memfs");
    let mut child = Command::new(program).arg(dir).arg("stall=read").stdout(Stdio::piped()).spawn().ok()?;
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.as_mut()?), &mut line).ok()?;
    assert!(line.starts_with("mounted on"), "{line}");
    Some(child)
}

#[test]
fn a_killed_daemon_leaves_no_request_waiting() {
    if no_fuse() || !rustix::process::geteuid().is_root() {
        return;
    }
    for readers in [0, 1, MANY] {
        let dir = tempfile::tempdir().expect("a directory");
        let mut child = stalling(dir.path()).expect("the example memfs is built with the tests");
        let files: Vec<_> = (0..readers)
            .map(|n| {
                let path = dir.path().join(format!("f{n}"));
                fs::write(&path, noise(n as u64, 5000)).expect("write");
                fs::File::options().read(true).open(&path).expect("open")
            })
            .collect();
        // Nothing is cached of what reads want.
        for file in &files {
            rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed).expect("fadvise");
        }
        let failed = thread::scope(|scope| {
            let runs: Vec<_> =
                files.iter().map(|file| scope.spawn(|| file.read_at(&mut [0; 100], 0).is_err())).collect();
            // Some are with the daemon, some wait in a queue.
            thread::sleep(Duration::from_millis(200));
            child.kill().expect("kill");
            child.wait().expect("wait");
            runs.into_iter().map(|run| run.join().expect("a reader")).filter(|&err| err).count()
        });
        assert_eq!(failed, readers);
        drop(files);
        assert!(Command::new("umount").arg("-l").arg(dir.path()).status().expect("umount").success());
    }
}

#[test]
#[ignore = "takes a processor away from the whole machine for a moment: HN4_LONG=1, as root"]
fn a_processor_that_goes_and_comes() {
    let setting = Path::new("/sys/devices/system/cpu/cpu1/online");
    if std::env::var_os("HN4_LONG").is_none() || fs::write(setting, "1").is_err() {
        return;
    }
    let Some(mount) = Mount::new() else { return };
    thread::scope(|scope| {
        let runs: Vec<_> = (0..4)
            .map(|n| {
                let path = mount.path(format!("f{n}"));
                scope.spawn(move || {
                    for round in 0..3000 {
                        let data = noise(round, 3000);
                        fs::write(&path, &data).expect("write");
                        assert!(fs::read(&path).expect("read") == data);
                    }
                })
            })
            .collect();
        for state in ["0", "1", "0", "1"] {
            thread::sleep(Duration::from_millis(100));
            fs::write(setting, state).expect("a processor goes or comes");
        }
        runs.into_iter().for_each(|run| run.join().expect("a writer"));
    });
    use_it(&mount);
    mount.finish();
}
