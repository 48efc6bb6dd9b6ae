//! The kernel's side of the conversation: records and numbers of linux/fuse.h, protocol 7.45
//! (Linux 6.18). Declared by hand because installed headers are often older than the running
//! kernel; every record's size is asserted.

pub mod flags;
pub mod ioctl;
pub mod opcode;
mod records;
mod requests;
pub mod uring;

pub use records::*;
pub use requests::*;

/// FUSE_KERNEL_VERSION.
pub const MAJOR: u32 = 7;
/// The newest minor version this crate speaks.
pub const MINOR: u32 = 45;
/// The oldest minor version it accepts: 7.31 (Linux 5.4) has every flag the session builds on.
pub const MINOR_MIN: u32 = 31;
/// FUSE_ROOT_ID.
pub const ROOT_ID: u64 = 1;
/// Bytes of a request's header.
pub const IN_HEADER: usize = size_of::<InHeader>();
/// Bytes of a reply's header.
pub const OUT_HEADER: usize = size_of::<OutHeader>();
/// FUSE_DEV_IOC_CLONE = _IOR(229, 0, uint32_t).
pub const DEV_IOC_CLONE: libc::c_ulong = 0x8004_e500;

/// Declares a record of fixed layout and asserts its size in bytes.
macro_rules! record {
    ($(#[$meta:meta])* $name:ident: $size:literal { $($field:ident: $type:ty),* $(,)? }) => {
        $(#[$meta])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, Default)]
        #[derive(zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::KnownLayout, zerocopy::Immutable)]
        pub struct $name { $(pub $field: $type),* }
        const _: () = assert!(size_of::<$name>() == $size);
    };
}
use record;
