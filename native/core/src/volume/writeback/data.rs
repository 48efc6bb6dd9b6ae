//! Placing delayed data: asks the placement rules, allocates, and brings descriptors, equations and
//! the anchor to the new state; the writes are handed to the queue.

use crate::allocator::Holder;
use crate::allocator::placement::{self, Burst, FileState, Growth, Piece, Place, Plan, Write};
use crate::base::{Code, DataNumber, Result};
use crate::device::{Run as WriteRun, Ticket};
use crate::format::{Equations, layout};
use crate::pages::CachedPage;
use crate::presence::Edit;
use crate::transaction::{Transaction, cost};
use crate::volume::Volume;
use crate::volume::blocks::BlockKey;
use crate::volume::blocks::{Extent, Leaving};
use crate::volume::inode::{BlockBytes, Delayed, Inode, InodeState, Locked, View};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A delayed run that grows a file by so much is taken for one that goes on growing (8 MiB).
const GROWTH_BLOCKS: usize = 2048;

/// What holds the delayed blocks' indices now.
struct Present {
    bursts: Vec<Burst>,
    /// Blocks to be freed.
    replaced: Vec<Leaving>,
    /// Of a sparse file that gets new blocks.
    presence: Option<Edit>,
    /// Preallocated blocks that take their first write in place.
    in_place: Vec<Piece>,
}

/// How much of a file's delayed data a placement takes.
pub(in crate::volume) struct Share {
    /// Blocks, from the first index on.
    pub max: u64,
    /// Of these, short overwrites, which may all go to the overwrite area.
    pub area: u64,
    /// Only blocks whose present place is in the overwrite area.
    pub only_area: bool,
    /// Log bytes that the record has for them. One block is placed even so.
    pub log: u64,
}

/// Blocks of one copy of a file that want places.
pub(in crate::volume) struct Wanted<'a> {
    pub copy: u8,
    pub bursts: &'a [Burst],
    pub growth: Growth,
    /// Log bytes that the record has for them.
    pub log: u64,
}

/// A placement to be carried out.
pub(in crate::volume) struct Placement<'a> {
    pub copy: u8,
    pub plan: &'a Plan,
    pub bytes: &'a dyn Fn(u64) -> BlockBytes,
}

impl Volume {
    /// Places what is delayed of a file, as much as `take` allows; returns the blocks. NoSpace: nothing changed.
    pub(in crate::volume) fn place_data(
        &self,
        tx: &Transaction<'_>,
        file: &mut Locked<'_>,
        take: &Share,
        tickets: &mut Vec<Ticket>,
    ) -> Result<u64> {
        if file.dirty.is_empty() {
            return Ok(0);
        }
        // An fsync from now on waits for the transaction that these blocks belong to.
        self.mark(tx, file);
        if self.keep_inline(file) {
            return Ok(0);
        }
        let mut dirty = self.choose(file, take);
        if dirty.is_empty() {
            return Ok(0);
        }
        let (plan, present) = loop {
            match self.plan_blocks(tx, file, &dirty, take.log) {
                Ok(planned) => break planned,
                // The record has no room for all of them: the second half stays for the next one.
                Err(error) if error.code == Code::Busy && dirty.len() > 1 => {
                    let middle = *dirty.keys().nth(dirty.len() / 2).expect("there are two");
                    file.dirty.append(&mut dirty.split_off(&middle));
                }
                Err(error) => {
                    file.dirty.append(&mut dirty);
                    return Err(error);
                }
            }
        };
        self.leave_inline(file);
        let bytes = |index: u64| dirty[&index].block.clone();
        let mut runs = self.carry_out(tx, file, &Placement { copy: 0, plan: &plan, bytes: &bytes })?;
        for piece in &present.in_place {
            runs.push(self.set_piece(tx, file.inode, piece, 0, &bytes)?);
        }
        // The counts stay: their indices have new ones.
        for leaving in present.replaced {
            self.blocks.free(tx, leaving);
        }
        let new = dirty.values().filter(|delayed| delayed.new).count() as u64;
        self.space.placed(new);
        file.slot.attributes.blocks += new;
        if let Some(edit) = present.presence {
            self.change_presence(tx, file, edit);
        }
        file.new_delayed -= new;
        if file.new_delayed == 0 {
            self.release_nodes(file);
        }
        let count = dirty.len() as u64;
        self.dirty_blocks.fetch_sub(count, Ordering::Relaxed);
        self.commits.stats.data_blocks.fetch_add(count, Ordering::Relaxed);
        let txn = tx.number();
        file.in_flight.extend(dirty.into_iter().map(|(index, delayed)| (index, (txn, delayed.block))));
        self.advance_mass(file);
        tickets.push(self.queue.submit_soon(runs));
        Ok(count)
    }

    /// Where the chosen blocks go, and what stands at their indices. After it nothing can fail for want of room.
    /// Busy: the record has no room for so many; nothing changed.
    fn plan_blocks(
        &self,
        tx: &Transaction<'_>,
        file: &mut Locked<'_>,
        dirty: &BTreeMap<u64, Delayed>,
        log: u64,
    ) -> Result<(Plan, Present)> {
        let present = self.present(file.view(), dirty)?;
        let mut held = Vec::new();
        for piece in &present.in_place {
            self.blocks.prepare(piece.data, piece.len, &mut held)?;
        }
        let nodes = present.presence.as_ref().map_or(0, Edit::node_count);
        let pieces: u64 = present.in_place.iter().map(|piece| self.log_of_piece(piece)).sum();
        let beside = pieces + present.replaced.len() as u64 * cost::FREE + nodes * self.log_of_meta();
        let log = if dirty.len() > 1 { log.saturating_sub(beside) } else { u64::MAX };
        let growth = growth(file, dirty);
        let wanted = Wanted { copy: 0, bursts: &present.bursts, growth, log };
        let plan = self.plan_file(tx, file, &wanted, &mut held)?;
        Ok((plan, present))
    }

    /// Takes the delayed blocks out that are placed now.
    fn choose(&self, file: &mut Locked<'_>, take: &Share) -> BTreeMap<u64, Delayed> {
        if !take.only_area {
            let end = burst_end(file, take);
            let later = file.dirty.split_off(&end);
            return std::mem::replace(&mut file.dirty, later);
        }
        let in_area = |index: &u64| {
            self.blocks.in_overwrites(&BlockKey { owner: file.inode.ino, index: *index, copy: 0 })
        };
        let indices: Vec<u64> = file.dirty.keys().copied().filter(in_area).take(take.max as usize).collect();
        indices.into_iter().filter_map(|index| file.dirty.remove_entry(&index)).collect()
    }

    /// Content of up to 28 bytes goes into the anchor.
    fn keep_inline(&self, state: &mut InodeState) -> bool {
        let small = state.size <= layout::INLINE_MAX && state.slot.attributes.blocks == 0;
        if !small || state.is_sparse() || state.sparse_when_placed {
            return false;
        }
        let size = state.size as usize;
        let mut content = [0; layout::INLINE_MAX as usize];
        if let Some(delayed) = state.dirty.get(&0) {
            content[..size].copy_from_slice(&delayed.block[..size]);
        }
        let indices: Vec<u64> = state.dirty.keys().copied().collect();
        for index in indices {
            self.drop_delayed(state, index);
        }
        state.slot.anchor.inline_buffer = content;
        state.slot.anchor.mass = state.size;
        state.set(layout::DATA_CLASS_INLINE, size > 0);
        true
    }

    /// The file's content moves from the anchor to blocks, in this transaction.
    fn leave_inline(&self, state: &mut InodeState) {
        if state.is_inline() {
            state.set(layout::DATA_CLASS_INLINE, false);
            state.slot.anchor.inline_buffer.fill(0);
            state.slot.anchor.mass = 0;
        }
        if std::mem::take(&mut state.sparse_when_placed) {
            state.set(layout::DATA_CLASS_SPARSE, true);
        }
    }

    /// Sorts the delayed blocks by what their indices own now.
    fn present(&self, file: View<'_>, dirty: &BTreeMap<u64, Delayed>) -> Result<Present> {
        let mut found =
            Present { bursts: Vec::new(), replaced: Vec::new(), presence: None, in_place: Vec::new() };
        let indices = |new| {
            runs_of(dirty.iter().filter(move |(_, delayed)| delayed.new == new).map(|(index, _)| *index))
        };
        let (new, old) = (indices(true), indices(false));
        if file.is_sparse() || file.sparse_when_placed {
            let mut edit = self.edit_presence(file)?;
            for (first, count) in &new {
                self.will_exist(file, &mut edit, *first, *count)?;
            }
            found.presence = Some(edit);
        }
        found.bursts.extend(new.into_iter().map(|(first, len)| Burst { first, len, write: Write::New }));
        for (first, len) in old {
            let mut index = first;
            while index < first + len {
                let key = BlockKey { owner: file.inode.ino, index, copy: 0 };
                let extent = self.blocks.find_run(key, file.candidates(), first + len - index, |_| ())?;
                let count = extent.map_or(1, |extent| extent.count);
                match extent {
                    Some(Extent { data, written: false, .. }) => {
                        found.in_place.push(Piece { first: index, len: count, data, place: Place::Home });
                    }
                    Some(Extent { data, written: true, .. }) => {
                        // The map must not be older than the descriptors: that would be a lost write.
                        self.blocks.prepare(data, count, &mut Vec::new())?;
                        found.replaced.push(self.blocks.prepare_free(key, data, count)?);
                        let write = self.overwrite_kind(&file, data);
                        found.bursts.push(Burst { first: index, len: count, write });
                    }
                    // Lost to damage: the new block takes its place; it was counted all along.
                    None => found.bursts.push(Burst { first: index, len: count, write: Write::Overwrite }),
                }
                index += count;
            }
        }
        found.bursts.sort_unstable_by_key(|burst| burst.first);
        join(&mut found.bursts);
        Ok(found)
    }

    /// Blocks that leave the overwrite area may not go there again.
    pub(super) fn overwrite_kind(&self, state: &InodeState, old: DataNumber) -> Write {
        let leaves = state.leaves_overwrites && self.blocks.window().in_area(old);
        if leaves { Write::Return } else { Write::Overwrite }
    }

    /// Asks where bursts go. If the extension region cannot take the segments, then without any. Busy: the record
    /// has no room for that; nothing changed.
    pub(in crate::volume) fn plan_file(
        &self,
        tx: &Transaction<'_>,
        file: &mut Locked<'_>,
        wanted: &Wanted<'_>,
        held: &mut Vec<Arc<CachedPage>>,
    ) -> Result<Plan> {
        let Wanted { copy, bursts, growth, log } = *wanted;
        if bursts.is_empty() {
            self.check_log(&[], held, log)?;
            return Ok(Plan::default());
        }
        let owned = self.owned(file.view(), bursts)?;
        let is_meta = file.inode.is_meta(bursts[0].first);
        let slots = self.segment_slots(is_meta);
        let inode = file.inode;
        let mut ask = |equations: &Equations, size_blocks, segment_slots| {
            let file = FileState {
                holder: Holder { owner: inode.ino, copy },
                equations,
                owned,
                size_blocks,
                growth,
                stride: self.geometry.stride,
                scale: self.geometry.scale,
                segment_slots,
            };
            // The last that can fail: after it, equations and descriptors change together.
            let plan = self.blocks.plan(&file, bursts, held)?;
            if let Err(error) = self.check_log(&plan.pieces, held, log) {
                self.blocks.undo(&plan)?;
                return Err(error);
            }
            Ok(plan)
        };
        let plan = ask(&file.equations, file.size_blocks(), slots)?;
        let mut next = file.equations.clone();
        plan.apply(&mut next, copy);
        let changes_segments = !next.segments.is_empty() || !file.equations.segments.is_empty();
        if changes_segments {
            match self.write_segments(tx, file, &next) {
                Ok(()) => {}
                Err(error) => {
                    self.blocks.undo(&plan)?;
                    if error.code != Code::ExtensionFull || slots == 0 {
                        return Err(error);
                    }
                    let plan = ask(&file.equations, file.size_blocks(), 0)?;
                    plan.apply(&mut file.equations, copy);
                    return Ok(plan);
                }
            }
        }
        file.equations = next;
        Ok(plan)
    }

    /// Blocks of one copy that the file owns. Who rewrites them all gets a new place for all, so a count that damage
    /// made too low must not say that these are all: that of a sparse file is held against its presence.
    fn owned(&self, file: View<'_>, bursts: &[Burst]) -> Result<u64> {
        let blocks = file.slot.attributes.blocks;
        if file.inode.is_directory() {
            return Ok(if file.equations.gravity_1.is_some() { blocks / 2 } else { blocks });
        }
        if !file.is_sparse() {
            return Ok(blocks);
        }
        match self.presence_state(file)? {
            (0, root) => Ok(u64::from(root.count_ones())),
            // The nodes beside the data, or the data beside the nodes.
            _ => Ok(blocks.max(bursts.iter().map(|burst| burst.len).sum::<u64>() + 1)),
        }
    }

    /// Makes a plan's blocks live and returns their writes.
    pub(super) fn carry_out(
        &self,
        tx: &Transaction<'_>,
        file: &mut Locked<'_>,
        placement: &Placement<'_>,
    ) -> Result<Vec<WriteRun>> {
        let far = placement.plan.uses_far();
        // kmax holds for both copies: a new G of one says nothing of the other's shells.
        if placement.plan.equation.is_some() && placement.copy == 0 && file.equations.gravity_1.is_none() {
            file.slot.set_kmax(u8::from(far));
        } else if far {
            file.slot.set_kmax(1);
        }
        let mut runs = Vec::with_capacity(placement.plan.pieces.len());
        for piece in &placement.plan.pieces {
            let counter = match piece.place {
                Place::Home => &self.commits.stats.at_home,
                Place::Far => &self.commits.stats.at_shell,
                Place::Area => &self.commits.stats.in_area,
                Place::Segment => &self.commits.stats.in_segment,
            };
            counter.fetch_add(piece.len, Ordering::Relaxed);
            runs.push(self.set_piece(tx, file.inode, piece, placement.copy, placement.bytes)?);
        }
        Ok(runs)
    }

    fn set_piece(
        &self,
        tx: &Transaction<'_>,
        inode: &Inode,
        piece: &Piece,
        copy: u8,
        bytes: &dyn Fn(u64) -> BlockBytes,
    ) -> Result<WriteRun> {
        let blocks = (piece.first..piece.end()).map(bytes).collect();
        let place = inode.place(piece.first, copy);
        let (run, stamps) = self.blocks.coder().store(piece.data, &place, blocks);
        self.blocks.make_live(tx, piece.data, &place, piece.len, &stamps)?;
        Ok(run)
    }
}

/// Whether the file is taken for one that goes on growing.
fn growth(state: &InodeState, dirty: &BTreeMap<u64, Delayed>) -> Growth {
    let placed = state.placed_blocks();
    let appended = dirty.keys().next_back().is_some_and(|last| *last >= placed);
    if appended && (placed > 0 || dirty.len() >= GROWTH_BLOCKS) { Growth::File } else { Growth::None }
}

/// Where a placement ends. Beyond the overwrite area's share each short overwrite would become a segment; after
/// the commit the homes that this one frees are there for the next.
fn burst_end(state: &InodeState, take: &Share) -> u64 {
    let (mut left, mut short) = (take.max, 0);
    let mut dirty = state.dirty.iter().peekable();
    while let Some((first, delayed)) = dirty.next() {
        let mut len = 1;
        while dirty.next_if(|(i, d)| **i == first + len && d.new == delayed.new).is_some() {
            len += 1;
        }
        if !delayed.new && len < placement::LONG_RUN {
            short += len;
            if short > take.area {
                return first + len - (short - take.area);
            }
        }
        if len >= left {
            return first + left;
        }
        left -= len;
    }
    u64::MAX
}

/// Consecutive indices as (first, count).
pub(in crate::volume) fn runs_of(indices: impl Iterator<Item = u64>) -> Vec<(u64, u64)> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for index in indices {
        match runs.last_mut() {
            Some((first, count)) if *first + *count == index => *count += 1,
            _ => runs.push((index, 1)),
        }
    }
    runs
}

/// Neighbouring bursts of one kind become one.
pub(in crate::volume) fn join(bursts: &mut Vec<Burst>) {
    bursts.dedup_by(|next, burst| {
        let continues = burst.first + burst.len == next.first && burst.write == next.write;
        if continues {
            burst.len += next.len;
        }
        continues
    });
}
