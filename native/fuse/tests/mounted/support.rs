//! A mounted `MemVfs` for one test.

use hn4_core::testing::MemVfs;
use hn4_fuse::testing::{no_fuse, note, unmount_patiently};
use hn4_fuse::{MountOptions, Session, Settings, Transport, TransportChoice};
use std::path::{Path, PathBuf};
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

/// Whether the kernel offers FUSE over io_uring now, and this run wants it.
pub fn uring_is_offered() -> bool {
    let setting = std::fs::read_to_string("/sys/module/fuse/parameters/enable_uring").unwrap_or_default();
    setting.trim() == "Y" && wanted_transport() != TransportChoice::Dev
}

pub struct Mount {
    pub vfs: Arc<MemVfs>,
    pub session: Session,
    pub root: PathBuf,
    _dir: TempDir,
}

impl Mount {
    pub fn new() -> Option<Mount> {
        Mount::with(Settings::default(), |_| {})
    }

    /// A mount with changed options; None, with a printed reason, where there is no FUSE.
    pub fn with(settings: Settings, change: impl FnOnce(&mut MountOptions)) -> Option<Mount> {
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
        let vfs = Arc::new(MemVfs::new(BLOCKS));
        let session = Session::mount(vfs.clone(), &options, settings).expect("mounted");
        note(if let Transport::Uring { .. } = session.transport() { "uring" } else { "dev" });
        Some(Mount { vfs, session, root, _dir: dir })
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root.join(name)
    }

    /// Unmounts, waits for the end, and checks that the volume was closed once.
    pub fn finish(self) -> Arc<MemVfs> {
        unmount_patiently(&self.session).expect("unmounted");
        self.session.wait().expect("shut down");
        assert_eq!(self.vfs.shutdowns(), 1);
        self.vfs.clone()
    }
}
