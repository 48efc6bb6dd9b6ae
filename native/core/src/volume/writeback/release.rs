//! What a file gives back, as a value: found and loaded first, which can fail and changes nothing; carried out
//! then, which cannot fail.

use crate::base::{DataNumber, Result};
use crate::extension::Change as ChainChange;
use crate::format::{Equations, layout};
use crate::presence::Edit;
use crate::transaction::Transaction;
use crate::volume::Volume;
use crate::volume::blocks::{BlockKey, Leaving};
use crate::volume::inode::{ExtensionChange, Locked, View};
use std::collections::BTreeSet;

/// Blocks of a file that will be freed, as far as they are found.
#[derive(Default)]
pub(in crate::volume) struct Found {
    blocks: Vec<Leaving>,
    /// Blocks that damage took away: the file must not count them as owned for ever.
    lost: u64,
    /// Of a sparse file whose blocks go.
    pub presence: Option<Edit>,
    /// Indices that no segment needs to cover any more: first, end, copy.
    uncovered: Vec<(u64, u64, u8)>,
    /// META blocks that go.
    meta: BTreeSet<u64>,
}

impl Found {
    /// The block at the next index is found nowhere.
    pub fn lose(&mut self, count: u64) {
        self.lost += count;
    }
    /// Indices `first .. end` of data will hold nothing.
    pub fn uncover(&mut self, first: u64, end: u64) {
        self.uncovered.push((first, end, 0));
    }
    /// Blocks that the file owns less.
    fn count(&self) -> u64 {
        self.lost + self.blocks.iter().map(Leaving::count).sum::<u64>()
    }
}

/// What a file is about to give back, with everything that has to be in memory for it. Made by
/// [`Volume::plan_release`]; dropped, it changes nothing.
pub(in crate::volume) struct Release<'a> {
    found: Found,
    /// Blocks that it owns then.
    left: u64,
    /// Where its other blocks are; `None`: as before.
    equations: Option<Equations>,
    /// It owns nothing any more.
    empties: bool,
    extension: Option<ExtensionChange<'a>>,
}

impl Volume {
    /// Adds a run of blocks, of which the first holds `key`.
    pub(in crate::volume) fn will_free(
        &self,
        found: &mut Found,
        key: BlockKey,
        data: DataNumber,
        count: u64,
    ) -> Result<()> {
        found.blocks.push(self.blocks.prepare_free(key, data, count)?);
        Ok(())
    }

    /// Adds META blocks, in all copies.
    pub(in crate::volume) fn will_free_meta(
        &self,
        found: &mut Found,
        file: View<'_>,
        indices: impl IntoIterator<Item = u64>,
    ) -> Result<()> {
        for index in indices {
            for copy in 0..self.copies as u8 {
                let key = BlockKey { owner: file.inode.ino, index, copy };
                match self.blocks.find(key, file.candidates())? {
                    Some((data, _)) => self.will_free(found, key, data, 1)?,
                    None => found.lose(1),
                }
                found.uncovered.push((index, index + 1, copy));
            }
            found.meta.insert(index);
        }
        Ok(())
    }

    /// Everything else that changes with the blocks found: equations, segments; and `also` of the extension
    /// chain. ExtensionFull: a segment that would become two finds no room.
    pub(in crate::volume) fn plan_release(
        &self,
        tx: &Transaction<'_>,
        file: View<'_>,
        found: Found,
        also: &[ChainChange<'_>],
    ) -> Result<Release<'_>> {
        let mut left = file.slot.attributes.blocks.saturating_sub(found.count());
        if left == 0 && file.equations.anchor.is_some() && self.shows_more(file, &found)? {
            left = 1;
        }
        // G, V, M are zero exactly when no block is owned.
        let empties = left == 0 && file.equations.anchor.is_some();
        let has_segments = !file.equations.segments.is_empty();
        let mut equations = None;
        if empties || has_segments && !found.uncovered.is_empty() {
            let mut next = file.equations.clone();
            for &(first, end, copy) in &found.uncovered {
                next.segments.remove_range(first, end, copy);
            }
            if empties {
                next = Equations::empty(self.blocks.window(), next.seed_hash);
            }
            equations = Some(next);
        }
        let payload = match &equations {
            Some(next) if has_segments => Some(next.segments.encode(self.blocks.window())),
            _ => None,
        };
        let segments =
            payload.as_deref().map(|payload| ChainChange { kind: layout::EXTENSION_SEGMENTS, payload });
        let mut changes: Vec<ChainChange> = also.to_vec();
        if let Some(segments) = segments
            && changes.iter().all(|change| change.kind != segments.kind)
        {
            changes.push(segments);
        }
        let extension = if changes.is_empty() { None } else { self.plan_extension(tx, file, &changes)? };
        if empties {
            // Room behind its end, in memory only: the file could do without it all along.
            self.blocks.drop_growth_windows(file.inode.ino)?;
        }
        Ok(Release { found, left, equations, empties, extension })
    }

    /// Counted too low: presence will still show blocks, or nodes of its own wait to be freed, and they are
    /// found by the equation only.
    fn shows_more(&self, file: View<'_>, found: &Found) -> Result<bool> {
        if !file.is_sparse() {
            return Ok(false);
        }
        let shows = match &found.presence {
            Some(edit) => !edit.is_empty(),
            None => self.presence_state(file)?.1 != 0,
        };
        let meta = file.meta.lock();
        let going = found.presence.iter().flat_map(Edit::removed).filter(|index| meta.owns_space(*index));
        let waits = meta.removed.iter().copied().chain(going).any(|index| !found.meta.contains(&index));
        Ok(shows || waits)
    }

    /// Carries a release out, of a file that has not changed since, and marks the file.
    pub(in crate::volume) fn release(
        &self,
        tx: &Transaction<'_>,
        file: &mut Locked<'_>,
        release: Release<'_>,
    ) {
        let Release { found, left, equations, empties, extension } = release;
        if let Some(edit) = found.presence {
            self.change_presence(tx, file, edit);
        }
        for leaving in found.blocks {
            self.space.freed(leaving.count());
            self.blocks.free(tx, leaving);
        }
        file.slot.attributes.blocks = left;
        if !found.meta.is_empty() {
            let meta = &mut file.meta.lock();
            for index in &found.meta {
                meta.removed.remove(index);
                meta.on_disk.remove(index);
            }
        }
        if let Some(equations) = equations {
            file.equations = equations;
        }
        if empties {
            file.slot.set_kmax(0);
        }
        if let Some(change) = extension {
            self.change_extension(tx, file, change);
        }
        if file.new_delayed == 0 {
            // Nodes that were reserved, or made and not yet placed, may be gone again.
            self.release_nodes(file);
        }
        self.mark(tx, file);
    }
}
