//! Types every layer shares: errors, units, aligned buffers, checksums.

mod aligned;
mod block_buf;
mod checksum;
mod error;
mod memory;
mod pool;
mod shown;
mod siphash;
mod slab;
mod stop;
mod time;
mod units;

pub use aligned::AlignedBuf;
pub use block_buf::BlockBuf;
pub use checksum::{checksum_self_test, crc32c, crc32c_append};
pub use error::{Code, Error, Result};
pub use memory::give_memory_back;
pub use pool::{BufPool, POOLED_BLOCKS_MAX, PooledBuf};
pub use shown::shown;
pub use siphash::siphash24;
pub use slab::trim as trim_blocks;
pub use stop::Stop;
pub use time::{birth_time, now_ns};
pub use units::{BLOCK_SIZE, BlockNumber, CopyPage, DataNumber, Ino};
