//! What a volume may look like after a crash.
//!
//! Names, types, modes, link counts, targets and attributes are those after one operation of the lane,
//! not before the last one that a returned fsync covers, nor after the last one begun. Every block of a
//! file is that of one of its versions, none older than the last synced one.

use crate::content::BLOCK;
use crate::lane::{History, Meta, Node, State};
use hn4_core::device::testing::Event;
use hn4_core::testing::{Found, Tree};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// How far the lanes had come at a cut of the trace.
#[derive(Clone, Default)]
pub struct Progress {
    /// By root of the lane: last operation begun, syncs returned.
    lanes: HashMap<String, (usize, Vec<usize>)>,
    /// Nothing may be missing: it is memory that is looked at.
    newest: bool,
}

impl Progress {
    /// The lane has done all it did, and its memory has it all; the last operation may have failed.
    pub fn at_the_end(&mut self, history: &History) {
        let last = history.states.len() - 1;
        self.newest = true;
        self.lanes.insert(history.root.clone(), (last, Vec::new()));
    }
    pub fn take(&mut self, event: &Event) {
        let Event::Marker(text) = event else { return };
        let mut words = text.split(' ');
        let (Some(lane), Some(what), Some(number)) = (words.next(), words.next(), words.next()) else {
            return;
        };
        let number = number.parse().unwrap();
        let root = if lane == "/" { "" } else { lane };
        let (begun, syncs) = self.lanes.entry(root.to_string()).or_default();
        match what {
            "op" => *begun = number,
            _ => syncs.push(number),
        }
    }
}

/// Bounds of what a lane may show.
struct Bounds {
    first_op: usize,
    last_op: usize,
    versions: BTreeMap<Node, usize>,
}

impl Bounds {
    fn new(history: &History, progress: &Progress) -> Bounds {
        let (last_op, syncs) = progress.lanes.get(&history.root).cloned().unwrap_or_default();
        let mut bounds = Bounds { first_op: 0, last_op, versions: BTreeMap::new() };
        for sync in syncs.iter().map(|number| &history.syncs[*number]) {
            bounds.first_op = bounds.first_op.max(sync.op);
            for (node, version) in &sync.versions {
                let least = bounds.versions.entry(*node).or_default();
                *least = (*least).max(*version);
            }
        }
        if progress.newest {
            bounds.first_op = last_op;
            let versions = history.files.iter().map(|file| file.versions.len().saturating_sub(1));
            bounds.versions = versions.enumerate().collect();
        }
        bounds
    }
}

/// Error: what is wrong, in words.
pub fn check(history: &History, progress: &Progress, tree: &Tree) -> Result<(), String> {
    let bounds = Bounds::new(history, progress);
    let mine = lane_of(&history.root, tree);
    let mut problem = None;
    let mut op = bounds.first_op;
    while op <= bounds.last_op {
        let state = &history.states[op];
        match names_differ(state, &mine) {
            None => match contents_differ(history, &bounds, op, &mine) {
                None => return Ok(()),
                Some(text) => problem = Some(format!("names as after operation {op}, but {text}")),
            },
            Some(text) if problem.is_none() || op == bounds.last_op => {
                let text = format!(
                    "names as after no operation {} to {} (not {op}: {text})",
                    bounds.first_op, bounds.last_op
                );
                problem = problem.filter(|old: &String| old.contains("but")).or(Some(text));
            }
            Some(_) => {}
        }
        // The same state again needs no second look: its first operation asks for least.
        op += 1;
        while op <= bounds.last_op && Arc::ptr_eq(&history.states[op], state) {
            op += 1;
        }
    }
    Err(format!("lane {:?}: {}", history.root, problem.unwrap_or_else(|| "no operation".into())))
}

/// The part of the tree below a lane's root, by path relative to it.
fn lane_of<'a>(root: &str, tree: &'a Tree) -> BTreeMap<&'a str, &'a Found> {
    let inside = |path: &&String| {
        path.starts_with(root) && (path.len() == root.len() || path[root.len()..].starts_with('/'))
    };
    tree.iter().filter(|(path, _)| inside(path)).map(|(path, found)| (&path[root.len()..], found)).collect()
}

fn names_differ(state: &State, tree: &BTreeMap<&str, &Found>) -> Option<String> {
    for name in state.names.keys() {
        if !tree.contains_key(&**name) {
            return Some(format!("{name} is missing"));
        }
    }
    let mut inos: HashMap<Node, u64> = HashMap::new();
    let mut nodes: HashMap<u64, Node> = HashMap::new();
    for (path, found) in tree {
        let Some(&node) = state.names.get(*path) else { return Some(format!("{path} is there")) };
        let meta = &state.nodes[&node];
        if !same_meta(meta, found) {
            let shown = Meta {
                mode: found.attr.mode,
                nlink: found.attr.nlink,
                target: found.target.clone(),
                xattrs: found.xattrs.clone(),
            };
            return Some(format!("{path} is {shown:?}, not {meta:?}"));
        }
        if *inos.entry(node).or_insert(found.attr.ino) != found.attr.ino
            || *nodes.entry(found.attr.ino).or_insert(node) != node
        {
            return Some(format!("{path} is file {}, which should not be", found.attr.ino));
        }
    }
    None
}

fn same_meta(meta: &Meta, found: &Found) -> bool {
    meta.mode == found.attr.mode
        && meta.nlink == found.attr.nlink
        && meta.target == found.target
        && meta.xattrs == found.xattrs
}

fn contents_differ(
    history: &History,
    bounds: &Bounds,
    op: usize,
    tree: &BTreeMap<&str, &Found>,
) -> Option<String> {
    for (path, found) in tree {
        let node = history.states[op].names[*path];
        if found.attr.mode & libc::S_IFMT != libc::S_IFREG {
            continue;
        }
        let file = &history.files[node];
        let synced = bounds.versions.get(&node).copied().unwrap_or(0);
        let named = file.with_names.iter().filter(|(at, _)| *at <= op).map(|(_, version)| *version).max();
        let least = synced.max(named.unwrap_or(0));
        let most = file.versions.partition_point(|version| version.op <= bounds.last_op);
        if let Some(text) = content_differs(history, node, least..most, found) {
            return Some(format!("{path} {text} (versions {least} to {} allowed)", most as i64 - 1));
        }
    }
    None
}

fn content_differs(
    history: &History,
    node: Node,
    allowed: std::ops::Range<usize>,
    found: &Found,
) -> Option<String> {
    let versions = &history.files[node].versions[allowed.start.min(allowed.end)..allowed.end];
    // A file that grows is placed block by block: it may end between two of its sizes.
    let whole = versions.iter().any(|version| version.content.size == found.attr.size);
    let least = versions.iter().map(|version| version.content.size).min().unwrap_or(0);
    if !whole && (found.attr.size % BLOCK != 0 || found.attr.size < least) {
        let sizes: Vec<u64> = versions.iter().map(|version| version.content.size).collect();
        return Some(format!("has {} bytes, not one of {sizes:?}", found.attr.size));
    }
    for index in 0..found.attr.size.div_ceil(BLOCK) {
        let end = (index * BLOCK + BLOCK).min(found.attr.size);
        let bytes = &found.content[(index * BLOCK) as usize..end as usize];
        let holds = |at: &usize| {
            let content = &versions[*at].content;
            content.size >= end && content.block(index)[..bytes.len()] == *bytes
        };
        let looked_at =
            |at: usize| at > 0 && versions[at].content.shares_block(&versions[at - 1].content, index);
        let fits = (0..versions.len()).rev().any(|at| {
            let shared = looked_at(at) && versions[at - 1].content.size >= end;
            !shared && holds(&at)
        });
        if !fits {
            let kind = if bytes.iter().all(|byte| *byte == 0) { "zeros" } else { "bytes" };
            let older = history.files[node].versions.iter().position(|version| {
                version.content.size >= end && version.content.block(index)[..bytes.len()] == *bytes
            });
            return Some(format!(
                "(size {}) shows {kind} of no version in block {index}; of all versions: {older:?}",
                found.attr.size
            ));
        }
    }
    None
}
