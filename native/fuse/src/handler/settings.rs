//! What a session can be told about its manners.

use crate::wire::Validity;
use std::sync::Arc;

/// Receives one line per event that a person should see.
pub type Log = Arc<dyn Fn(&str) + Send + Sync>;

/// When listings carry attributes (READDIRPLUS).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadDirPlus {
    /// The kernel decides per directory: the first batch, then as long as the entries are used.
    #[default]
    Auto,
    Always,
    Never,
}

/// How the kernel caches written data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cache {
    /// Each write reaches the `Vfs` before it returns.
    #[default]
    WriteThrough,
    /// Writes gather in the page cache: faster overwrites, slower rename and unlink.
    WriteBack,
}

/// Settings of a session; `Default` is right for a volume with one mount.
#[derive(Clone)]
pub struct Settings {
    /// OPEN and RELEASE are not sent, unless a file that is immutable or append-only was met before the
    /// first OPEN. Takes away open()'s refusal of such files, so that what is written to them fails only
    /// when it arrives: false with [`Cache::WriteBack`], where others would read it meanwhile.
    pub no_open: bool,
    pub cache: Cache,
    pub readdirplus: ReadDirPlus,
    /// The kernel enforces ACLs, kept by the `Vfs` in `system.posix_acl_access` and `_default`.
    /// Without it these names are EOPNOTSUPP.
    pub posix_acl: bool,
    pub validity: Validity,
    pub log: Log,
    /// Breaks the set-up of io_uring, for tests.
    #[cfg(feature = "testing")]
    pub fault: Option<UringFault>,
}

/// A step of setting up io_uring that fails, in the thread of this number.
#[cfg(feature = "testing")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UringFault {
    /// The ring cannot be made.
    Ring(usize),
    /// The kernel refuses to take an entry.
    Register(usize),
}

/// A year: the kernel drops its caches earlier, for want of memory.
const LONG: u64 = 365 * 86_400;

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            no_open: true,
            cache: Cache::WriteThrough,
            readdirplus: ReadDirPlus::Auto,
            posix_acl: false,
            validity: Validity { entry: LONG, attr: LONG, negative: LONG },
            log: Arc::new(|line| eprintln!("hn4: {line}")),
            #[cfg(feature = "testing")]
            fault: None,
        }
    }
}
