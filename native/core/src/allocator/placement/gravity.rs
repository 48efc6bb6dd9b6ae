//! G of a file that owns no block, or gets all of them anew.

use super::Burst;
use super::planner::Planner;
use crate::allocator::Run;
use crate::base::{Code, DataNumber, Error, Result};
use crate::format::Equation;

/// Places tried for an equation whose blocks do not lie behind each other.
const PROBES: u64 = 20;
/// Blocks of the burst that a probe looks at.
const PROBE_BLOCKS: u64 = 4096;

impl Planner<'_> {
    /// Chooses the equation. Nothing is claimed yet.
    pub(super) fn seed_gravity(&mut self, bursts: &[Burst]) -> Result<()> {
        // Copy 1 shares V and M with copy 0; a file that moves keeps them.
        let known = self.file.equations.anchor;
        let (stride, scale) = known.map_or((self.file.stride, self.file.scale), |e| (e.stride, e.scale));
        let fresh = match (stride, scale) {
            (1, 0) => self.first_fit(bursts)?,
            _ => self.best_probe(bursts, stride, scale)?,
        };
        self.fresh = Some(fresh);
        Ok(())
    }

    /// V = 1, M = 0: the first index lands on the first run with room for the burst.
    fn first_fit(&mut self, bursts: &[Burst]) -> Result<Equation> {
        let first = bursts[0].first;
        let want = leading_span(bursts) + self.growth_wish();
        self.allocator.drop_growth_window(self.file.holder)?;
        let found = self.search(want, 1)?;
        let place = found.and_then(|run| self.window.gravity_for(run.start, first, 1, 0));
        place.ok_or_else(|| Error::from(Code::NoSpace))
    }

    /// Other V or M: of 20 places spread over the window by the file's hash, the one where most of
    /// the burst is free.
    fn best_probe(&mut self, bursts: &[Burst], stride: u64, scale: u16) -> Result<Equation> {
        let first = bursts[0].first;
        let phi = self.window.phi(scale);
        let old = self.file.equations.anchor_of(self.file.holder.copy).map_or(0, |e| e.gravity.0 + 1);
        let mut best: Option<(u64, Equation)> = None;
        for probe in 0..PROBES {
            let seed = self.file.equations.seed_hash ^ old.rotate_left(32) ^ first.rotate_left(16);
            let cluster = mix(seed.wrapping_add(probe.wrapping_mul(0x9e37_79b9_7f4a_7c15))) % phi.max(1);
            let data = DataNumber((cluster << scale) + (first & ((1 << scale) - 1)));
            let Some(equation) = self.window.gravity_for(data, first, stride, scale) else { break };
            let (seen, free) = self.free_blocks(bursts, equation)?;
            if best.is_none_or(|(most, _)| free > most) {
                best = Some((free, equation));
            }
            if free == seen {
                break;
            }
        }
        let illegal =
            || Error::new(Code::InvalidArgument, format!("M = {scale} has no place in this window"));
        best.map(|(_, equation)| equation).ok_or_else(illegal)
    }

    /// Of the first blocks of a burst: how many were looked at, how many have a free home.
    fn free_blocks(&mut self, bursts: &[Burst], equation: Equation) -> Result<(u64, u64)> {
        let (mut seen, mut free) = (0, 0);
        for burst in bursts {
            let mut index = burst.first;
            while index < burst.end() && seen < PROBE_BLOCKS {
                let data = self.window.address(equation, index, 0, 0);
                let count = self.window.contiguous(equation, index, 0, 0).min(burst.end() - index);
                free += count - self.allocator.busy_blocks(Run::new(data, count))?;
                seen += count;
                index += count;
            }
        }
        Ok((seen, free))
    }
}

/// Blocks from the first index to the end of the part of the burst that is at least half dense:
/// holes in between need room too, an index far off does not.
fn leading_span(bursts: &[Burst]) -> u64 {
    let first = bursts[0].first;
    let (mut span, mut blocks) = (0, 0);
    for burst in bursts {
        blocks += burst.len;
        if burst.end() - first > 2 * blocks {
            break;
        }
        span = burst.end() - first;
    }
    span
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
