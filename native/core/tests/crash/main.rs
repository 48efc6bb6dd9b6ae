//! The durability proof: recorded workloads, cut at every write and flush, with any subset of the
//! unflushed writes, torn at 512 bytes; each state is opened and compared with what had to survive.
//!
//! `HN4_CRASH=workload:seed:cut:sample` looks at one state again. The long run is
//! `npm run test:crash`.

mod answers;
mod content;
mod faults;
mod flushes;
mod inside;
mod lane;
#[path = "../manifest/mod.rs"]
mod manifest;
mod named;
mod oracle;
mod orphans;
mod panics;
mod parents;
mod proof;
mod read_faults;
mod reader;
mod recovery_faults;
mod renames;
mod rescue;
mod rig;
mod ring;
mod states;
mod tree;
mod watch;
mod workloads;
