//! What to mount, where, and how.

use crate::transport::{MAX_PAYLOAD, TransportChoice};
use hn4_core::vfs::Synchronous;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

/// Name of the file system type, behind `fuse.` or `fuseblk.`.
pub(super) const SUBTYPE: &str = "hn4";

/// Options of a mount. `Default` mounts nothing: set `source` and `mountpoint`.
#[derive(Clone, Debug, Default)]
pub struct MountOptions {
    /// First column of the mount table: the image's path, or with `block_device` the device.
    pub source: OsString,
    pub mountpoint: PathBuf,
    /// Mount as `fuseblk`: SYNCFS reaches the session and umount waits for it. Root only.
    pub block_device: bool,
    pub read_only: bool,
    /// Other users may enter. As an ordinary user this needs `user_allow_other` in /etc/fuse.conf.
    pub allow_other: bool,
    /// The kernel checks permissions.
    pub default_permissions: bool,
    /// Unmount when this process dies. Goes through fusermount3, also for root. (That program
    /// cannot look into the mount of an ordinary user, and leaves it, without `allow_other`.)
    pub auto_unmount: bool,
    pub flags: Vec<MountFlag>,
    /// Threads that serve requests; 0 for max(4, CPUs). By io_uring each CPU has as many as come to it.
    pub threads: usize,
    /// With `auto_unmount` always /dev/fuse.
    pub transport: TransportChoice,
}

/// Of linux/mount.h, which libc lacks.
const MS_LAZYTIME: libc::c_ulong = 1 << 25;
const MS_NOSYMFOLLOW: libc::c_ulong = 1 << 8;

macro_rules! mount_flags {
    ($($name:ident = $text:literal, $bits:expr;)*) => {
        /// Mount options of any file system (mount(8)).
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum MountFlag { $($name),* }

        impl MountFlag {
            /// The flag by its name in `-o`.
            pub fn parse(text: &str) -> Option<MountFlag> {
                match text {
                    $($text => Some(MountFlag::$name),)*
                    _ => None,
                }
            }

            /// Its name in `-o`.
            pub fn name(self) -> &'static str {
                match self { $(MountFlag::$name => $text),* }
            }

            /// Its MS_* bit.
            pub(super) fn bits(self) -> libc::c_ulong {
                match self { $(MountFlag::$name => $bits),* }
            }
        }
    };
}

mount_flags! {
    NoSuid = "nosuid", libc::MS_NOSUID;
    NoDev = "nodev", libc::MS_NODEV;
    NoExec = "noexec", libc::MS_NOEXEC;
    NoAtime = "noatime", libc::MS_NOATIME;
    NoDirAtime = "nodiratime", libc::MS_NODIRATIME;
    RelAtime = "relatime", libc::MS_RELATIME;
    LazyTime = "lazytime", MS_LAZYTIME;
    NoSymFollow = "nosymfollow", MS_NOSYMFOLLOW;
    Sync = "sync", libc::MS_SYNCHRONOUS;
    DirSync = "dirsync", libc::MS_DIRSYNC;
}

impl MountOptions {
    /// Which calls the session makes durable before it answers.
    pub(crate) fn synchronous(&self) -> Synchronous {
        match () {
            () if self.flags.contains(&MountFlag::Sync) => Synchronous::All,
            () if self.flags.contains(&MountFlag::DirSync) => Synchronous::Names,
            () => Synchronous::Asked,
        }
    }

    /// The options both ways of mounting hand to the kernel's FUSE.
    fn common(&self) -> Vec<OsString> {
        let mut list = vec![format!("max_read={MAX_PAYLOAD}").into()];
        if self.default_permissions {
            list.push("default_permissions".into());
        }
        if self.allow_other {
            list.push("allow_other".into());
        }
        if self.block_device {
            list.push("blksize=4096".into());
        }
        list
    }

    /// The data string of mount(2). It holds no text of the user's.
    pub(super) fn kernel_data(&self, device: i32, uid: u32, gid: u32) -> OsString {
        let mut list = self.common();
        list.insert(0, format!("fd={device},rootmode=40000,user_id={uid},group_id={gid}").into());
        list.join(OsStr::new(","))
    }

    /// The MS_* word of mount(2).
    pub(super) fn kernel_flags(&self) -> libc::c_ulong {
        kernel_flags(self.read_only, &self.flags)
    }

    /// The `-o` argument of fusermount3.
    pub(super) fn fusermount_list(&self) -> OsString {
        let mut list = self.common();
        let mut fsname = OsString::from("fsname=");
        fsname.push(escape(&self.source));
        list.push(fsname);
        list.push(format!("subtype={SUBTYPE}").into());
        // fusermount3 does not know these. Times are kept by us, so that the kernel does nothing about them.
        let is_known = |flag: &&MountFlag| {
            !matches!(flag, MountFlag::RelAtime | MountFlag::NoDirAtime | MountFlag::LazyTime)
        };
        list.extend(self.flags.iter().filter(is_known).map(|flag| flag.name().into()));
        list.push(if self.read_only { "ro" } else { "rw" }.into());
        if self.block_device {
            list.push("blkdev".into());
        }
        if self.auto_unmount {
            list.push("auto_unmount".into());
        }
        list.join(OsStr::new(","))
    }
}

pub(super) fn kernel_flags(read_only: bool, flags: &[MountFlag]) -> libc::c_ulong {
    let start = if read_only { libc::MS_RDONLY } else { 0 };
    flags.iter().fold(start, |bits, flag| bits | flag.bits())
}

/// fusermount3 splits at commas: without the backslashes a path could add options.
fn escape(text: &OsStr) -> OsString {
    let mut escaped = Vec::with_capacity(text.len());
    for &byte in text.as_bytes() {
        if matches!(byte, b',' | b'\\') {
            escaped.push(b'\\');
        }
        escaped.push(byte);
    }
    OsString::from_vec(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_in_the_path_adds_no_option() {
        let options = MountOptions { source: r"/x/a,allow_other\,dev".into(), ..Default::default() };
        let list = options.fusermount_list();
        assert!(
            list.as_bytes()
                .windows(34)
                .any(|part| part == br"fsname=/x/a\,allow_other\\\,dev,su"[..34].as_ref())
        );
        assert!(!options.kernel_data(5, 0, 0).as_bytes().windows(4).any(|part| part == b"/x/a"));
    }

    #[test]
    fn fusermount_is_told_what_it_knows() {
        let flags = vec![MountFlag::RelAtime, MountFlag::NoDirAtime, MountFlag::LazyTime, MountFlag::NoSuid];
        let list =
            MountOptions { flags, ..Default::default() }.fusermount_list().into_string().expect("text");
        assert!(list.contains(",nosuid,") && !list.contains("time"), "{list}");
    }

    #[test]
    fn flags_have_names_and_bits() {
        for text in [
            "nosuid",
            "nodev",
            "noexec",
            "noatime",
            "nodiratime",
            "relatime",
            "lazytime",
            "nosymfollow",
            "sync",
            "dirsync",
        ] {
            assert_eq!(MountFlag::parse(text).map(MountFlag::name), Some(text));
        }
        assert_eq!(MountFlag::parse("user_id=0"), None);
        let options = MountOptions { read_only: true, flags: vec![MountFlag::NoExec], ..Default::default() };
        assert_eq!(options.kernel_flags(), libc::MS_RDONLY | libc::MS_NOEXEC);
    }
}
