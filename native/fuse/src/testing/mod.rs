//! What tests that mount share, and the comparison of two directories by random system calls.

pub mod calls;
mod compare;
mod machine;

pub use compare::compare;
pub use machine::{LoopDevice, no_fuse, note, unmount_patiently};
