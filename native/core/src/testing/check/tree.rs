//! Names: every directory whole, every entry leads to its file, link counts and parents right, every
//! file reachable or among the orphans.

use super::Context;
use super::blocks::Blocks;
use super::files::{File, Files};
use super::shape::Meta;
use crate::base::{BLOCK_SIZE, Result};
use crate::directory::{BlockBytes, DirReads, DirTable, Entry};
use crate::format::Kind;
use crate::format::layout as l;
use std::collections::{BTreeMap, BTreeSet};

impl DirReads for Meta<'_, '_> {
    fn read(&mut self, block: u32) -> Result<BlockBytes> {
        self.block(u64::from(block))
    }
}

/// What the names say about a file.
#[derive(Default)]
struct Named {
    names: u64,
    /// Directory of its last name.
    parent: u64,
    subdirectories: u64,
}

pub fn check(context: &mut Context, files: &Files, blocks: &Blocks) {
    let mut named: BTreeMap<u64, Named> = BTreeMap::new();
    let mut reached = BTreeSet::from([l::INO_ROOT]);
    let mut waiting = vec![l::INO_ROOT];
    while let Some(number) = waiting.pop() {
        let Some(dir) = files.by_number.get(&number) else {
            context.problem(format!("directory {number} has no anchor"));
            continue;
        };
        for (name, entry) in entries(context, dir, blocks) {
            check_entry(context, files, number, &name, &entry);
            let file = named.entry(entry.seed.number).or_default();
            file.names += 1;
            file.parent = number;
            if Kind::from_number(entry.kind) == Some(Kind::Directory) {
                named.entry(number).or_default().subdirectories += 1;
                let first = reached.insert(entry.seed.number);
                context.demand(first, || format!("directory {} has two names", entry.seed.number));
                if first {
                    waiting.push(entry.seed.number);
                }
            }
        }
    }
    let orphans = orphans(context, files, blocks);
    let ids = public_ids(context, files, blocks);
    for file in files.by_number.values().filter(|file| file.number() > l::INO_PUBLIC_IDS) {
        check_file(context, file, named.get(&file.number()), orphans.contains(&file.number()));
        let changed = file.slot.anchor.public_id != file.slot.seed_id();
        let found = ids.get(&file.number()) == Some(&file.slot.anchor.public_id);
        context.demand(changed == found && (found || !ids.contains_key(&file.number())), || {
            format!("file {}: public id and its entry disagree", file.number())
        });
    }
    if let Some(root) = files.by_number.get(&l::INO_ROOT) {
        let subdirectories = named.get(&l::INO_ROOT).map_or(0, |root| root.subdirectories);
        let nlink = u64::from(root.slot.attributes.nlink);
        context
            .demand(nlink == 2 + subdirectories, || format!("root: nlink {nlink}, {subdirectories} inside"));
    }
}

fn check_file(context: &mut Context, file: &File, named: Option<&Named>, orphan: bool) {
    let number = file.number();
    let attributes = &file.slot.attributes;
    let nlink = u64::from(attributes.nlink);
    let names = named.map_or(0, |named| named.names);
    let expected = match file.kind {
        Kind::Directory if names > 0 => 2 + named.map_or(0, |named| named.subdirectories),
        _ => names,
    };
    context.demand(nlink == expected, || format!("file {number}: nlink {nlink}, names say {expected}"));
    let waits = nlink == 0 || file.has(l::DATA_CLASS_TRUNCATING);
    context.demand(waits == orphan, || format!("file {number}: nlink {nlink}, among the orphans: {orphan}"));
    if let (Kind::Directory, Some(named)) = (file.kind, named) {
        context.demand(attributes.parent_number == named.parent, || {
            format!("directory {number}: parent {}, stands in {}", attributes.parent_number, named.parent)
        });
    }
}

fn check_entry(context: &mut Context, files: &Files, dir: u64, name: &[u8], entry: &Entry) {
    let shown = String::from_utf8_lossy(name).into_owned();
    let Some(file) = files.by_number.get(&entry.seed.number) else {
        context.problem(format!("directory {dir}: {shown} leads to file {}, not there", entry.seed.number));
        return;
    };
    let anchor = &file.slot.anchor;
    let same = (anchor.hint, anchor.random) == (entry.seed.hint, entry.seed.random)
        && file.kind.number() == entry.kind;
    context.demand(same, || format!("directory {dir}: {shown} and file {} disagree", anchor.number));
}

/// All names of a directory, after its own check.
fn entries(context: &mut Context, dir: &File, blocks: &Blocks) -> Vec<(Vec<u8>, Entry)> {
    let number = dir.number();
    let mut found = Vec::new();
    let what = format!("directory {number}");
    let Some(state) = context.take(dir.slot.dir_state(), &what) else { return found };
    let length = (dir.slot.anchor.mass / BLOCK_SIZE as u64) as u32;
    let key = context.geometry.hash_key;
    let mut meta = Meta { context, number, owned: blocks.of(number) };
    let table = DirTable::load(number, key, state, length, &mut meta);
    let Some(table) = meta.context.take(table, &what) else { return found };
    let checked = table.check(&mut meta);
    meta.context.take(checked, &what);
    let walked = table.iterate(&mut meta, 0, &mut |named| {
        found.push((named.name.to_vec(), named.entry));
        true
    });
    meta.context.take(walked, &what);
    found
}

/// The files in the orphan directory.
fn orphans(context: &mut Context, files: &Files, blocks: &Blocks) -> BTreeSet<u64> {
    let mut found = BTreeSet::new();
    let Some(dir) = files.by_number.get(&l::INO_ORPHANS) else {
        context.problem("the orphan directory has no anchor".into());
        return found;
    };
    for (name, entry) in entries(context, dir, blocks) {
        check_entry(context, files, l::INO_ORPHANS, &name, &entry);
        let expected = format!("{:016x}", entry.seed.number);
        context.demand(name == expected.as_bytes(), || format!("orphan {expected} under another name"));
        found.insert(entry.seed.number);
    }
    found
}

/// The files with a changed public id, and the ids that lead to them.
fn public_ids(context: &mut Context, files: &Files, blocks: &Blocks) -> BTreeMap<u64, [u8; 16]> {
    let mut found = BTreeMap::new();
    let Some(dir) = files.by_number.get(&l::INO_PUBLIC_IDS) else {
        context.problem("the directory of public ids has no anchor".into());
        return found;
    };
    for (name, entry) in entries(context, dir, blocks) {
        check_entry(context, files, l::INO_PUBLIC_IDS, &name, &entry);
        let digit = |i: usize| name.get(i).and_then(|c| (*c as char).to_digit(16)).unwrap_or(0) as u8;
        let id = std::array::from_fn(|i| digit(2 * i) << 4 | digit(2 * i + 1));
        let first = found.insert(entry.seed.number, id).is_none();
        context.demand(first && name.len() == 32, || format!("public ids of file {}", entry.seed.number));
    }
    found
}
