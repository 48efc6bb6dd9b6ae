//! The memory behind [`super::BlockBuf`]: slabs of 256 aligned blocks.
//!
//! A general allocator spends up to 8 KiB on each aligned 4 KiB (its header sits in front of the
//! aligned address); a block cache cannot afford that. A slab without a user stays until it was not
//! needed for a while ([`trim`]): a stream of data takes and gives back hundreds of MiB between two
//! commits, and the first touch of fresh memory costs more than the copy into it.
//!
//! Invariants, under the lock: a bit in `free` is set iff no BlockBuf owns that block; `open` lists
//! exactly the slabs with a free block; `open[slab.open_at]` is the slab's own number;
//! `idle_low <= idle_count`.

use super::aligned::AlignedBlock;
use parking_lot::Mutex;
use std::alloc::{Layout, handle_alloc_error};
use std::ptr::NonNull;

/// Blocks in a slab (1 MiB).
const SLAB_BLOCKS: usize = 256;
const SLAB_BYTES: usize = SLAB_BLOCKS * size_of::<AlignedBlock>();
/// Slabs without a user that are kept, however long nobody needs them,
const IDLE_SLABS_MIN: usize = 4;
/// and that are kept at most: where nobody calls [`trim`].
const IDLE_SLABS_MAX: usize = 256;

struct Slab {
    /// SLAB_BLOCKS blocks from [`map`], for [`unmap`].
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
    /// The smallest `idle_count` since it was last looked at.
    idle_low: usize,
}

static SLABS: Mutex<Slabs> = Mutex::new(Slabs::new());

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
        // SAFETY: no block of it has an owner and the slab left the table, so nobody else can reach it.
        unsafe { unmap(slab.memory) };
    }
}

/// Gives back to the system what nobody has needed since the last call. To be called now and then.
pub fn trim() {
    let dead = SLABS.lock().trim();
    for slab in dead {
        // SAFETY: as in `release`.
        unsafe { unmap(slab.memory) };
    }
}

/// Memory of a slab. It is zeroed, by the system and when it is first touched. Ends the process where there is none,
/// as any allocation.
fn map() -> NonNull<AlignedBlock> {
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: a fresh anonymous private mapping, no existing memory is involved.
    let start = unsafe { libc::mmap(std::ptr::null_mut(), SLAB_BYTES, protection, flags, -1, 0) };
    let start = if start == libc::MAP_FAILED { None } else { NonNull::new(start.cast()) };
    start.unwrap_or_else(|| handle_alloc_error(Layout::new::<[AlignedBlock; SLAB_BLOCKS]>()))
}

/// # Safety
/// `memory` came from [`map`], and nobody has a pointer into it.
unsafe fn unmap(memory: NonNull<AlignedBlock>) {
    // SAFETY: a mapping of SLAB_BYTES, given up by the caller.
    unsafe { libc::munmap(memory.as_ptr().cast(), SLAB_BYTES) };
}

impl Slabs {
    const fn new() -> Slabs {
        Slabs { slots: Vec::new(), vacant: Vec::new(), open: Vec::new(), idle_count: 0, idle_low: 0 }
    }

    fn acquire(&mut self) -> Cell {
        let number = match self.open.last() {
            Some(&number) => number,
            None => self.grow(),
        };
        let slab = self.slots[number as usize].as_mut().expect("an open slab exists");
        if slab.free_count == SLAB_BLOCKS {
            self.idle_count -= 1;
            self.idle_low = self.idle_low.min(self.idle_count);
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
        Some(self.take_out(cell.slab))
    }

    /// Takes a slab without a user out of the table.
    fn take_out(&mut self, number: u32) -> Slab {
        let slab = self.slots[number as usize].take().expect("a slab of the table");
        let at = slab.open_at;
        self.open.swap_remove(at);
        if let Some(&moved) = self.open.get(at) {
            self.slots[moved as usize].as_mut().expect("an open slab exists").open_at = at;
        }
        self.vacant.push(number);
        slab
    }

    /// Takes the slabs out that were idle ever since the last call, but for a few.
    fn trim(&mut self) -> Vec<Slab> {
        let too_many = self.idle_low.saturating_sub(IDLE_SLABS_MIN);
        let is_idle = |number: &u32| {
            self.slots[*number as usize].as_ref().is_some_and(|slab| slab.free_count == SLAB_BLOCKS)
        };
        let idle: Vec<u32> = self.open.iter().copied().filter(is_idle).take(too_many).collect();
        let dead: Vec<Slab> = idle.into_iter().map(|number| self.take_out(number)).collect();
        self.idle_count -= dead.len();
        self.idle_low = self.idle_count;
        dead
    }

    fn grow(&mut self) -> u32 {
        let slab = Slab {
            memory: map(),
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
        assert!(slabs.idle_low <= idle);
        assert!(idle <= IDLE_SLABS_MAX + 1);
    }

    fn free(slab: Slab) {
        // SAFETY: as in `release`: mapped by `grow`, and out of the table.
        unsafe { unmap(slab.memory) };
    }

    #[test]
    fn slabs_grow_and_shrink_with_use_and_hand_out_each_block_once() {
        let mut slabs = Slabs::new();
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
            slabs.trim().into_iter().for_each(free);
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

    #[test]
    fn slabs_go_when_nobody_needed_them_for_a_while() {
        let mut slabs = Slabs::new();
        let burst = 20;
        let use_blocks = |slabs: &mut Slabs, count: usize| {
            let held: Vec<Cell> = (0..count * SLAB_BLOCKS).map(|_| slabs.acquire()).collect();
            held.iter().for_each(|cell| assert!(slabs.release(cell).is_none()));
        };
        use_blocks(&mut slabs, burst);
        slabs.trim().into_iter().for_each(free);
        assert_eq!(slabs.idle_count, burst, "needed since the last look");
        use_blocks(&mut slabs, burst - 3);
        slabs.trim().into_iter().for_each(free);
        assert_eq!(slabs.idle_count, burst, "three are fewer than are kept anyway");
        use_blocks(&mut slabs, 1);
        slabs.trim().into_iter().for_each(free);
        assert_eq!(slabs.idle_count, IDLE_SLABS_MIN + 1);
        slabs.trim().into_iter().for_each(free);
        assert_eq!(slabs.idle_count, IDLE_SLABS_MIN);
        check(&slabs);
        use_blocks(&mut slabs, burst);
        check(&slabs);
        slabs.slots.drain(..).flatten().for_each(free);
    }
}
