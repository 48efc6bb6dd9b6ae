//! hn4-fuse: serves any [`Vfs`](hn4_core::vfs::api::Vfs) to the Linux kernel over FUSE.
//!
//! ```text
//! session      mounts, runs threads, unmounts          (session.rs, mount/)
//! transport    moves requests and replies              (transport/: /dev/fuse, io_uring)
//! handler      one request -> one Vfs call             (handler/)
//! wire         bytes <-> requests and replies          (wire/, pure)
//! abi          records and numbers of linux/fuse.h     (abi/)
//! ```
//!
//! No globals, no signal handlers, nothing written to standard output.

pub mod abi;
mod bdi;
mod caller;
mod connection;
mod counters;
mod handler;
mod lifecycle;
mod mount;
mod notify;
mod refused;
mod session;
#[cfg(feature = "testing")]
pub mod testing;
mod transport;
pub mod wire;

pub use counters::Counters;
#[cfg(feature = "testing")]
pub use handler::UringFault;
pub use handler::{Cache, Log, ReadDirPlus, Settings};
pub use mount::{MountError, MountFlag, MountOptions, remount, unmount};
pub use session::Session;
pub use transport::{Transport, TransportChoice};
pub use wire::Validity;
