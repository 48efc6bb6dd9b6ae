//! A mounted volume whose device is recorded.

use hn4_core::device::testing::{MemDevice, RecordingDevice, Trace};
use hn4_core::testing::{self, FormatOptions, Tree, formatted, read_only_tree};
use hn4_core::vfs::FileSystem;
use hn4_core::volume::OpenOptions;
use hn4_fuse::testing::{no_fuse, unmount_patiently};
use hn4_fuse::{MountOptions, Session, Settings};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// 64 MiB.
const BLOCKS: u64 = 16_384;

pub struct Recorded {
    pub root: PathBuf,
    pub device: Arc<RecordingDevice>,
    /// The engine below the session.
    pub fs: Arc<FileSystem>,
    base: MemDevice,
    session: Session,
    _dir: TempDir,
}

/// What happened to a device, and its content before.
pub struct Recording {
    pub base: MemDevice,
    pub trace: Trace,
}

impl Recorded {
    /// A new volume, with threads and timers as in use. None, with a printed reason, where there is no FUSE.
    pub fn new() -> Option<Recorded> {
        Recorded::with(false, |_| {})
    }

    /// Nothing is committed but by a call that asks for it: what a test did not sync is not durable.
    pub fn lazy() -> Option<Recorded> {
        Recorded::with(true, |_| {})
    }

    pub fn with(sequential: bool, change: impl FnOnce(&mut MountOptions)) -> Option<Recorded> {
        if no_fuse() {
            return None;
        }
        let dir = TempDir::new().expect("a directory to mount on");
        let root = dir.path().canonicalize().expect("its real path");
        let memory = formatted(&FormatOptions::smallest_log(BLOCKS));
        let base = memory.snapshot();
        let device = Arc::new(RecordingDevice::new(memory));
        let options = OpenOptions { sequential, ..OpenOptions::default() };
        let fs = Arc::new(testing::open(device.clone(), options));
        let mut mount = MountOptions {
            source: "recorded".into(),
            mountpoint: root.clone(),
            allow_other: true,
            default_permissions: true,
            ..MountOptions::default()
        };
        change(&mut mount);
        let session = Session::mount(fs.clone(), &mount, Settings::default());
        Some(Recorded { root, device, fs, base, session: session.expect("mounted"), _dir: dir })
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root.join(name)
    }

    /// What the volume shows if the power fails now and everything unflushed is lost.
    pub fn durable(&self) -> Tree {
        let trace = self.device.trace();
        let mut cursor = trace.cursor(&self.base);
        cursor.advance_to(trace.events.len());
        read_only_tree(cursor.durable()).expect("the durable state opens")
    }

    /// What it shows if the power fails now and all that was written has arrived.
    pub fn everything(&self) -> Tree {
        let trace = self.device.trace();
        let mut cursor = trace.cursor(&self.base);
        cursor.advance_to(trace.events.len());
        read_only_tree(cursor.everything()).expect("the newest state opens")
    }

    /// The durable bytes of a file of the root directory.
    pub fn durable_bytes(&self, name: &str) -> Option<Vec<u8>> {
        self.durable().get(&format!("/{name}")).map(|found| found.content.to_vec())
    }

    /// Unmounts; the trace ends with the closing of the volume.
    pub fn finish(self) -> Recording {
        unmount_patiently(&self.session).expect("unmounted");
        self.session.wait().expect("closed");
        Recording { base: self.base, trace: self.device.take_trace() }
    }
}
