//! FileDevice and in_use on loop devices and foreign filesystems. They need root and a kernel that
//! allows it; elsewhere they say why they are skipped.

use super::{InUse, in_use};
use crate::base::{BLOCK_SIZE, Code};
use crate::device::testing::device_contract;
use crate::device::{FileDevice, OpenFile};
use std::cell::RefCell;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

type Arg<'a> = &'a dyn AsRef<std::ffi::OsStr>;

/// Runs a program of the host; its first line of output, or none if it is missing or fails.
fn run(program: &str, args: &[Arg<'_>]) -> Option<String> {
    let mut command = Command::new(program);
    args.iter().for_each(|arg| {
        command.arg(arg.as_ref());
    });
    let output = command.stderr(Stdio::null()).output().ok().filter(|o| o.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or("").to_string())
}

/// A loop device over an image; detached when dropped.
struct Loop(PathBuf);

impl Loop {
    fn attach(image: &Path) -> Option<Loop> {
        Loop::attach_with(&[], image)
    }

    fn attach_with(options: &[Arg<'_>], image: &Path) -> Option<Loop> {
        let mut args = options.to_vec();
        args.extend([&"--find" as Arg<'_>, &"--show", &image]);
        let device = run("losetup", &args);
        if device.is_none() {
            println!("skipped: losetup does not attach an image here (root? /dev/loop-control?)");
        }
        device.map(|path| Loop(path.into()))
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        run("losetup", &[&"--detach", &self.0]);
    }
}

/// A mounted filesystem; unmounted when dropped.
struct Mounted(PathBuf);

impl Mounted {
    fn mount(args: &[Arg<'_>], at: &Path) -> Option<Mounted> {
        let mut all = args.to_vec();
        all.push(&at);
        let done = run("mount", &all);
        if done.is_none() {
            println!("skipped: mount is refused here");
        }
        done.map(|_| Mounted(at.to_path_buf()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        run("umount", &[&self.0]);
    }
}

fn image(dir: &Path, blocks: u64) -> PathBuf {
    let path = dir.join("disk image");
    File::create(&path).unwrap().set_len(blocks * BLOCK_SIZE as u64).unwrap();
    path
}

#[test]
fn a_loop_device_keeps_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    if Loop::attach(&image(dir.path(), 16)).is_none() {
        return;
    }
    // One at a time, for there may be few.
    let attached = RefCell::new(None);
    device_contract(&|blocks| {
        attached.replace(None);
        let device = Loop::attach(&image(dir.path(), blocks)).expect("as before");
        let opened = FileDevice::open(&device.0, OpenFile::READ_WRITE).unwrap();
        assert!(opened.is_block_device());
        println!("direct {}", opened.direct());
        attached.replace(Some(device));
        Box::new(opened)
    });
}

#[test]
fn a_loop_device_and_the_image_behind_it_are_locked_together() {
    let dir = tempfile::tempdir().unwrap();
    let path = image(dir.path(), 1024);
    let Some(device) = Loop::attach(&path) else { return };
    let _opened = FileDevice::open(&device.0, OpenFile::READ_WRITE).unwrap();
    let busy = FileDevice::open(&device.0, OpenFile::READ_ONLY).unwrap_err();
    assert_eq!(busy.code, Code::Busy);
    let busy = FileDevice::open(&path, OpenFile::READ_ONLY).unwrap_err();
    assert_eq!(busy.code, Code::Busy, "the image behind the loop device is locked too");
}

#[test]
fn a_read_only_device_refuses_a_writer() {
    let dir = tempfile::tempdir().unwrap();
    let Some(device) = Loop::attach_with(&[&"--read-only"], &image(dir.path(), 16)) else { return };
    let code = FileDevice::open(&device.0, OpenFile::READ_WRITE).unwrap_err().code;
    assert!(matches!(code, Code::ReadOnly | Code::AccessDenied), "{code:?}");
    FileDevice::open(&device.0, OpenFile::READ_ONLY).unwrap();
}

#[test]
fn a_host_without_direct_transfers_is_served_through_its_cache() {
    let dir = tempfile::tempdir().unwrap();
    let Some(ramfs) = Mounted::mount(&[&"-t", &"ramfs", &"none"], dir.path()) else { return };
    device_contract(&|blocks| {
        let device = FileDevice::open(&image(&ramfs.0, blocks), OpenFile::READ_WRITE).unwrap();
        assert!(!device.direct());
        Box::new(device)
    });
}

#[test]
fn an_unused_image_and_device_are_free() {
    let dir = tempfile::tempdir().unwrap();
    let path = image(dir.path(), 1024);
    assert_eq!(in_use(&path).unwrap(), None);
    assert_eq!(in_use(&dir.path().join("missing")).unwrap_err().code, Code::NotFound);
    let Some(device) = Loop::attach(&path) else { return };
    assert_eq!(in_use(&device.0).unwrap(), None);
    let attached = in_use(&path).unwrap().unwrap();
    assert_eq!(attached, InUse::Loop { device: device.0.clone(), mounted_at: None });
    drop(device);
    assert_eq!(in_use(&path).unwrap(), None);
}

#[test]
fn a_mounted_device_and_the_image_behind_it_are_in_use() {
    let dir = tempfile::tempdir().unwrap();
    let path = image(dir.path(), 4096);
    if run("mkfs.ext4", &[&"-q", &"-F", &path]).is_none() {
        println!("skipped: no mkfs.ext4");
        return;
    }
    let Some(device) = Loop::attach(&path) else { return };
    let at = dir.path().join("mount point");
    fs::create_dir(&at).unwrap();
    let Some(mounted) = Mounted::mount(&[&device.0], &at) else { return };
    let found = in_use(&device.0).unwrap();
    assert!(matches!(found, Some(InUse::Mounted { at: found, .. }) if found == at));
    let behind = in_use(&path).unwrap().unwrap();
    assert_eq!(behind, InUse::Loop { device: device.0.clone(), mounted_at: Some(at.clone()) });
    assert!(behind.to_string().contains("which is mounted at"), "{behind}");
    drop(mounted);
    assert_eq!(in_use(&device.0).unwrap(), None);
    // As a filesystem of another mount namespace looks: only the kernel's claim shows it.
    use std::os::unix::fs::OpenOptionsExt;
    let claim = fs::OpenOptions::new().read(true).custom_flags(libc::O_EXCL).open(&device.0).unwrap();
    assert_eq!(in_use(&device.0).unwrap(), Some(InUse::Claimed));
    drop(claim);
}
