//! Where a block is: the equation (docs/format.md 4). Pure arithmetic, no state, no I/O.
//!
//! For every legal equation and shell, any phi(M) * 2^M consecutive indices have distinct
//! addresses: phi is prime and 1 <= V < phi, so N -> N * V mod phi is a permutation.

use super::layout::{SCALE_MAX, SHELLS, VOLUME_BLOCKS_MAX};
use super::prime::{is_prime, prime_at_most};
use crate::base::{BlockNumber, Code, DataNumber, Error, Result, siphash24};

/// The data blocks of a volume: the window, and the overwrite area behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    start: u64,
    blocks: u64,
    area_blocks: u64,
    phi: [u64; SCALE_MAX as usize + 1],
}

/// The numbers G, V, M of an anchor (a segment is one with V = 1, M = 0).
/// Legal for a window only if [`Window::check`] says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Equation {
    /// G as a data number: where logical index 0 is at shell 0.
    pub gravity: DataNumber,
    /// V, in clusters: 1 <= V < phi(M).
    pub stride: u64,
    /// M: clusters of 2^M blocks, at most 12.
    pub scale: u16,
}

/// The hash that places a file's far shell: SipHash of `T` and the 16 bytes of its seed_id.
pub fn seed_hash(hash_key: &[u8; 16], seed_id: &[u8; 16]) -> u64 {
    let mut message = [b'T'; 17];
    message[1..].copy_from_slice(seed_id);
    siphash24(hash_key, &message)
}

impl Window {
    /// The window of a superblock.
    ///
    /// # Errors
    /// `Corrupt`: `blocks` is no prime, `start` is 0, or the end lies beyond the largest volume.
    pub fn new(start: BlockNumber, blocks: u64, area_blocks: u64) -> Result<Window> {
        let fits = [blocks, area_blocks]
            .into_iter()
            .try_fold(start.0, |end, part| end.checked_add(part))
            .is_some_and(|end| end <= VOLUME_BLOCKS_MAX);
        if start.0 == 0 || !fits {
            let text = format!("window {} + {blocks} + {area_blocks} is no part of a volume", start.0);
            return Err(Error::new(Code::Corrupt, text));
        }
        if !is_prime(blocks) {
            return Err(Error::new(Code::Corrupt, format!("window of {blocks} blocks: not a prime")));
        }
        let phi = std::array::from_fn(|scale| prime_at_most(blocks >> scale).unwrap_or(0));
        Ok(Window { start: start.0, blocks, area_blocks, phi })
    }

    pub fn start(&self) -> BlockNumber {
        BlockNumber(self.start)
    }
    /// Blocks of the window: phi(0), a prime.
    pub fn blocks(&self) -> u64 {
        self.blocks
    }
    /// Blocks of the overwrite area, whose data numbers follow the window's.
    pub fn area_blocks(&self) -> u64 {
        self.area_blocks
    }
    /// Data blocks: window and area. Data numbers are below it.
    pub fn data_blocks(&self) -> u64 {
        self.blocks + self.area_blocks
    }
    /// Whether a data number lies in the overwrite area.
    pub fn in_area(&self, data: DataNumber) -> bool {
        data.0 >= self.blocks && data.0 < self.data_blocks()
    }
    /// The block of the device with this data number.
    pub fn block(&self, data: DataNumber) -> BlockNumber {
        BlockNumber(self.start + data.0)
    }
    /// The data number of a block; `None` if it is neither in the window nor in the area.
    pub fn data(&self, block: BlockNumber) -> Option<DataNumber> {
        let data = block.0.checked_sub(self.start)?;
        (data < self.data_blocks()).then_some(DataNumber(data))
    }

    /// phi(M): the largest prime number of clusters; 0 if M is not allowed in this window.
    pub fn phi(&self, scale: u16) -> u64 {
        self.phi.get(usize::from(scale)).copied().unwrap_or(0)
    }

    /// theta(k) in clusters. `k` is below [`SHELLS`]; readers check `kmax` when they decode it.
    pub fn theta(&self, k: u8, scale: u16, seed_hash: u64) -> u64 {
        debug_assert!(u64::from(k) < SHELLS);
        if k == 0 {
            return 0;
        }
        let phi = self.phi(scale);
        phi / 4 + seed_hash % (phi / 2).max(1)
    }

    /// Whether an equation is legal here.
    ///
    /// # Errors
    /// `Corrupt`: M above 12 or without a prime, V outside 1..phi(M), G not on a cluster below phi(M).
    pub fn check(&self, equation: Equation) -> Result<()> {
        let Equation { gravity, stride, scale } = equation;
        let phi = self.phi(scale);
        let cluster = gravity.0 >> scale.min(63);
        let legal = phi >= 2 && (1..phi).contains(&stride) && cluster < phi && cluster << scale == gravity.0;
        if legal {
            return Ok(());
        }
        let text = format!("G = window + {}, V = {stride}, M = {scale}: no legal equation", gravity.0);
        Err(Error::new(Code::Corrupt, text))
    }

    /// The equation with the G, V, M of an anchor.
    ///
    /// # Errors
    /// `Corrupt`: as [`Window::check`], or G is no block of the window.
    pub fn equation(&self, gravity_center: BlockNumber, stride: u64, scale: u16) -> Result<Equation> {
        let Some(gravity) = self.data(gravity_center).filter(|&data| !self.in_area(data)) else {
            let text = format!("G = {} is no block of the window", gravity_center.0);
            return Err(Error::new(Code::Corrupt, text));
        };
        let equation = Equation { gravity, stride, scale };
        self.check(equation)?;
        Ok(equation)
    }

    /// The data block of logical index `n` at shell `k` by a legal equation.
    #[inline]
    pub fn address(&self, equation: Equation, n: u64, k: u8, seed_hash: u64) -> DataNumber {
        let scale = equation.scale;
        let cluster = self.cluster(equation, n >> scale, k, seed_hash);
        DataNumber((cluster << scale) + (n & ((1 << scale) - 1)))
    }

    /// How many indices from `n` on, `n` itself counted, lie in consecutive data blocks by the
    /// equation: with V = 1 until the wrap at phi, else until the end of the cluster. At least 1.
    #[inline]
    pub fn contiguous(&self, equation: Equation, n: u64, k: u8, seed_hash: u64) -> u64 {
        let scale = equation.scale;
        let inside = n & ((1 << scale) - 1);
        if equation.stride != 1 {
            return (1 << scale) - inside;
        }
        let cluster = self.cluster(equation, n >> scale, k, seed_hash);
        ((self.phi(scale) - cluster) << scale) - inside
    }

    /// The G that puts logical index `n` at `data` (shell 0).
    ///
    /// `None`: `data` is no place for `n`, i.e. its cluster is phi(M) or above, or its place in the
    /// cluster differs from n's.
    pub fn gravity_for(&self, data: DataNumber, n: u64, stride: u64, scale: u16) -> Option<Equation> {
        let phi = self.phi(scale);
        if phi < 2 || (data.0 >> scale) >= phi || (data.0 ^ n) & ((1 << scale) - 1) != 0 {
            return None;
        }
        let phi = u128::from(phi);
        let advance = u128::from(n >> scale) * u128::from(stride) % phi;
        let cluster = (u128::from(data.0 >> scale) + phi - advance) % phi;
        Some(Equation { gravity: DataNumber((cluster as u64) << scale), stride, scale })
    }

    /// Cluster number of the `step`-th cluster of a file.
    #[inline]
    fn cluster(&self, equation: Equation, step: u64, k: u8, seed_hash: u64) -> u64 {
        let phi = self.phi(equation.scale);
        let base = (equation.gravity.0 >> equation.scale) + self.theta(k, equation.scale, seed_hash);
        let advance = step.checked_mul(equation.stride).and_then(|product| product.checked_add(base));
        match advance {
            Some(sum) => sum % phi,
            // The product reaches 2^92; u128 keeps it exact.
            None => {
                let sum = u128::from(step) * u128::from(equation.stride) + u128::from(base);
                (sum % u128::from(phi)) as u64
            }
        }
    }
}

#[cfg(test)]
#[path = "trajectory_test.rs"]
mod tests;
