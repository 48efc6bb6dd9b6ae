//! A volume without a mount: its operations called directly, by one caller at a time.

use crate::failure::Failure;
use crate::host::{Outcome, outcome};
use crate::log;
use crate::mount::{open_device, trim};
use crate::path::host_path;
use crate::promise::promise;
use hn4_core::base::Code;
use hn4_core::vfs::{Attr, Caller, FileSystem, SetAttr, SetTime, Vfs};
use hn4_core::volume::{OpenOptions, Reporter, Volume};
use napi::bindgen_prelude::{BigInt, Buffer, Env, Object, Utf16String};
use napi_derive::napi;
use std::sync::Arc;

/// Bytes of one read at most.
const READ_MAX: u32 = 16 << 20;

/// A file, and what `stat` says of it.
#[napi(object)]
pub struct Entry {
    /// Number of the file; exact, for numbers stay below 2^53.
    pub ino: f64,
    pub mode: u32,
    pub size: f64,
}

/// New attributes; absent ones stay.
#[napi(object)]
pub struct NewAttributes {
    pub mode: Option<u32>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    /// Nanoseconds since 1970.
    pub mtime: Option<BigInt>,
}

/// An open volume. `close` it: a lost handle leaves the last seconds to the log's replay.
#[napi]
pub struct VolumeHandle(Option<Arc<FileSystem>>);

/// Opens and locks an image.
#[napi(ts_return_type = "VolumeHandle | Failure")]
pub fn open_volume(image: Utf16String, read_only: bool) -> Outcome<VolumeHandle> {
    log::watch_panics();
    outcome(|| {
        let device = open_device(&host_path(&image), read_only)?;
        let reporter = Reporter::new(log::line);
        let options = OpenOptions { read_only, reporter, ..OpenOptions::default() };
        let (volume, _) = Volume::open(Arc::new(device), options)?;
        Ok(VolumeHandle(Some(Arc::new(FileSystem::new(volume)))))
    })
}

/// Tells the host which blocks of a volume that nobody uses are free, after replaying its log: how many, or a
/// failure.
#[napi(ts_return_type = "Promise<number | Failure>")]
pub fn trim_volume(env: &Env, image: Utf16String) -> napi::Result<Object<'_>> {
    log::watch_panics();
    let path = host_path(&image);
    promise(env, "hn4-trim", move || {
        let device = open_device(&path, false)?;
        let options = OpenOptions { reporter: Reporter::new(log::line), ..OpenOptions::default() };
        let (volume, _) = Volume::open(Arc::new(device), options)?;
        let vfs = FileSystem::new(volume);
        let trimmed = trim(&vfs);
        vfs.shutdown()?;
        trimmed
    })
}

#[napi]
impl VolumeHandle {
    #[napi(ts_return_type = "Entry | Failure")]
    pub fn lookup(&self, parent: f64, name: Buffer) -> Outcome<Entry> {
        self.found(|vfs| vfs.lookup(whole(parent)?, &name))
    }

    /// Makes a regular file (or what the type bits of `mode` say, except a folder).
    #[napi(ts_return_type = "Entry | Failure")]
    pub fn create(&self, parent: f64, name: Buffer, mode: u32) -> Outcome<Entry> {
        let kind = if mode & libc::S_IFMT == 0 { libc::S_IFREG } else { 0 };
        self.found(|vfs| vfs.mknod(whole(parent)?, &name, mode | kind, 0, &Caller::default()))
    }

    #[napi(ts_return_type = "Entry | Failure")]
    pub fn mkdir(&self, parent: f64, name: Buffer, mode: u32) -> Outcome<Entry> {
        self.found(|vfs| vfs.mkdir(whole(parent)?, &name, mode, &Caller::default()))
    }

    #[napi(ts_return_type = "Entry | Failure")]
    pub fn symlink(&self, parent: f64, name: Buffer, target: Buffer) -> Outcome<Entry> {
        self.found(|vfs| vfs.symlink(whole(parent)?, &name, &target, &Caller::default()))
    }

    #[napi(ts_return_type = "undefined | Failure")]
    pub fn write(&self, file: f64, offset: f64, data: Buffer) -> Outcome<()> {
        outcome(|| Ok(self.vfs()?.write(whole(file)?, whole(offset)?, &data, false).map(|_| ())?))
    }

    #[napi(ts_return_type = "Buffer | Failure")]
    pub fn read(&self, file: f64, offset: f64, length: u32) -> Outcome<Buffer> {
        outcome(|| {
            if length > READ_MAX {
                return Err(Failure::new("EINVAL", format!("more than {READ_MAX} bytes in one read")));
            }
            let mut bytes = vec![0; length as usize];
            let count = self.vfs()?.read(whole(file)?, whole(offset)?, &mut bytes)?;
            bytes.truncate(count);
            Ok(bytes.into())
        })
    }

    #[napi(ts_return_type = "undefined | Failure")]
    pub fn set_attributes(&self, file: f64, wanted: NewAttributes) -> Outcome<()> {
        outcome(|| {
            let mtime = wanted.mtime.map(|time| SetTime::At(time.get_i64().0));
            let set =
                SetAttr { mode: wanted.mode, uid: wanted.uid, gid: wanted.gid, mtime, ..SetAttr::default() };
            Ok(self.vfs()?.setattr(whole(file)?, &set, &Caller::default()).map(|_| ())?)
        })
    }

    /// Gives back what one lookup, create, mkdir or symlink took: the file may leave the memory.
    #[napi(ts_return_type = "undefined | Failure")]
    pub fn forget(&self, file: f64) -> Outcome<()> {
        outcome(|| {
            self.vfs()?.forget(whole(file)?, 1);
            Ok(())
        })
    }

    /// Everything done so far becomes durable.
    #[napi(ts_return_type = "undefined | Failure")]
    pub fn sync(&self) -> Outcome<()> {
        outcome(|| Ok(self.vfs()?.syncfs()?))
    }

    /// Writes everything home and gives the image free; the handle is of no use afterwards.
    #[napi(ts_return_type = "undefined | Failure")]
    pub fn close(&mut self) -> Outcome<()> {
        let open = self.0.take();
        outcome(|| Ok(open.map_or(Ok(()), |vfs| vfs.shutdown())?))
    }

    fn vfs(&self) -> Result<&FileSystem, Failure> {
        self.0.as_deref().ok_or_else(|| Failure::new("EINVAL", "the volume was closed"))
    }

    fn found(&self, work: impl FnOnce(&FileSystem) -> hn4_core::base::Result<Attr>) -> Outcome<Entry> {
        outcome(|| {
            let attr = work(self.vfs()?)?;
            Ok(Entry { ino: attr.ino as f64, mode: attr.mode, size: attr.size as f64 })
        })
    }
}

/// A number of JavaScript as a file's number or an offset. Error: not a whole one below 2^53.
fn whole(number: f64) -> hn4_core::base::Result<u64> {
    let fits = number >= 0.0 && number < (1u64 << 53) as f64 && number.fract() == 0.0;
    if fits { Ok(number as u64) } else { Err(Code::InvalidArgument.into()) }
}
