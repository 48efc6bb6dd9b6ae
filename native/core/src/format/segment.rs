//! A segment: another equation (V = 1, M = 0) for a run of a file's indices, in 16 bytes (docs/format.md 4).

use super::trajectory::{Equation, Window};
use crate::base::{BlockNumber, Code, DataNumber, Error, Result};

/// Bytes of a segment on disk.
pub const SEGMENT_SIZE: usize = 16;

/// First logical index that no segment or descriptor can name.
const INDEX_END: u64 = 1 << 48;

/// Bits of the packed number: N0, length, G2, copy.
const LENGTH_SHIFT: u32 = 48;
const GRAVITY_SHIFT: u32 = 80;
const COPY_SHIFT: u32 = 124;

/// Indices `first` to `first + len - 1` of one copy lie at `gravity` and the blocks after it,
/// wrapping at the end of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// N0, below 2^48.
    pub first: u64,
    /// Blocks, at least 1.
    pub len: u32,
    /// Home of `first`: a block of the window.
    pub gravity: DataNumber,
    /// 0 or 1.
    pub copy: u8,
}

impl Segment {
    /// First index behind it.
    pub fn end(&self) -> u64 {
        self.first + u64::from(self.len)
    }
    pub fn contains(&self, index: u64) -> bool {
        (self.first..self.end()).contains(&index)
    }
    /// Its equation; the argument of an address is `index - first`.
    pub fn equation(&self) -> Equation {
        Equation { gravity: self.gravity, stride: 1, scale: 0 }
    }

    /// The 16 bytes of the SEGMENTS extension.
    pub fn encode(&self, window: &Window) -> [u8; SEGMENT_SIZE] {
        let packed = u128::from(self.first)
            | u128::from(self.len) << LENGTH_SHIFT
            | u128::from(window.block(self.gravity).0) << GRAVITY_SHIFT
            | u128::from(self.copy) << COPY_SHIFT;
        packed.to_le_bytes()
    }

    /// Reads the 16 bytes.
    ///
    /// # Errors
    /// `Corrupt`: length 0, an index of 2^48 or above, G2 outside the window, or a copy above 1.
    pub fn decode(window: &Window, bytes: &[u8; SEGMENT_SIZE]) -> Result<Segment> {
        let packed = u128::from_le_bytes(*bytes);
        let field = |shift: u32, bits: u32| (packed >> shift) as u64 & ((1 << bits) - 1);
        let (first, len) = (field(0, 48), field(LENGTH_SHIFT, 32) as u32);
        let (block, copy) = (BlockNumber(field(GRAVITY_SHIFT, 44)), (packed >> COPY_SHIFT) as u8);
        let gravity = window.data(block).filter(|&data| !window.in_area(data));
        match gravity {
            Some(gravity) if len > 0 && copy <= 1 && first + u64::from(len) <= INDEX_END => {
                Ok(Segment { first, len, gravity, copy })
            }
            _ => {
                let text = format!("segment of {len} blocks at index {first}, G2 {}, copy {copy}", block.0);
                Err(Error::new(Code::Corrupt, text))
            }
        }
    }
}
