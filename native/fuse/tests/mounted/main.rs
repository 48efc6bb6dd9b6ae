//! The session end to end: `MemVfs` mounted and used by system calls.

mod attributes;
mod data;
mod failures;
mod forged;
mod helper;
mod hidden;
mod interrupts;
mod lifecycle;
mod listing;
mod marks;
mod modified;
mod names;
mod oracle;
mod permissions;
mod renames;
mod set_id;
mod set_id_calls;
mod stale;
mod support;
mod threads;
mod traffic;
mod uring;
mod xattrs;
