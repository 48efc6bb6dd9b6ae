//! A step as system calls in one of the two directories.

use super::steps::{Name, PLACES, Step};
use rustix::fs::*;
use rustix::io::{Errno, pread, pwrite, write};
use std::fmt;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What a caller can see of a step.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    Done,
    /// The place holds no open file.
    Nothing,
    Error(Errno),
    Count(usize),
    Bytes(Bytes),
    Names(Vec<Vec<u8>>),
    /// Mode with type, links, size (0 for a directory), seconds of mtime if they were set.
    Shape {
        mode: u32,
        links: u64,
        size: u64,
        mtime: Option<i64>,
    },
}

/// Bytes, printed as runs of equal ones.
#[derive(PartialEq, Eq)]
pub struct Bytes(Vec<u8>);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes:", self.0.len())?;
        for run in self.0.chunk_by(|a, b| a == b) {
            write!(f, " {:#04x}*{}", run[0], run.len())?;
        }
        Ok(())
    }
}

type Answered = Result<Answer, Errno>;

const KEYS: [&str; 3] = ["user.one", "user.two", "trusted.three"];

/// One directory and the files open in it.
pub struct Side {
    root: PathBuf,
    open: [Option<File>; PLACES],
}

/// Times before this were set by a step; later ones are the clock's.
const CLOCK: i64 = 1_500_000_000;

fn shape(stat: &Stat) -> Answer {
    let is_directory = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
    let mtime = (stat.st_mtime < CLOCK).then_some(stat.st_mtime);
    let size = if is_directory { 0 } else { stat.st_size as u64 };
    Answer::Shape { mode: stat.st_mode, links: stat.st_nlink, size, mtime }
}

fn done<T>(_: T) -> Answer {
    Answer::Done
}

impl Side {
    pub fn new(root: &Path) -> Side {
        Side { root: root.to_owned(), open: [const { None }; PLACES] }
    }

    fn path(&self, name: &Name) -> PathBuf {
        self.root.join(name)
    }

    pub fn apply(&mut self, step: &Step) -> Answer {
        self.try_apply(step).unwrap_or_else(Answer::Error)
    }

    fn try_apply(&mut self, step: &Step) -> Answered {
        match step {
            Step::Open { place, name, create, exclusive, truncate, append } => {
                let mut flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NONBLOCK;
                flags.set(OFlags::CREATE, *create);
                flags.set(OFlags::EXCL, *create && *exclusive);
                flags.set(OFlags::TRUNC, *truncate);
                flags.set(OFlags::APPEND, *append);
                self.keep(*place, open(self.path(name), flags, Mode::from_raw_mode(0o644))?);
                Ok(Answer::Done)
            }
            Step::Temporary { place, name } => {
                let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
                self.keep(*place, open(self.path(name), flags, Mode::from_raw_mode(0o600))?);
                Ok(Answer::Done)
            }
            Step::Close { place } => {
                self.open[*place] = None;
                Ok(Answer::Done)
            }
            Step::Copy { from, to, .. } if from == to => Ok(Answer::Nothing),
            Step::Copy { from, to, from_offset, to_offset, length } => {
                match (&self.open[*from], &self.open[*to]) {
                    (Some(from), Some(to)) => copy(from, to, *from_offset, *to_offset, *length),
                    _ => Ok(Answer::Nothing),
                }
            }
            Step::Publish { place, .. }
            | Step::Write { place, .. }
            | Step::Append { place, .. }
            | Step::Read { place, .. }
            | Step::SetSize { place, .. }
            | Step::Allocate { place, .. }
            | Step::Describe { place }
            | Step::Fsync { place } => match &self.open[*place] {
                Some(file) if is_regular(file)? => self.with_file(file, step),
                _ => Ok(Answer::Nothing),
            },
            _ => self.with_name(step),
        }
    }

    fn keep(&mut self, place: usize, file: rustix::fd::OwnedFd) {
        self.open[place] = Some(file.into());
    }

    fn with_file(&self, file: &File, step: &Step) -> Answered {
        match step {
            Step::Publish { name, .. } => {
                let handle = format!("/proc/self/fd/{}", file.as_raw_fd());
                linkat(CWD, handle, CWD, self.path(name), AtFlags::SYMLINK_FOLLOW).map(done)
            }
            Step::Write { offset, length, byte, .. } => {
                pwrite(file, &vec![*byte; *length], *offset).map(Answer::Count)
            }
            Step::Append { length, byte, .. } => {
                seek(file, SeekFrom::End(0))?;
                write(file, &vec![*byte; *length]).map(Answer::Count)
            }
            Step::Read { offset, length, .. } => {
                let mut bytes = vec![0; *length];
                let count = pread(file, &mut bytes, *offset)?;
                bytes.truncate(count);
                Ok(Answer::Bytes(Bytes(bytes)))
            }
            Step::SetSize { size, .. } => ftruncate(file, *size).map(done),
            Step::Allocate { kind, offset, length, .. } => {
                let keep = FallocateFlags::KEEP_SIZE;
                let mode = [
                    FallocateFlags::empty(),
                    keep,
                    FallocateFlags::PUNCH_HOLE | keep,
                    FallocateFlags::ZERO_RANGE,
                ][*kind];
                fallocate(file, mode, *offset, *length).map(done)
            }
            Step::Fsync { .. } => fsync(file).map(done),
            _ => fstat(file).map(|stat| shape(&stat)),
        }
    }

    fn with_name(&self, step: &Step) -> Answered {
        match step {
            Step::Mkdir { name } => mkdir(self.path(name), Mode::from_raw_mode(0o755)).map(done),
            Step::Mknod { name, kind } => {
                let kind = [FileType::Fifo, FileType::Socket, FileType::CharacterDevice][*kind];
                mknodat(CWD, self.path(name), kind, Mode::from_raw_mode(0o644), 0).map(done)
            }
            Step::Symlink { name, target } => symlink(target, self.path(name)).map(done),
            Step::ReadLink { name } => {
                readlink(self.path(name), Vec::new()).map(|target| Answer::Bytes(Bytes(target.into_bytes())))
            }
            Step::Link { name, new } => link(self.path(name), self.path(new)).map(done),
            Step::Unlink { name } => unlink(self.path(name)).map(done),
            Step::Rmdir { name } => rmdir(self.path(name)).map(done),
            Step::Rename { name, new, kind } => {
                let kinds = [
                    RenameFlags::empty(),
                    RenameFlags::empty(),
                    RenameFlags::NOREPLACE,
                    RenameFlags::EXCHANGE,
                ];
                renameat_with(CWD, self.path(name), CWD, self.path(new), kinds[*kind]).map(done)
            }
            Step::Stat { name } => lstat(self.path(name)).map(|stat| shape(&stat)),
            Step::List { name } => list(&self.path(name)),
            Step::Chmod { name, mode } => chmod(self.path(name), Mode::from_raw_mode(*mode)).map(done),
            Step::Times { name, seconds } => {
                let time = Timespec { tv_sec: *seconds, tv_nsec: 5 };
                let times = Timestamps { last_access: time, last_modification: time };
                utimensat(CWD, self.path(name), &times, AtFlags::SYMLINK_NOFOLLOW).map(done)
            }
            Step::SetAttribute { name, key, length, kind } => {
                let flags = [XattrFlags::empty(), XattrFlags::CREATE, XattrFlags::REPLACE][*kind];
                lsetxattr(self.path(name), KEYS[*key], &vec![b'v'; *length], flags).map(done)
            }
            Step::GetAttribute { name, key } => {
                let mut value = vec![0; 256];
                let count = lgetxattr(self.path(name), KEYS[*key], &mut value[..])?;
                value.truncate(count);
                Ok(Answer::Bytes(Bytes(value)))
            }
            Step::RemoveAttribute { name, key } => lremovexattr(self.path(name), KEYS[*key]).map(done),
            other => unreachable!("{other:?} is about an open file"),
        }
    }

    /// Everything below the directory: path and what is there.
    pub fn tree(&self) -> Vec<(PathBuf, Answer)> {
        let mut found = Vec::new();
        let mut rest = vec![PathBuf::new()];
        while let Some(at) = rest.pop() {
            let path = self.root.join(&at);
            if let Ok(Answer::Names(names)) = list(&path) {
                rest.extend(names.iter().map(|name| at.join(std::ffi::OsStr::from_bytes(name))));
            }
            let content = if path.is_file() && !path.is_symlink() { std::fs::read(&path).ok() } else { None };
            let seen = lstat(&path).map_or_else(Answer::Error, |stat| shape(&stat));
            found.push((at.clone(), seen));
            found.extend(content.map(|bytes| (at, Answer::Bytes(Bytes(bytes)))));
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        found
    }
}

fn is_regular(file: &File) -> Result<bool, Errno> {
    Ok(FileType::from_raw_mode(fstat(file)?.st_mode) == FileType::RegularFile)
}

fn copy(from: &File, to: &File, mut from_offset: u64, mut to_offset: u64, length: usize) -> Answered {
    if !is_regular(from)? || !is_regular(to)? {
        return Ok(Answer::Nothing);
    }
    // How much one call copies is each file system's affair.
    let mut copied = 0;
    while copied < length {
        let count = copy_file_range(from, Some(&mut from_offset), to, Some(&mut to_offset), length - copied)?;
        if count == 0 {
            break;
        }
        copied += count;
    }
    Ok(Answer::Count(copied))
}

fn list(path: &Path) -> Answered {
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let mut names = Vec::new();
    for entry in Dir::read_from(open(path, flags, Mode::empty())?)? {
        let name = entry?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            names.push(name);
        }
    }
    names.sort();
    Ok(Answer::Names(names))
}
