//! Where a burst of writes to one copy of one file goes (docs/design.md 3). Decisions only: the
//! blocks of a plan are allocated, and nothing else changes until the engine applies it.
//!
//! - New data continues the segment of the index before it, else goes home (shell 0), else becomes a
//!   segment; to shell 1 only if no segment can be stored.
//! - Overwrites of 64 blocks and more go home if home is free for all or 64 of them, else to a new
//!   segment if a run of 64 is free.
//! - Other overwrites go home if home is free, else to shell 1 unless another block of the file has
//!   its home there, else to the overwrite area, else into a segment. Blocks that leave the area follow the same rule without the area.
//! - A file without blocks, and one whose blocks are all replaced, gets a new G.

mod gravity;
mod planner;

pub use planner::LONG_RUN;

use super::{Allocator, Holder, Run};
use crate::base::{DataNumber, Result};
use crate::format::{Equation, Equations, Segment};

/// What is known about a file before a burst.
#[derive(Clone, Copy, Debug)]
pub struct FileState<'a> {
    /// The file, and the copy that is placed.
    pub holder: Holder,
    /// The equations as of the last plan applied. Copy 0 of a burst is planned and applied first.
    pub equations: &'a Equations,
    /// Live blocks of this copy, of every kind.
    pub owned: u64,
    /// Blocks of the file's size after the burst.
    pub size_blocks: u64,
    pub growth: Growth,
    /// V and M of new files (superblock).
    pub stride: u64,
    pub scale: u16,
    /// Segments that the extension region can still take for this file.
    pub segment_slots: u64,
}

/// Whether a file is expected to grow on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Growth {
    /// Created and closed at once, or not written at its end: reserves nothing.
    None,
    File,
    /// Reserves its own size while that is below 8 MiB.
    Directory,
}

/// What a write means for its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// The index had no block.
    New,
    /// It has a live block, which is freed when this one is live.
    Overwrite,
    /// Its block moves out of the overwrite area.
    Return,
}

/// Consecutive indices to place, all of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst {
    pub first: u64,
    /// Blocks, at least 1.
    pub len: u64,
    pub write: Write,
}

impl Burst {
    fn end(&self) -> u64 {
        self.first + self.len
    }
}

/// By what rule a reader finds a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Shell 0 of the equation that holds.
    Home,
    /// Shell 1 of the equation that holds.
    Far,
    /// The overwrite area.
    Area,
    /// A segment that the plan makes, or continues.
    Segment,
}

/// Indices `first` to `first + len - 1` at `data` and the blocks behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    pub first: u64,
    pub len: u64,
    pub data: DataNumber,
    pub place: Place,
}

impl Piece {
    pub fn end(&self) -> u64 {
        self.first + self.len
    }
    pub fn run(&self) -> Run {
        Run::new(self.data, self.len)
    }
}

/// Where a burst goes; its blocks are claimed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In the order of the burst.
    pub pieces: Vec<Piece>,
    /// The copy's new equation (G of the anchor, or `gravity_1`). All segments of the copy go, and
    /// `kmax` starts again from the plan's pieces. `None`: as before.
    pub equation: Option<Equation>,
}

impl Plan {
    /// Whether a piece lies at shell 1, so that `kmax` has to be 1.
    pub fn uses_far(&self) -> bool {
        self.pieces.iter().any(|piece| piece.place == Place::Far)
    }

    /// Blocks in the overwrite area.
    pub fn area_blocks(&self) -> u64 {
        self.pieces.iter().filter(|piece| piece.place == Place::Area).map(|piece| piece.len).sum()
    }

    /// Brings the file's equations to the state after the burst.
    pub fn apply(&self, equations: &mut Equations, copy: u8) {
        if let Some(equation) = self.equation {
            equations.segments.clear(copy);
            match copy {
                0 => equations.anchor = Some(equation),
                _ => equations.gravity_1 = Some(equation.gravity),
            }
        }
        for piece in self.pieces.iter().filter(|piece| piece.place == Place::Segment) {
            let len = u32::try_from(piece.len).expect("a piece is shorter than 2^32 blocks");
            equations.segments.insert(Segment { first: piece.first, len, gravity: piece.data, copy });
        }
    }

    /// Gives the blocks back: the transaction came to nothing.
    ///
    /// # Errors
    /// As [`Allocator::release`].
    pub fn undo(&self, allocator: &mut Allocator) -> Result<()> {
        self.pieces.iter().rev().try_for_each(|piece| allocator.release(piece.run()))
    }
}

/// Places a burst: runs in ascending order without overlap.
///
/// # Errors
/// `NoSpace`: no block is available (those freed by unproven transactions are not);
/// `ExtensionFull`: a segment is needed and `segment_slots` are used up; those of the free map's
/// source. The allocator's claims are then as before.
pub fn plan(allocator: &mut Allocator, file: &FileState, bursts: &[Burst]) -> Result<Plan> {
    planner::plan(allocator, file, bursts)
}

#[cfg(test)]
mod rules_test;
#[cfg(test)]
mod tests;
