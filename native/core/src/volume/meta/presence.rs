//! Presence of sparse files: which blocks exist, over the META block cache (docs/format.md 4).

use crate::base::Result;
use crate::format::layout::{self, FileState};
use crate::presence::{Edit, NodeBlocks, NodeBytes, NodeReads, Presence, node_index};
use crate::transaction::Transaction;
use crate::volume::Volume;
use crate::volume::inode::{InodeState, Locked, View};
use crate::volume::space::Purpose;

/// A file's presence nodes.
struct Nodes<'a> {
    volume: &'a Volume,
    file: View<'a>,
}

/// A file's presence nodes during a change.
struct ChangedNodes<'a> {
    nodes: Nodes<'a>,
    tx: &'a Transaction<'a>,
}

impl NodeReads for Nodes<'_> {
    fn read(&mut self, index: u64) -> Result<NodeBytes> {
        self.volume.meta_block(self.file, index)
    }
}

impl NodeReads for ChangedNodes<'_> {
    fn read(&mut self, index: u64) -> Result<NodeBytes> {
        self.nodes.read(index)
    }
}

impl NodeBlocks for ChangedNodes<'_> {
    fn write(&mut self, index: u64, bytes: NodeBytes) {
        self.nodes.volume.put_meta(self.tx, self.nodes.file, index, bytes);
    }
    fn remove(&mut self, index: u64) {
        self.nodes.file.meta.lock().remove(index);
    }
}

impl Volume {
    fn presence_of(&self, file: View<'_>) -> Result<Presence> {
        match file.presence {
            Some(presence) => Ok(presence),
            // Not sparse before its first blocks are placed: the buffer may hold content.
            None if !file.is_sparse() => Ok(Presence::empty(file.inode.ino)),
            None => Presence::load(file.inode.ino, &file.slot.file_state()?),
        }
    }

    fn nodes<'a>(&'a self, file: View<'a>) -> Nodes<'a> {
        Nodes { volume: self, file }
    }

    /// Whether a placed block exists at `index`, and for how many indices that holds, at most `max`.
    pub(in crate::volume) fn presence_run(
        &self,
        file: View<'_>,
        index: u64,
        max: u64,
    ) -> Result<(bool, u64)> {
        if index >= layout::FILE_BLOCKS_MAX {
            return Ok((false, max));
        }
        self.presence_of(file)?.run(&mut self.nodes(file), index, max)
    }

    /// The first run of existing blocks in `index .. end`.
    pub(in crate::volume) fn next_present(
        &self,
        file: View<'_>,
        index: u64,
        end: u64,
    ) -> Result<Option<(u64, u64)>> {
        let presence = self.presence_of(file)?;
        let mut nodes = self.nodes(file);
        match presence.next_data(&mut nodes, index)? {
            Some(first) if first < end => {
                let (_, count) = presence.run(&mut nodes, first, end - first)?;
                Ok(Some((first, count)))
            }
            _ => Ok(None),
        }
    }

    /// A change of which blocks of a sparse file exist, empty as yet.
    pub(in crate::volume) fn edit_presence(&self, file: View<'_>) -> Result<Edit> {
        Ok(Edit::of(self.presence_of(file)?))
    }

    /// Adds to an edit: blocks will exist.
    pub(in crate::volume) fn will_exist(
        &self,
        file: View<'_>,
        edit: &mut Edit,
        first: u64,
        count: u64,
    ) -> Result<()> {
        edit.set_range(&mut self.nodes(file), first, count)
    }

    /// Adds to an edit: blocks will be holes.
    pub(in crate::volume) fn will_be_holes(
        &self,
        file: View<'_>,
        edit: &mut Edit,
        first: u64,
        count: u64,
    ) -> Result<()> {
        edit.clear_range(&mut self.nodes(file), first, count)
    }

    /// Carries an edit out, of a file that has not changed since.
    pub(in crate::volume) fn change_presence(&self, tx: &Transaction<'_>, file: &mut Locked<'_>, edit: Edit) {
        let presence = edit.carry_out(&mut ChangedNodes { nodes: self.nodes(file.view()), tx });
        file.presence = Some(presence);
        file.slot_dirty = true;
    }

    /// A file gets its first hole: from now on presence says what exists. An inline file waits until its
    /// content is placed.
    pub(in crate::volume) fn become_sparse(&self, tx: &Transaction<'_>, file: &mut Locked<'_>) -> Result<()> {
        if file.is_sparse() {
            return Ok(());
        }
        if file.is_inline() {
            file.sparse_when_placed = true;
            return Ok(());
        }
        let placed = file.placed_blocks();
        let presence = Presence::empty(file.inode.ino);
        let mut edit = Edit::of(presence);
        if placed > 0 {
            let need = presence.worst_case_nodes(0, placed) * self.copies;
            self.space.need_meta(need)?;
            self.will_exist(file.view(), &mut edit, 0, placed)?;
            self.space.reserve(need, Purpose::System)?;
            file.meta_reserved += need;
        }
        self.change_presence(tx, file, edit);
        if placed > 0 {
            self.release_meta(file);
        }
        file.set(layout::DATA_CLASS_SPARSE, true);
        Ok(())
    }

    /// A file without blocks and size is dense again.
    pub(in crate::volume) fn stop_being_sparse(&self, state: &mut InodeState) {
        state.presence = None;
        state.slot.anchor.inline_buffer.fill(0);
        state.set(layout::DATA_CLASS_SPARSE, false);
    }

    /// Reserves what the presence nodes of delayed blocks `first ..= last` may need: for each node of
    /// level 1 that is not there yet, once, itself and those above it.
    pub(in crate::volume) fn reserve_nodes(
        &self,
        file: &mut Locked<'_>,
        first: u64,
        last: u64,
    ) -> Result<()> {
        if !file.is_sparse() && !file.sparse_when_placed {
            return Ok(());
        }
        let presence = self.presence_of(file.view())?;
        for number in first / layout::PRESENCE_BITS..=last / layout::PRESENCE_BITS {
            let known = file.reserved_nodes.contains(&number) || {
                let meta = file.meta.lock();
                let index = node_index(1, number);
                meta.is_loaded(index) || meta.on_disk.contains(&index)
            };
            if known {
                continue;
            }
            let need = presence.worst_case_nodes(number * layout::PRESENCE_BITS, 1).div_ceil(2) * self.copies;
            self.space.reserve(need, Purpose::User)?;
            file.meta_reserved += need;
            file.reserved_nodes.insert(number);
        }
        Ok(())
    }

    /// After a placement: what was reserved for nodes and not needed goes back.
    pub(in crate::volume) fn release_nodes(&self, state: &mut InodeState) {
        state.reserved_nodes.clear();
        self.release_meta(state);
    }

    /// Height and root for the anchor.
    pub(in crate::volume) fn presence_state(&self, file: View<'_>) -> Result<(u8, u64)> {
        let mut stored = FileState { gravity_1: 0, height: 0, root: 0 };
        self.presence_of(file)?.store(&mut stored);
        Ok((stored.height, stored.root))
    }
}
