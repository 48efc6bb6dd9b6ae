//! INIT: what kernel and session agree on.

use super::{Cache, Errno, Handled, Handler, ReadDirPlus, Settings, fits};
use crate::abi::flags::init as flag;
use crate::abi::{InitIn, InitOut, MAJOR, MINOR, MINOR_MIN};
use crate::lifecycle::Phase;
use crate::transport::uring::Switch;
use crate::transport::{MAX_PAGES, MAX_PAYLOAD};
use crate::wire::{Dialect, Reply};
use hn4_core::vfs::api::Vfs;

/// Bytes the kernel reads ahead, at most.
pub const READ_AHEAD: u32 = 1 << 20;
/// Requests in the background (readahead, writeback) before the kernel holds back.
const BACKGROUND: u16 = 64;
/// From here on the kernel calls the mount congested.
const CONGESTED: u16 = 48;
/// Bytes per request without MAX_PAGES (FUSE_DEFAULT_MAX_PAGES_PER_REQ = 32 pages).
const WRITE_MAX_OLD: u32 = 32 * 4096;

/// Why requests come through /dev/fuse though io_uring would work here.
const NOT_OFFERED: &str =
    "the kernel does not offer it (it takes Linux 6.14, and enable_uring of the module fuse)";

/// What INIT settled.
#[derive(Clone, Copy, Debug)]
pub struct Agreed {
    pub dialect: Dialect,
    /// ENOSYS to OPEN and OPENDIR is understood and wanted.
    pub no_open: bool,
    pub no_opendir: bool,
    /// Requests come by io_uring from now on.
    pub uring: bool,
}

/// Answers an offer; the error is a sentence. `uring`: the session could serve requests by io_uring.
fn negotiate(offer: &InitIn, settings: &Settings, uring: bool) -> Result<(InitOut, Agreed), String> {
    if offer.major != MAJOR || offer.minor < MINOR_MIN {
        let (major, minor) = (offer.major, offer.minor);
        return Err(format!(
            "the kernel speaks FUSE {major}.{minor}, needed is {MAJOR}.{MINOR_MIN} (Linux 5.4)"
        ));
    }
    let offered = u64::from(offer.flags)
        | if u64::from(offer.flags) & flag::INIT_EXT != 0 { u64::from(offer.flags2) << 32 } else { 0 };
    // Not wanted: ATOMIC_O_TRUNC (O_TRUNC would be lost with no_open), AUTO_INVAL_DATA (nobody
    // else writes), EXPORT_SUPPORT (no lookup by number in `Vfs`), ASYNC_DIO (of an asynchronous direct
    // write the kernel does not forget the pages that readers filled while it ran, at its end).
    let mut wanted = flag::ASYNC_READ
        | flag::BIG_WRITES
        | flag::PARALLEL_DIROPS
        | flag::MAX_PAGES
        | flag::CACHE_SYMLINKS
        | flag::EXPLICIT_INVAL_DATA
        | flag::HANDLE_KILLPRIV_V2
        | flag::SETXATTR_EXT
        | flag::INIT_EXT;
    wanted |= match settings.readdirplus {
        ReadDirPlus::Auto => flag::DO_READDIRPLUS | flag::READDIRPLUS_AUTO,
        ReadDirPlus::Always => flag::DO_READDIRPLUS,
        ReadDirPlus::Never => 0,
    };
    if settings.cache == Cache::WriteBack {
        wanted |= flag::WRITEBACK_CACHE;
    }
    if uring {
        wanted |= flag::OVER_IO_URING;
    }
    if settings.posix_acl {
        if offered & flag::POSIX_ACL == 0 {
            return Err("this kernel's FUSE has no POSIX ACLs".into());
        }
        // The mask does not apply below a default ACL: the `Vfs` decides (see `Caller::umask`).
        wanted |= flag::POSIX_ACL | flag::DONT_MASK;
    }
    let flags = wanted & offered;
    let many_pages = flags & flag::MAX_PAGES != 0;
    let out = InitOut {
        major: MAJOR,
        minor: MINOR.min(offer.minor),
        max_readahead: READ_AHEAD,
        flags: flags as u32,
        flags2: (flags >> 32) as u32,
        max_background: BACKGROUND,
        congestion_threshold: CONGESTED,
        max_write: if many_pages { MAX_PAYLOAD as u32 } else { WRITE_MAX_OLD },
        max_pages: if many_pages { MAX_PAGES } else { 0 },
        time_gran: 1,
        ..Default::default()
    };
    let agreed = Agreed {
        dialect: Dialect { setxattr_ext: flags & flag::SETXATTR_EXT != 0 },
        no_open: settings.no_open && offered & flag::NO_OPEN_SUPPORT != 0,
        no_opendir: offered & flag::NO_OPENDIR_SUPPORT != 0,
        uring: flags & flag::OVER_IO_URING != 0,
    };
    Ok((out, agreed))
}

impl<V: Vfs> Handler<V> {
    pub(super) fn init(&self, offer: &InitIn, reply: &mut Reply) -> Handled {
        let uring = self.uring.as_ref().is_some_and(|switch| switch.is_ready());
        match negotiate(offer, &self.settings, uring) {
            Ok((out, agreed)) if self.agreed.set(agreed).is_ok() => {
                let outcome = fits(reply.put(&out))?;
                self.lifecycle.enter(Phase::Serving);
                Ok(outcome)
            }
            Ok(_) => Err(Errno(libc::EPROTO)),
            Err(sentence) => {
                self.lifecycle.enter(Phase::Refused(sentence));
                Err(Errno(libc::EPROTO))
            }
        }
    }

    /// Where it is decided whether requests come by io_uring, if that is wanted.
    pub fn uring(&self) -> Option<&Switch> {
        self.uring.as_deref()
    }

    /// The answer to INIT was sent, or none will be: the threads of the queues may hand over their entries, or go.
    pub fn init_answered(&self) {
        if let Some(switch) = &self.uring {
            let used = self.agreed.get().is_some_and(|agreed| agreed.uring);
            switch.decide(used, NOT_OFFERED);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(minor: u32) -> InitIn {
        InitIn { major: 7, minor, flags: u32::MAX, flags2: u32::MAX, ..Default::default() }
    }

    #[test]
    fn asks_for_large_requests_and_never_for_atomic_truncation() {
        let (out, agreed) = negotiate(&offer(45), &Settings::default(), false).expect("agreed");
        assert_eq!((out.max_write, out.max_pages, out.max_readahead), (1 << 20, 256, 1 << 20));
        assert_eq!(u64::from(out.flags) & flag::ATOMIC_O_TRUNC, 0);
        assert_eq!(u64::from(out.flags) & (flag::WRITEBACK_CACHE | flag::POSIX_ACL | flag::ASYNC_DIO), 0);
        assert!(agreed.no_open && agreed.no_opendir && agreed.dialect.setxattr_ext);
    }

    #[test]
    fn io_uring_is_used_where_both_sides_can() {
        for (offered, able) in [(true, true), (true, false), (false, true)] {
            let offer = InitIn { flags2: if offered { u32::MAX } else { 0 }, ..offer(45) };
            let (out, agreed) = negotiate(&offer, &Settings::default(), able).expect("agreed");
            assert_eq!(agreed.uring, offered && able);
            assert_eq!(u64::from(out.flags2) << 32 & flag::OVER_IO_URING != 0, agreed.uring);
        }
    }

    #[test]
    fn takes_only_what_was_offered() {
        let bare = InitIn { flags: 0, ..offer(31) };
        let (out, agreed) = negotiate(&bare, &Settings::default(), true).expect("agreed");
        assert_eq!((out.flags, out.flags2, out.minor, out.max_write), (0, 0, 31, 128 << 10));
        assert!(!agreed.no_open && !agreed.no_opendir && !agreed.dialect.setxattr_ext);
    }

    #[test]
    fn refuses_a_kernel_too_old_in_a_sentence() {
        assert!(negotiate(&offer(30), &Settings::default(), false).unwrap_err().contains("7.30"));
        assert!(negotiate(&InitIn { major: 8, ..offer(45) }, &Settings::default(), false).is_err());
    }
}
