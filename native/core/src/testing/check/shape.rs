//! A file and its blocks: every block where an equation leads, and exactly the blocks it should own.

use super::Context;
use super::blocks::{Held, Owned};
use super::files::File;
use crate::base::{AlignedBuf, BLOCK_SIZE, Code, Error, Result};
use crate::format::Kind;
use crate::format::layout as l;
use crate::presence::{NodeBytes, NodeReads, Presence, node_index};
use std::collections::BTreeSet;
use std::sync::Arc;

pub fn check(context: &mut Context, file: &File, owned: &Owned) {
    let number = file.number();
    let blocks = file.slot.attributes.blocks;
    context.demand(blocks == owned.len() as u64, || {
        format!("file {number}: blocks {blocks}, owns {}", owned.len())
    });
    for (&(index, copy), held) in owned {
        let hint = file.slot.anchor.hint;
        context.demand(held.descriptor.hint == hint, || {
            format!("file {number}, block {index}: hint {}, anchor {hint}", held.descriptor.hint)
        });
        check_place(context, file, index, copy, held);
    }
    let leaving = file.has(l::DATA_CLASS_TOMBSTONE | l::DATA_CLASS_TRUNCATING);
    match file.kind {
        Kind::Directory if !leaving => check_directory(context, file, owned),
        Kind::Regular if file.has(l::DATA_CLASS_SPARSE) => check_sparse(context, file, owned),
        Kind::Regular => check_dense(context, file, owned, leaving),
        _ => context.demand(owned.is_empty() || file.kind == Kind::Directory, || {
            format!("file {number}: a {:?} owns blocks", file.kind)
        }),
    }
}

/// The block is the one that a reader finds.
fn check_place(context: &mut Context, file: &File, index: u64, copy: u8, held: &Held) {
    if context.window.in_area(held.data) {
        context.report.in_area += 1;
        return;
    }
    let segment = file.equations.held(index, copy).is_some_and(|held| held.segment);
    let at = |k: u8| file.equations.run(&context.window, index, copy, k, 1).map(|(data, _)| data);
    if at(0) == Some(held.data) {
        *(if segment { &mut context.report.in_segment } else { &mut context.report.at_home }) += 1;
    } else if file.slot.kmax() >= 1 && at(1) == Some(held.data) {
        context.report.at_shell += 1;
    } else {
        context.problem(format!(
            "file {}, block {index} (copy {copy}): data block {} is at no shell up to {} ({:?}, {:?})",
            file.number(),
            held.data.0,
            file.slot.kmax(),
            at(0),
            file.equations.anchor
        ));
    }
}

fn check_dense(context: &mut Context, file: &File, owned: &Owned, leaving: bool) {
    let number = file.number();
    let expected = file.slot.anchor.mass.div_ceil(BLOCK_SIZE as u64);
    let inline = file.has(l::DATA_CLASS_INLINE);
    let count = owned.len() as u64;
    context.demand(leaving || inline || count == expected, || {
        format!("file {number}: {count} blocks for {} bytes", file.slot.anchor.mass)
    });
    let whole = owned.iter().zip(0..).all(|((key, held), i)| *key == (i, 0) && !held.is_meta());
    context.demand(whole, || {
        let keys: Vec<_> = owned.keys().take(20).collect();
        format!("file {number}: a dense file with other blocks than 0 to {count}: {keys:?}...")
    });
}

fn check_directory(context: &mut Context, file: &File, owned: &Owned) {
    let copies = context.geometry.copies() as u8;
    let blocks = file.slot.anchor.mass / BLOCK_SIZE as u64;
    let expected = (0..blocks).flat_map(|index| (0..copies).map(move |copy| (index, copy)));
    let same = expected.eq(owned.keys().copied()) && owned.values().all(Held::is_meta);
    context.demand(same, || format!("directory {}: not its {blocks} blocks", file.number()));
}

/// Data blocks and nodes are exactly those that presence names.
fn check_sparse(context: &mut Context, file: &File, owned: &Owned) {
    let number = file.number();
    let Some(state) = context.take(file.slot.file_state(), "presence") else { return };
    let Some(presence) = context.take(Presence::load(number, &state), "presence") else { return };
    let mut meta = Meta { context, number, owned };
    let mut data = BTreeSet::new();
    let mut at = 0;
    while let Some(first) = {
        let next = presence.next_data(&mut meta, at);
        meta.context.take(next, "presence").flatten()
    } {
        let run = presence.run(&mut meta, first, l::FILE_BLOCKS_MAX - first);
        let Some((_, count)) = meta.context.take(run, "presence") else { return };
        data.extend(first..first + count);
        at = first + count;
        if at >= l::FILE_BLOCKS_MAX {
            break;
        }
    }
    let copies = context.geometry.copies() as u8;
    let mut expected: BTreeSet<(u64, u8)> = data.iter().map(|index| (*index, 0)).collect();
    for level in 1..=state.height {
        let span = l::PRESENCE_BITS.pow(u32::from(level));
        let nodes = data.iter().map(|index| node_index(level, index / span));
        expected.extend(nodes.flat_map(|index| (0..copies).map(move |copy| (index, copy))));
    }
    let found: BTreeSet<(u64, u8)> = owned.keys().copied().collect();
    if let Some(key) = expected.symmetric_difference(&found).next() {
        let exists = found.contains(key);
        context.problem(format!(
            "sparse file {number}: presence and blocks differ at {key:?} (owned: {exists})"
        ));
    }
    let meta_right = owned.iter().all(|((index, _), held)| held.is_meta() == (*index >= l::FILE_BLOCKS_MAX));
    context.demand(meta_right, || format!("sparse file {number}: META flags"));
}

/// The META blocks of a file, both copies of which must be the same.
pub struct Meta<'a, 'b> {
    pub context: &'a mut Context<'b>,
    pub number: u64,
    pub owned: &'a Owned,
}

impl Meta<'_, '_> {
    pub fn block(&mut self, index: u64) -> Result<Arc<[u8; BLOCK_SIZE]>> {
        let missing = || Error::new(Code::Corrupt, format!("file {}: no block {index}", self.number));
        let mut first: Option<AlignedBuf> = None;
        for copy in 0..self.context.geometry.copies() as u8 {
            let held = self.owned.get(&(index, copy)).ok_or_else(missing)?;
            let mut buf = AlignedBuf::zeroed(1);
            self.context.read_block(held, &mut buf)?;
            if let Some(first) = &first {
                let same = first[..] == buf[..];
                let number = self.number;
                self.context.demand(same, || format!("file {number}, block {index}: copies differ"));
            } else {
                first = Some(buf);
            }
        }
        let bytes = first.ok_or_else(missing)?;
        Ok(Arc::new((&bytes[..]).try_into().expect("one block")))
    }
}

impl NodeReads for Meta<'_, '_> {
    fn read(&mut self, index: u64) -> Result<NodeBytes> {
        self.block(index)
    }
}
