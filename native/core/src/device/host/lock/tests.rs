//! Who may open an image at the same time, and what the refused one is told.

use crate::base::{BLOCK_SIZE, Code, Error};
use crate::device::{FileDevice, OpenFile};
use std::fs::{self, File, OpenOptions};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn image(dir: &Path) -> PathBuf {
    let path = dir.join("disk.img");
    File::create(&path).unwrap().set_len(4 * BLOCK_SIZE as u64).unwrap();
    path
}

fn refused(path: &Path, how: OpenFile) -> Error {
    let error = FileDevice::open(path, how).expect_err("the lock is held");
    assert_eq!(error.code, Code::Busy, "{error}");
    error
}

#[test]
fn one_writer_or_many_readers() {
    let dir = tempfile::tempdir().unwrap();
    let path = image(dir.path());
    let writer = FileDevice::open(&path, OpenFile::READ_WRITE).unwrap();
    let error = refused(&path, OpenFile::READ_WRITE);
    let own = format!("process {} (", std::process::id());
    for part in ["disk.img for writing", &own, "has it open for writing"] {
        assert!(error.detail().contains(part), "{error}");
    }
    refused(&path, OpenFile::READ_ONLY);
    drop(writer);
    let readers = [1, 2].map(|_| FileDevice::open(&path, OpenFile::READ_ONLY).unwrap());
    assert!(refused(&path, OpenFile::READ_WRITE).detail().contains("open for reading"));
    drop(readers);
    FileDevice::open(&path, OpenFile::READ_WRITE).unwrap();
}

#[test]
fn the_lock_is_on_the_image_not_on_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = image(dir.path());
    let other_name = dir.path().join("other name");
    fs::hard_link(&path, &other_name).unwrap();
    let symlink = dir.path().join("symlink");
    std::os::unix::fs::symlink(&path, &symlink).unwrap();
    let _writer = FileDevice::open(&path, OpenFile::READ_WRITE).unwrap();
    refused(&other_name, OpenFile::READ_ONLY);
    refused(&symlink, OpenFile::READ_ONLY);
}

#[test]
fn another_open_and_close_of_the_image_does_not_drop_the_lock() {
    let dir = tempfile::tempdir().unwrap();
    let path = image(dir.path());
    let _writer = FileDevice::open(&path, OpenFile::READ_WRITE).unwrap();
    drop(File::open(&path).unwrap());
    drop(FileDevice::open(&path, OpenFile { lock: false, ..OpenFile::READ_ONLY }).unwrap());
    refused(&path, OpenFile::READ_ONLY);
}

#[test]
fn a_holder_in_another_process_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = image(dir.path());
    let file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
    super::acquire(&file, &path, true).unwrap();
    // The child inherits the open file, and with it the lock.
    let mut child = Command::new("sleep").arg("60").stdin(Stdio::from(file)).spawn().unwrap();
    let comm = format!("/proc/{}/comm", child.id());
    while fs::read_to_string(&comm).unwrap() != "sleep\n" {
        std::thread::yield_now();
    }
    let error = refused(&path, OpenFile::READ_ONLY);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(error.detail().contains(&format!("process {} (sleep) has it open", child.id())), "{error}");
    FileDevice::open(&path, OpenFile::READ_WRITE).unwrap();
}

#[test]
fn a_lock_by_process_is_respected_and_its_holder_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = image(dir.path());
    let file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
    // SAFETY: flock is plain integers; zeros mean the whole file.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = libc::F_WRLCK as libc::c_short;
    // SAFETY: F_SETLK reads one flock at the pointer.
    assert_eq!(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLK, &raw const lock) }, 0);
    let error = refused(&path, OpenFile::READ_WRITE);
    assert!(error.detail().contains(&format!("process {} (", std::process::id())), "{error}");
}
