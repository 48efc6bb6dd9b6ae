//! A mounted file system for one test: `MemVfs`, or a volume in memory.

use hn4_core::testing::{self, FormatOptions, MemVfs, formatted, loud};
use hn4_core::vfs::FileSystem;
use hn4_core::vfs::api::Vfs;
use hn4_fuse::testing::{LoopDevice, no_fuse, note, unmount_patiently};
use hn4_fuse::{MountOptions, Session, Settings, Transport, TransportChoice};
use std::panic::RefUnwindSafe;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use tempfile::TempDir;

/// Blocks of 4096 bytes of a test's file system: 256 MiB.
pub const BLOCKS: u64 = 65_536;

/// The transport that `HN4_TRANSPORT` names, else the one that is best here: the suite runs on each.
pub fn wanted_transport() -> TransportChoice {
    let name = std::env::var("HN4_TRANSPORT").unwrap_or_default();
    if name.is_empty() {
        TransportChoice::Auto
    } else {
        TransportChoice::parse(&name).expect("HN4_TRANSPORT")
    }
}

/// Whether the kernel offers FUSE over io_uring now.
pub fn uring_is_offered() -> bool {
    let setting = std::fs::read_to_string("/sys/module/fuse/parameters/enable_uring").unwrap_or_default();
    setting.trim() == "Y"
}

pub struct Mount<V: Vfs = MemVfs> {
    pub vfs: Arc<V>,
    pub session: Session,
    pub root: PathBuf,
    _dir: TempDir,
}

impl<V: Vfs> Mount<V> {
    /// None, with a printed reason, where there is no FUSE.
    pub fn of(
        vfs: impl FnOnce() -> V,
        settings: Settings,
        change: impl FnOnce(&mut MountOptions),
    ) -> Option<Mount<V>> {
        if no_fuse() {
            return None;
        }
        let dir = TempDir::new().expect("a directory to mount on");
        let root = dir.path().canonicalize().expect("its real path");
        let mut options = MountOptions {
            source: "memory".into(),
            mountpoint: root.clone(),
            allow_other: true,
            default_permissions: true,
            transport: wanted_transport(),
            ..MountOptions::default()
        };
        change(&mut options);
        let vfs = Arc::new(vfs());
        let session = Session::mount(vfs.clone(), &options, settings).expect("mounted");
        note(if let Transport::Uring { .. } = session.transport() { "uring" } else { "dev" });
        Some(Mount { vfs, session, root, _dir: dir })
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root.join(name)
    }

    /// Unmounts and waits for the end.
    pub fn end(&self) {
        unmount_patiently(&self.session).expect("unmounted");
        self.session.wait().expect("shut down");
    }
}

impl Mount<FileSystem> {
    /// A new volume of 32 MiB in memory.
    pub fn volume(settings: Settings) -> Option<Mount<FileSystem>> {
        Mount::of(|| testing::open(formatted(&FormatOptions::new(8192)), loud()), settings, |_| {})
    }
}

impl Mount {
    pub fn new() -> Option<Mount> {
        Mount::with(Settings::default(), |_| {})
    }

    /// A mount with changed options.
    pub fn with(settings: Settings, change: impl FnOnce(&mut MountOptions)) -> Option<Mount> {
        Mount::of(|| MemVfs::new(BLOCKS), settings, change)
    }

    /// Unmounts, waits for the end, and checks that the volume was closed once.
    pub fn finish(self) -> Arc<MemVfs> {
        self.end();
        assert_eq!(self.vfs.shutdowns(), 1);
        self.vfs.clone()
    }
}

/// Checks the same of ext4, on a loop device, where that can be had.
pub fn on_ext4(check: impl Fn(&Path) + RefUnwindSafe) {
    let dir = TempDir::new().expect("a directory");
    hn4_fuse::testing::calls::chmod(dir.path(), 0o755);
    let Some(device) = LoopDevice::over(&dir.path().join("ext4.img")) else { return };
    let root = dir.path().join("mnt");
    std::fs::create_dir(&root).expect("mkdir");
    let done = |program: &str, arguments: &[&str]| {
        Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
    };
    let place = root.to_str().expect("a plain path");
    if !done("mkfs.ext4", &["-q", &device.path]) || !done("mount", &["-t", "ext4", &device.path, place]) {
        eprintln!("skipped: no ext4 here");
        return;
    }
    let outcome = std::panic::catch_unwind(|| check(&root));
    assert!(done("umount", &["-l", place]));
    outcome.expect("as Linux does it");
}
