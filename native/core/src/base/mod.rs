//! Types every layer shares: errors, units.

mod error;
mod units;

pub use error::{Code, Error, Result};
pub use units::{BLOCK_SIZE, Block, Ino, Page};
