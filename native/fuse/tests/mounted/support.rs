//! A mounted `MemVfs` for one test.

use hn4_fuse::testing::MemVfs;
use hn4_fuse::{MountOptions, Session, Settings};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// Blocks of 4096 bytes of a test's file system: 256 MiB.
pub const BLOCKS: u64 = 65_536;

pub struct Mount {
    pub vfs: Arc<MemVfs>,
    pub session: Session,
    pub root: PathBuf,
    _dir: TempDir,
}

/// True where /dev/fuse cannot be opened; says so.
pub fn no_fuse() -> bool {
    match std::fs::OpenOptions::new().read(true).write(true).open("/dev/fuse") {
        Ok(_) => {
            note("ran");
            false
        }
        Err(error) => {
            eprintln!("skipped: /dev/fuse cannot be opened: {error}");
            note("skipped");
            true
        }
    }
}

/// Tells `npm test` that this test ran or was skipped (docs/testing.md).
fn note(outcome: &str) {
    let Some(log) = std::env::var_os("HN4_MOUNT_LOG") else { return };
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    let file = std::fs::OpenOptions::new().append(true).create(true).open(log);
    file.and_then(|mut file| file.write_all(format!("{outcome} {name}\n").as_bytes()))
        .expect("HN4_MOUNT_LOG");
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
            ..MountOptions::default()
        };
        change(&mut options);
        let vfs = Arc::new(MemVfs::new(BLOCKS));
        let session = Session::mount(vfs.clone(), &options, settings).expect("mounted");
        Some(Mount { vfs, session, root, _dir: dir })
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root.join(name)
    }

    /// Unmounts, waits for the end, and checks that the volume was closed once.
    pub fn finish(self) -> Arc<MemVfs> {
        // A process that another test is starting may hold our files until its exec.
        let busy = |result: &std::io::Result<()>| {
            result.as_ref().is_err_and(|error| error.raw_os_error() == Some(libc::EBUSY))
        };
        let mut result = self.session.unmount(false);
        for _ in 0..400 {
            if !busy(&result) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
            result = self.session.unmount(false);
        }
        result.expect("unmounted");
        self.session.wait().expect("shut down");
        assert_eq!(self.vfs.shutdowns(), 1);
        self.vfs.clone()
    }
}

/// The errno of a failed call.
pub fn errno<T>(result: rustix::io::Result<T>) -> i32 {
    result.err().expect("the call fails").raw_os_error()
}

/// The errno of a failed call of std.
pub fn os_error<T>(result: std::io::Result<T>) -> i32 {
    result.err().expect("the call fails").raw_os_error().expect("with an errno")
}

/// Bytes of a seeded generator (splitmix64): the same for the same seed.
pub fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed;
    let words = std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    });
    words.flat_map(u64::to_le_bytes).take(len).collect()
}

/// mkfs of nothing: a loop device on a file, or None with a printed reason.
pub struct LoopDevice {
    pub path: String,
    _backing: tempfile::NamedTempFile,
}

impl LoopDevice {
    pub fn new() -> Option<LoopDevice> {
        let backing = tempfile::NamedTempFile::new().expect("a file");
        backing.as_file().set_len(16 << 20).expect("sized");
        let output =
            std::process::Command::new("losetup").args(["-f", "--show"]).arg(backing.path()).output();
        match output {
            Ok(output) if output.status.success() => {
                let path = String::from_utf8_lossy(&output.stdout).trim().to_owned();
                Some(LoopDevice { path, _backing: backing })
            }
            other => {
                eprintln!("skipped: no loop device: {other:?}");
                None
            }
        }
    }
}

impl Drop for LoopDevice {
    fn drop(&mut self) {
        let _ = std::process::Command::new("losetup").args(["-d", &self.path]).status();
    }
}
