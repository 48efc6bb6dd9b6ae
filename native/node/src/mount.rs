//! Mounting: device, volume, session. No JavaScript runs for a request.

use crate::failure::Failure;
use crate::log;
use crate::path::host_path;
use crate::promise::promise;
use crate::state::{Lines, MountState, state};
use crate::stats::{MountStats, collect};
use hn4_core::base::{BLOCK_SIZE, Code, shown};
use hn4_core::device::{FileDevice, InUse, OpenFile, in_use};
use hn4_core::vfs::{FileSystem, Vfs};
use hn4_core::volume::{OpenOptions, OpenReport, Reporter, Volume};
use hn4_fuse::{Cache, MountFlag, MountOptions, Session, Settings, Transport, TransportChoice};
use napi::bindgen_prelude::{Env, Object, Utf16String};
use napi_derive::napi;
use std::path::Path;
use std::sync::Arc;

/// What to mount, where, and how.
#[napi(object)]
pub struct MountRequest {
    /// Image file or block device; absolute.
    pub image: Utf16String,
    /// Directory; absolute.
    pub mountpoint: Utf16String,
    pub read_only: bool,
    /// With `read_only`: opens in spite of damage.
    pub rescue: bool,
    /// The image is a block device: mount as fuseblk.
    pub block_device: bool,
    pub noatime: bool,
    /// The host is told of freed blocks as soon as they may be used again.
    pub discard: bool,
    pub allow_other: bool,
    pub default_permissions: bool,
    pub auto_unmount: bool,
    /// Written data may wait in the kernel's page cache.
    pub write_back: bool,
    /// Names as in `-o`: `nosuid`, `sync`.
    pub mount_flags: Vec<String>,
    /// 0: as many as serve well.
    pub threads: u32,
    /// `auto`, `uring` or `dev`.
    pub transport: String,
}

/// What opening found; see `OpenReport` of the engine.
#[napi(object)]
pub struct MountReport {
    pub replayed: f64,
    /// A transaction whose record did not count, if any.
    pub dropped: Option<f64>,
    pub rewritten: f64,
    pub orphans: f64,
}

impl From<OpenReport> for MountReport {
    fn from(report: OpenReport) -> MountReport {
        MountReport {
            replayed: report.replayed as f64,
            dropped: report.dropped.map(|txn| txn as f64),
            rewritten: report.rewritten as f64,
            orphans: report.orphans as f64,
        }
    }
}

/// How requests reach the daemon.
#[napi(object)]
pub struct TransportReport {
    /// `uring` or `dev`.
    pub name: String,
    /// Threads of io_uring queues.
    pub threads: u32,
    /// Why not io_uring, where that was wanted.
    pub reason: Option<String>,
}

impl From<Transport> for TransportReport {
    fn from(transport: Transport) -> TransportReport {
        match transport {
            Transport::Uring { threads } => {
                TransportReport { name: "uring".into(), threads: threads as u32, reason: None }
            }
            Transport::Dev { reason } => TransportReport { name: "dev".into(), threads: 0, reason },
        }
    }
}

/// A mounted volume. Losing the handle unmounts it lazily.
#[napi]
pub struct MountHandle {
    /// None once released.
    mounted: Option<Mounted>,
    report: OpenReport,
}

#[derive(Clone)]
struct Mounted {
    session: Arc<Session>,
    vfs: Arc<FileSystem>,
    lines: Arc<Lines>,
}

/// Mounts; the promise's value is a handle or a failure. Returns to the caller at once.
#[napi(ts_return_type = "Promise<MountHandle | Failure>")]
pub fn mount_volume(env: &Env, request: MountRequest) -> napi::Result<Object<'_>> {
    log::watch_panics();
    promise(env, "hn4-mount", move || mount(&request))
}

fn mount(request: &MountRequest) -> Result<MountHandle, Failure> {
    let path = host_path(&request.image);
    let device = open_device(&path, request.read_only)?;
    let lines = Arc::new(Lines::default());
    // The system log may hold lines of several mounts.
    let (about, told) = (format!("{}: ", shown(&path)), lines.clone());
    let options = OpenOptions {
        read_only: request.read_only,
        rescue: request.rescue,
        noatime: request.noatime,
        discard: request.discard,
        reporter: Reporter::new(move |text| told.line(&about, text)),
        ..OpenOptions::default()
    };
    let (volume, report) = Volume::open(Arc::new(device), options)?;
    let vfs = Arc::new(FileSystem::new(volume));
    let mounted = mount_options(request)
        .and_then(|options| Ok(Session::mount(vfs.clone(), &options, settings(request, lines.clone()))?));
    match mounted {
        Ok(session) => {
            Ok(MountHandle { mounted: Some(Mounted { session: Arc::new(session), vfs, lines }), report })
        }
        Err(failure) => {
            // The session closes the volume only once a thread of it has run.
            let _ = vfs.shutdown();
            Err(failure)
        }
    }
}

/// Blocks that were discarded.
pub fn trim(vfs: &FileSystem) -> Result<f64, Failure> {
    Ok((vfs.trim(0..u64::MAX, 0)? / BLOCK_SIZE as u64) as f64)
}

/// Opens and locks; a refusal names who is in the way.
pub fn open_device(image: &Path, read_only: bool) -> Result<FileDevice, Failure> {
    let user = in_use(image)?;
    // A mount of ours is found by its lock, and a reader gets on with other readers.
    let mounted_at = match user {
        Some(InUse::Mounted { at, kind }) if kind.ends_with(".hn4") => Some(at),
        Some(other) if !read_only => return Err(Failure::busy(other.to_string())),
        _ => None,
    };
    let how = if read_only { OpenFile::READ_ONLY } else { OpenFile::READ_WRITE };
    FileDevice::open(image, how).map_err(|error| match mounted_at {
        Some(at) if error.code == Code::Busy => {
            Failure::busy(format!("{}; mounted at {}", error.detail(), shown(&at)))
        }
        _ => error.into(),
    })
}

/// Flags by their names in `-o`.
pub fn mount_flags(names: &[String]) -> Result<Vec<MountFlag>, Failure> {
    let flag = |name: &String| {
        MountFlag::parse(name).ok_or_else(|| Failure::new("EINVAL", format!("unknown mount flag {name}")))
    };
    names.iter().map(flag).collect()
}

fn mount_options(request: &MountRequest) -> Result<MountOptions, Failure> {
    Ok(MountOptions {
        source: host_path(&request.image).into(),
        mountpoint: host_path(&request.mountpoint),
        block_device: request.block_device,
        read_only: request.read_only,
        allow_other: request.allow_other,
        default_permissions: request.default_permissions,
        auto_unmount: request.auto_unmount,
        flags: mount_flags(&request.mount_flags)?,
        threads: request.threads as usize,
        transport: TransportChoice::parse(&request.transport)
            .ok_or_else(|| Failure::new("EINVAL", format!("unknown transport {}", request.transport)))?,
    })
}

fn settings(request: &MountRequest, lines: Arc<Lines>) -> Settings {
    Settings {
        cache: if request.write_back { Cache::WriteBack } else { Cache::WriteThrough },
        no_open: !request.write_back,
        // Only the kernel can check permissions without OPEN, and lists are part of them.
        posix_acl: request.default_permissions,
        log: Arc::new(move |text| lines.line("", text)),
        ..Settings::default()
    }
}

#[napi]
impl MountHandle {
    #[napi(getter)]
    pub fn report(&self) -> MountReport {
        self.report.clone().into()
    }

    /// How requests reach this process.
    #[napi]
    pub fn transport(&self) -> napi::Result<TransportReport> {
        Ok(self.mounted()?.session.transport().into())
    }

    /// Resolves when the mount is gone and the volume closed: undefined, or what went wrong closing it.
    #[napi(ts_return_type = "Promise<undefined | Failure>")]
    pub fn wait<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let Mounted { session, .. } = self.mounted()?;
        promise(env, "hn4-wait", move || Ok(session.wait()?))
    }

    /// Takes the mount off the tree: undefined, or a failure, `EBUSY` while something in it is open.
    /// Lazy: at once, and the session ends when the last open file is closed.
    #[napi(ts_return_type = "Promise<undefined | Failure>")]
    pub fn unmount<'env>(&self, env: &'env Env, lazy: bool) -> napi::Result<Object<'env>> {
        let Mounted { session, .. } = self.mounted()?;
        promise(env, "hn4-unmount", move || Ok(session.unmount(lazy)?))
    }

    /// Everything done so far becomes durable.
    #[napi(ts_return_type = "Promise<undefined | Failure>")]
    pub fn sync<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let Mounted { vfs, .. } = self.mounted()?;
        promise(env, "hn4-sync", move || Ok(vfs.syncfs()?))
    }

    /// Tells the host which blocks are free: how many, or a failure.
    #[napi(ts_return_type = "Promise<number | Failure>")]
    pub fn trim<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let Mounted { vfs, .. } = self.mounted()?;
        promise(env, "hn4-trim", move || trim(&vfs))
    }

    /// Takes the mount off the tree and closes the volume under the programs that still use it:
    /// from then on they get errors. For the end of a process that may not wait.
    #[napi(ts_return_type = "Promise<undefined | Failure>")]
    pub fn force<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        let Mounted { session, vfs, .. } = self.mounted()?;
        promise(env, "hn4-force", move || {
            let detached = session.unmount(true);
            vfs.shutdown()?;
            Ok(detached?)
        })
    }

    #[napi]
    pub fn stats(&self) -> napi::Result<MountStats> {
        let Mounted { session, vfs, .. } = self.mounted()?;
        Ok(collect(&vfs.volume, session.counters()))
    }

    #[napi]
    pub fn state(&self) -> napi::Result<MountState> {
        let Mounted { vfs, lines, .. } = self.mounted()?;
        Ok(state(&vfs.volume, &lines))
    }

    /// Gives the image free, for a process that goes on after the mount has ended.
    #[napi]
    pub fn release(&mut self) {
        self.mounted = None;
    }

    fn mounted(&self) -> napi::Result<Mounted> {
        self.mounted.clone().ok_or_else(|| napi::Error::from_reason("the mount was released"))
    }
}
