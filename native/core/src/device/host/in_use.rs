//! Whether something of the host uses an image or a device, so that mkfs and mount can refuse.
//!
//! This looks for users that take no lock of ours: the kernel's own filesystems, swap, device
//! mapper, loop devices. A hn4 mount is found by its lock (lock/mod.rs), and here by its source.

use super::{error, loop_device, mountinfo};
use crate::base::{Result, shown};
use std::fmt;
use std::fs::{self, Metadata, OpenOptions};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Who uses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InUse {
    /// Mounted (for a whole disk: or one of its partitions).
    Mounted {
        at: PathBuf,
        /// File system type, as in the mount table.
        kind: String,
    },
    /// The image is attached to a loop device, which may be mounted itself.
    Loop {
        device: PathBuf,
        mounted_at: Option<PathBuf>,
    },
    Swap,
    /// The kernel holds the device exclusively: device mapper, RAID, another mount namespace.
    Claimed,
}

impl fmt::Display for InUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InUse::Mounted { at, .. } => write!(f, "is mounted at {}", shown(at)),
            InUse::Loop { device, mounted_at: None } => write!(f, "is attached to {}", shown(device)),
            InUse::Loop { device, mounted_at: Some(at) } => {
                write!(f, "is attached to {}, which is mounted at {}", shown(device), shown(at))
            }
            InUse::Swap => write!(f, "is swap space in use"),
            InUse::Claimed => write!(f, "is held by the kernel (RAID, device mapper, or mounted elsewhere)"),
        }
    }
}

/// The first user of the image or device found, or none. Errors: the host's, for a path that cannot
/// be looked at.
pub fn in_use(path: &Path) -> Result<Option<InUse>> {
    let stat = fs::metadata(path).map_err(|cause| error::open(&shown(path), &cause))?;
    Ok(if stat.file_type().is_block_device() {
        device_in_use(path, &stat)
    } else {
        image_in_use(path, &stat)
    })
}

fn device_in_use(path: &Path, stat: &Metadata) -> Option<InUse> {
    let mut devices = vec![stat.rdev()];
    devices.extend(relatives(stat.rdev()));
    if let Some(mount) = mount_of(&devices) {
        return Some(InUse::Mounted { at: mount.at, kind: mount.kind });
    }
    if mountinfo::swaps().iter().any(|swap| rdev_of(swap).is_some_and(|rdev| devices.contains(&rdev))) {
        return Some(InUse::Swap);
    }
    // Let go at once: the kernel refuses O_EXCL on a device that something else has claimed.
    let probe = OpenOptions::new().read(true).custom_flags(libc::O_EXCL | libc::O_NONBLOCK).open(path);
    let busy = probe.is_err_and(|cause| cause.raw_os_error() == Some(libc::EBUSY));
    busy.then_some(InUse::Claimed)
}

fn image_in_use(path: &Path, stat: &Metadata) -> Option<InUse> {
    let id = (stat.dev(), stat.ino());
    if let Some(device) = loop_device::attached_to(id).into_iter().next() {
        let mounted_at = rdev_of(&device).and_then(|rdev| {
            let mut devices = vec![rdev];
            devices.extend(relatives(rdev));
            mount_of(&devices).map(|mount| mount.at)
        });
        return Some(InUse::Loop { device, mounted_at });
    }
    let full = fs::canonicalize(path).ok()?;
    for mount in mountinfo::mounts() {
        // Compared by name: a stat of some mount's source may hang on a dead server.
        if mount.kind.starts_with("fuse") && mount.source == full {
            return Some(InUse::Mounted { at: mount.at, kind: mount.kind });
        }
    }
    let is_swap = |swap: &PathBuf| *swap == full;
    mountinfo::swaps().iter().any(is_swap).then_some(InUse::Swap)
}

/// The mount of a filesystem on one of these devices.
fn mount_of(devices: &[u64]) -> Option<mountinfo::Mount> {
    let uses = |mount: &mountinfo::Mount| {
        // btrfs and FUSE have a device number of their own and name the disk as their source.
        devices.contains(&mount.device)
            || mount.source.starts_with("/dev")
                && rdev_of(&mount.source).is_some_and(|r| devices.contains(&r))
    };
    mountinfo::mounts().into_iter().find(uses)
}

fn rdev_of(path: &Path) -> Option<u64> {
    let stat = fs::metadata(path).ok()?;
    stat.file_type().is_block_device().then(|| stat.rdev())
}

/// The partitions of a whole disk; the whole disk of a partition.
fn relatives(rdev: u64) -> Vec<u64> {
    let dir = PathBuf::from(format!("/sys/dev/block/{}:{}", libc::major(rdev), libc::minor(rdev)));
    if dir.join("partition").exists() {
        return device_number(&dir.join("../dev")).into_iter().collect();
    }
    let entries = fs::read_dir(&dir).into_iter().flatten().flatten();
    let partitions = entries.map(|entry| entry.path()).filter(|path| path.join("partition").exists());
    partitions.filter_map(|path| device_number(&path.join("dev"))).collect()
}

fn device_number(attribute: &Path) -> Option<u64> {
    let text = fs::read_to_string(attribute).ok()?;
    let (major, minor) = text.trim().split_once(':')?;
    Some(libc::makedev(major.parse().ok()?, minor.parse().ok()?))
}
