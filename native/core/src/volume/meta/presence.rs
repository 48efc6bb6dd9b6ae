//! Presence of sparse files: which blocks exist, over the META block cache (docs/format.md 4).

use crate::base::Result;
use crate::format::layout::{self, FileState};
use crate::presence::{NodeBlocks, NodeBytes, Presence, node_index};
use crate::volume::Volume;
use crate::volume::inode::{Inode, InodeState};
use crate::volume::space::Purpose;

/// A file's presence nodes during one operation.
struct Nodes<'a> {
    volume: &'a Volume,
    inode: &'a Inode,
    state: &'a InodeState,
}

impl NodeBlocks for Nodes<'_> {
    fn read(&mut self, index: u64) -> Result<NodeBytes> {
        self.volume.meta_block(self.inode, self.state, index)
    }
    fn write(&mut self, index: u64, bytes: NodeBytes) {
        self.volume.put_meta(self.state, index, bytes);
    }
    fn remove(&mut self, index: u64) {
        self.state.meta.lock().remove(index);
    }
}

impl Volume {
    fn presence_of(&self, inode: &Inode, state: &InodeState) -> Result<Presence> {
        match state.presence {
            Some(presence) => Ok(presence),
            // Not sparse before its first blocks are placed: the buffer may hold content.
            None if !state.is_sparse() => Ok(Presence::empty(inode.ino)),
            None => Presence::load(inode.ino, &state.slot.file_state()?),
        }
    }

    fn nodes<'a>(&'a self, inode: &'a Inode, state: &'a InodeState) -> Nodes<'a> {
        Nodes { volume: self, inode, state }
    }

    /// Whether a placed block exists at `index`, and for how many indices that holds, at most `max`.
    pub(in crate::volume) fn presence_run(
        &self,
        inode: &Inode,
        state: &InodeState,
        index: u64,
        max: u64,
    ) -> Result<(bool, u64)> {
        if index >= layout::FILE_BLOCKS_MAX {
            return Ok((false, max));
        }
        self.presence_of(inode, state)?.run(&mut self.nodes(inode, state), index, max)
    }

    /// The first run of existing blocks in `index .. end`.
    pub(in crate::volume) fn next_present(
        &self,
        inode: &Inode,
        state: &InodeState,
        index: u64,
        end: u64,
    ) -> Result<Option<(u64, u64)>> {
        let presence = self.presence_of(inode, state)?;
        let mut nodes = self.nodes(inode, state);
        match presence.next_data(&mut nodes, index)? {
            Some(first) if first < end => {
                let (_, count) = presence.run(&mut nodes, first, end - first)?;
                Ok(Some((first, count)))
            }
            _ => Ok(None),
        }
    }

    /// Brings the nodes that `set_present` will change to memory.
    pub(in crate::volume) fn load_nodes(
        &self,
        inode: &Inode,
        state: &InodeState,
        first: u64,
        count: u64,
    ) -> Result<()> {
        if !state.is_sparse() {
            return Ok(());
        }
        let presence = self.presence_of(inode, state)?;
        let mut nodes = self.nodes(inode, state);
        presence.run(&mut nodes, first, 1)?;
        presence.run(&mut nodes, first + count - 1, 1).map(drop)
    }

    /// Changes which blocks of a sparse file exist.
    fn change_presence(
        &self,
        inode: &Inode,
        state: &mut InodeState,
        change: impl FnOnce(&mut Presence, &mut Nodes<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut presence = self.presence_of(inode, state)?;
        change(&mut presence, &mut self.nodes(inode, state))?;
        state.presence = Some(presence);
        state.slot_dirty = true;
        Ok(())
    }

    /// Blocks were placed: they exist from now on.
    pub(in crate::volume) fn set_present(
        &self,
        inode: &Inode,
        state: &mut InodeState,
        first: u64,
        count: u64,
    ) -> Result<()> {
        self.change_presence(inode, state, |presence, nodes| presence.set_range(nodes, first, count))
    }

    /// Blocks are being freed: they are holes from now on.
    pub(in crate::volume) fn clear_present(
        &self,
        inode: &Inode,
        state: &mut InodeState,
        first: u64,
        count: u64,
    ) -> Result<()> {
        self.change_presence(inode, state, |presence, nodes| presence.clear_range(nodes, first, count))
    }

    /// A file gets its first hole: from now on presence says what exists. An inline file waits until its
    /// content is placed.
    pub(in crate::volume) fn become_sparse(&self, inode: &Inode, state: &mut InodeState) -> Result<()> {
        if state.is_sparse() {
            return Ok(());
        }
        if state.is_inline() {
            state.sparse_when_placed = true;
            return Ok(());
        }
        let placed = state.placed_blocks();
        let mut presence = Presence::empty(inode.ino);
        if placed > 0 {
            let need = presence.worst_case_nodes(0, placed) * self.copies;
            self.need_meta(need)?;
            self.space.reserve(need, Purpose::System)?;
            state.meta_reserved += need;
            presence.set_range(&mut self.nodes(inode, state), 0, placed)?;
            self.release_meta(state);
        }
        state.presence = Some(presence);
        state.set(layout::DATA_CLASS_SPARSE, true);
        Ok(())
    }

    /// A file without blocks and size is dense again.
    pub(in crate::volume) fn stop_being_sparse(&self, state: &mut InodeState) {
        state.presence = None;
        state.slot.anchor.inline_buffer.fill(0);
        state.set(layout::DATA_CLASS_SPARSE, false);
    }

    /// Promises what the presence nodes of delayed blocks `first ..= last` may need: for each node of
    /// level 1 that is not there yet, once, itself and those above it.
    pub(in crate::volume) fn reserve_nodes(
        &self,
        inode: &Inode,
        state: &mut InodeState,
        first: u64,
        last: u64,
    ) -> Result<()> {
        if !state.is_sparse() && !state.sparse_when_placed {
            return Ok(());
        }
        let presence = self.presence_of(inode, state)?;
        for number in first / layout::PRESENCE_BITS..=last / layout::PRESENCE_BITS {
            let known = state.reserved_nodes.contains(&number) || {
                let meta = state.meta.lock();
                let index = node_index(1, number);
                meta.loaded.contains_key(&index) || meta.on_disk.contains(&index)
            };
            if known {
                continue;
            }
            let need = presence.worst_case_nodes(number * layout::PRESENCE_BITS, 1).div_ceil(2) * self.copies;
            self.space.reserve(need, Purpose::User)?;
            state.meta_reserved += need;
            state.reserved_nodes.insert(number);
        }
        Ok(())
    }

    /// After a placement: what was promised for nodes and not needed goes back.
    pub(in crate::volume) fn release_nodes(&self, state: &mut InodeState) {
        state.reserved_nodes.clear();
        self.release_meta(state);
    }

    /// Height and root for the anchor.
    pub(in crate::volume) fn presence_state(&self, inode: &Inode, state: &InodeState) -> Result<(u8, u64)> {
        let mut stored = FileState { gravity_1: 0, height: 0, root: 0 };
        self.presence_of(inode, state)?.store(&mut stored);
        Ok((stored.height, stored.root))
    }
}
