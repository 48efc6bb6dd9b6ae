//! The memory behind [`super::BlockBuf`]: slabs of 256 aligned blocks.
//!
//! A general allocator spends up to 8 KiB on each aligned 4 KiB (its header sits in front of the
//! aligned address); a block cache cannot afford that. A slab without a user is freed, except a few
//! that wait for the next burst.
//!
//! Invariants, under the lock: a bit in `free` is set iff no BlockBuf owns that block; `open` lists
//! exactly the slabs with a free block; `open[slab.open_at]` is the slab's own number.

use super::aligned::AlignedBlock;
use parking_lot::Mutex;
use std::ptr::NonNull;

/// Blocks in a slab (1 MiB).
const SLAB_BLOCKS: usize = 256;
/// Slabs without a user that are kept.
const IDLE_SLABS_MAX: usize = 4;

struct Slab {
    /// Start of a leaked `Box<[AlignedBlock]>` of SLAB_BLOCKS; `release` takes it back.
    memory: NonNull<AlignedBlock>,
    free: [u64; SLAB_BLOCKS / 64],
    free_count: usize,
    open_at: usize,
}

// SAFETY: `memory` is owned by the slab; its blocks are handed out one owner at a time.
unsafe impl Send for Slab {}

struct Slabs {
    slots: Vec<Option<Slab>>,
    /// Numbers of `slots` without a slab.
    vacant: Vec<u32>,
    open: Vec<u32>,
    idle_count: usize,
}

static SLABS: Mutex<Slabs> =
    Mutex::new(Slabs { slots: Vec::new(), vacant: Vec::new(), open: Vec::new(), idle_count: 0 });

/// One block that its holder owns alone until [`release`].
pub(super) struct Cell {
    pub(super) memory: NonNull<AlignedBlock>,
    slab: u32,
    index: u32,
}

/// Takes a block; its content is what the last owner left (zeros when new).
pub(super) fn acquire() -> Cell {
    SLABS.lock().acquire()
}

/// Gives a block back. The caller has no other pointer to it.
pub(super) fn release(cell: &Cell) {
    let dead = SLABS.lock().release(cell);
    if let Some(slab) = dead {
        // SAFETY: `memory` came from Box::leak of a slice of SLAB_BLOCKS in `grow`; no block of it
        // has an owner and the slab left the table, so nobody else can reach it.
        drop(unsafe { Box::from_raw(NonNull::slice_from_raw_parts(slab.memory, SLAB_BLOCKS).as_ptr()) });
    }
}

impl Slabs {
    fn acquire(&mut self) -> Cell {
        let number = match self.open.last() {
            Some(&number) => number,
            None => self.grow(),
        };
        let slab = self.slots[number as usize].as_mut().expect("an open slab exists");
        if slab.free_count == SLAB_BLOCKS {
            self.idle_count -= 1;
        }
        let word = slab.free.iter().position(|&w| w != 0).expect("an open slab has a free block");
        let index = word * 64 + slab.free[word].trailing_zeros() as usize;
        slab.free[word] &= slab.free[word] - 1;
        slab.free_count -= 1;
        if slab.free_count == 0 {
            self.open.pop();
        }
        // SAFETY: index < SLAB_BLOCKS, the number of blocks at `memory`.
        let memory = unsafe { slab.memory.add(index) };
        Cell { memory, slab: number, index: index as u32 }
    }

    fn release(&mut self, cell: &Cell) -> Option<Slab> {
        let slab = self.slots[cell.slab as usize].as_mut().expect("a block's slab exists");
        let index = cell.index as usize;
        debug_assert_eq!(slab.free[index / 64] & 1 << (index % 64), 0);
        slab.free[index / 64] |= 1 << (index % 64);
        slab.free_count += 1;
        if slab.free_count == 1 {
            slab.open_at = self.open.len();
            self.open.push(cell.slab);
        }
        if slab.free_count < SLAB_BLOCKS {
            return None;
        }
        if self.idle_count < IDLE_SLABS_MAX {
            self.idle_count += 1;
            return None;
        }
        let at = slab.open_at;
        self.open.swap_remove(at);
        if let Some(&moved) = self.open.get(at) {
            self.slots[moved as usize].as_mut().expect("an open slab exists").open_at = at;
        }
        self.vacant.push(cell.slab);
        self.slots[cell.slab as usize].take()
    }

    fn grow(&mut self) -> u32 {
        let memory = Box::leak(vec![AlignedBlock::ZERO; SLAB_BLOCKS].into_boxed_slice());
        let slab = Slab {
            memory: NonNull::from(memory).cast(),
            free: [u64::MAX; SLAB_BLOCKS / 64],
            free_count: SLAB_BLOCKS,
            open_at: self.open.len(),
        };
        let number = self.vacant.pop().unwrap_or_else(|| {
            self.slots.push(None);
            (self.slots.len() - 1) as u32
        });
        self.slots[number as usize] = Some(slab);
        self.open.push(number);
        self.idle_count += 1;
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Rng;

    fn check(slabs: &Slabs) {
        let open: Vec<u32> = slabs.open.clone();
        let mut idle = 0;
        for (number, slab) in slabs.slots.iter().enumerate() {
            let Some(slab) = slab else {
                assert!(slabs.vacant.contains(&(number as u32)) && !open.contains(&(number as u32)));
                continue;
            };
            let bits: u32 = slab.free.iter().map(|w| w.count_ones()).sum();
            assert_eq!(bits as usize, slab.free_count);
            idle += usize::from(slab.free_count == SLAB_BLOCKS);
            assert_eq!(open.contains(&(number as u32)), slab.free_count > 0);
            if slab.free_count > 0 {
                assert_eq!(open[slab.open_at], number as u32);
            }
        }
        assert_eq!(idle, slabs.idle_count);
        assert!(idle <= IDLE_SLABS_MAX + 1);
    }

    fn free(slab: Slab) {
        // SAFETY: as in `release`: leaked by `grow`, and out of the table.
        drop(unsafe { Box::from_raw(NonNull::slice_from_raw_parts(slab.memory, SLAB_BLOCKS).as_ptr()) });
    }

    #[test]
    fn slabs_grow_and_shrink_with_use_and_hand_out_each_block_once() {
        let mut slabs = Slabs { slots: Vec::new(), vacant: Vec::new(), open: Vec::new(), idle_count: 0 };
        let mut rng = Rng::new(1);
        let mut held: Vec<Cell> = Vec::new();
        for phase in 0..12 {
            for _ in 0..1500 {
                if rng.chance(if phase % 2 == 0 { 7 } else { 1 }, 8) {
                    let cell = slabs.acquire();
                    assert!(held.iter().all(|other| other.memory != cell.memory));
                    held.push(cell);
                } else if !held.is_empty() {
                    let at = rng.below(held.len() as u64) as usize;
                    if let Some(slab) = slabs.release(&held.swap_remove(at)) {
                        free(slab);
                    }
                }
            }
            check(&slabs);
        }
        for cell in held.drain(..) {
            if let Some(slab) = slabs.release(&cell) {
                free(slab);
            }
        }
        check(&slabs);
        let left: Vec<Slab> = slabs.slots.drain(..).flatten().collect();
        assert!(left.len() <= IDLE_SLABS_MAX);
        left.into_iter().for_each(free);
    }
}
