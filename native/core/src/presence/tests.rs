//! Presence against a set of ranges, with counted reads.

use super::*;
use crate::testing::{Rng, with_seeds};
use std::collections::{BTreeSet, HashMap};

#[derive(Clone, Default)]
struct Nodes {
    nodes: HashMap<u64, NodeBytes>,
    reads: u64,
    writes: u64,
    fail_at: Option<u64>,
}

impl NodeReads for Nodes {
    fn read(&mut self, index: u64) -> Result<NodeBytes> {
        self.reads += 1;
        if let Some(left) = self.fail_at.as_mut() {
            if *left == 0 {
                self.fail_at = None;
                return Err(Error::new(Code::Io, "injected"));
            }
            *left -= 1;
        }
        match self.nodes.get(&index) {
            Some(bytes) => Ok(Arc::clone(bytes)),
            None => Err(Error::new(Code::DataDamaged, "no such node")),
        }
    }
}

impl NodeBlocks for Nodes {
    fn write(&mut self, index: u64, bytes: NodeBytes) {
        self.writes += 1;
        self.nodes.insert(index, bytes);
    }
    fn remove(&mut self, index: u64) {
        assert!(self.nodes.remove(&index).is_some(), "node {index:#x} was not there");
    }
}

/// Checks the tree's shape: every node has bits and a bit above it, and no other exists.
fn verify(presence: &Presence, nodes: &Nodes) {
    let mut expected = BTreeSet::new();
    let mut level_nodes: Vec<u64> = (0..64).filter(|bit| presence.root >> bit & 1 != 0).collect();
    for level in (1..=presence.height).rev() {
        let mut below = Vec::new();
        for number in level_nodes {
            let index = node_index(level, number);
            expected.insert(index);
            let bytes = &nodes.nodes[&index];
            let bits: Vec<u64> = (0..32768)
                .filter(|bit| bits::get(bytes, *bit))
                .map(|bit| number * 32768 + bit as u64)
                .collect();
            assert!(!bits.is_empty(), "node {level}:{number} is empty");
            below.extend(bits);
        }
        level_nodes = below;
    }
    assert_eq!(expected, nodes.nodes.keys().copied().collect());
}

/// The model: sorted, disjoint ranges of blocks that exist.
#[derive(Clone, Default)]
struct Model(Vec<(u64, u64)>);

impl Model {
    fn put(&mut self, first: u64, end: u64, value: bool) {
        let mut new = Vec::new();
        for &(a, b) in &self.0 {
            new.push((a, b.min(first)));
            new.push((a.max(end), b));
        }
        if value {
            new.push((first, end));
        }
        new.retain(|(a, b)| a < b);
        new.sort_unstable();
        self.0.clear();
        for (a, b) in new {
            match self.0.last_mut() {
                Some(last) if last.1 == a => last.1 = b,
                _ => self.0.push((a, b)),
            }
        }
    }
    fn next_data(&self, from: u64) -> Option<u64> {
        self.0.iter().find(|(_, end)| *end > from).map(|(first, _)| from.max(*first))
    }
    fn next_hole(&self, from: u64) -> u64 {
        self.0.iter().find(|(first, end)| (*first..*end).contains(&from)).map_or(from, |(_, end)| *end)
    }
    fn count(&self, first: u64, end: u64) -> u64 {
        self.0.iter().map(|(a, b)| (*b).min(end).saturating_sub((*a).max(first))).sum()
    }
}

/// Blocks where something can go wrong, and others.
fn place(rng: &mut Rng, reach: u64) -> u64 {
    let edges = [0, 1, 63, 64, 65, 32767, 32768, 32769, 64 << 15, 1 << 30, (64 << 30) - 1, 64 << 30, 1 << 45];
    let near = edges[rng.below(edges.len() as u64) as usize] + rng.below(3);
    let any = rng.next_u64() >> (17 + rng.below(47));
    [near, any, rng.below(200)][rng.below(3) as usize] % reach
}

fn run(seed: u64) {
    let mut rng = Rng::new(seed);
    let reach = [100, 1 << 17, 1 << 24, 1 << 40, FILE_BLOCKS_MAX][rng.below(5) as usize];
    let (mut presence, mut nodes, mut model) = (Presence::empty(16), Nodes::default(), Model::default());
    for _ in 0..60 {
        let first = place(&mut rng, reach);
        let longest = [3, 70, 40_000, 300_000][rng.below(4) as usize];
        let count = rng.below(longest).min(FILE_BLOCKS_MAX - first);
        let before = (presence, nodes.nodes.clone());
        if rng.chance(30, 100) {
            nodes.fail_at = Some(rng.below(4));
        }
        let setting = rng.chance(60, 100);
        let writes = nodes.writes;
        let outcome = if setting {
            presence.set_range(&mut nodes, first, count)
        } else {
            let count = if rng.chance(20, 100) { u64::MAX } else { count };
            let outcome = presence.clear_range(&mut nodes, first, count);
            if outcome.is_ok() {
                model.put(first, first.saturating_add(count), false);
            }
            outcome
        };
        nodes.fail_at = None;
        match outcome {
            Err(error) => {
                assert_eq!(error.code, Code::Io);
                assert!(presence == before.0 && nodes.nodes == before.1, "a failed change left traces");
            }
            Ok(()) if setting => {
                assert!(nodes.writes - writes <= before.0.worst_case_nodes(first, count));
                if count > 0 {
                    model.put(first, first + count, true);
                }
            }
            Ok(()) => {}
        }
        for _ in 0..10 {
            let from = place(&mut rng, reach);
            assert_eq!(presence.next_data(&mut nodes, from).unwrap(), model.next_data(from));
            assert_eq!(presence.next_hole(&mut nodes, from).unwrap(), model.next_hole(from));
            let exists = model.next_data(from) == Some(from);
            assert_eq!(presence.exists(&mut nodes, from).unwrap(), exists);
            let span = 1 + place(&mut rng, reach);
            let counted = presence.count(&mut nodes, from, span).unwrap();
            assert_eq!(counted, model.count(from, from.saturating_add(span)));
            let end = if exists { model.next_hole(from) } else { model.next_data(from).unwrap_or(u64::MAX) };
            assert_eq!(presence.run(&mut nodes, from, span).unwrap(), (exists, span.min(end - from)));
        }
        assert_eq!(presence.is_empty(), model.0.is_empty());
        if rng.chance(10, 100) {
            verify(&presence, &nodes);
            let mut state = FileState { gravity_1: 3, height: 9, root: 9 };
            presence.store(&mut state);
            assert_eq!(Presence::load(16, &state).unwrap(), presence);
        }
    }
    presence.clear_range(&mut nodes, 0, u64::MAX).unwrap();
    assert_eq!((presence, nodes.nodes.len()), (Presence::empty(16), 0));
}

#[test]
fn random_ranges_agree_with_a_model() {
    with_seeds(400, run);
}

#[test]
fn a_file_of_16_tib_with_three_blocks_costs_a_handful_of_nodes() {
    let (mut presence, mut nodes) = (Presence::empty(16), Nodes::default());
    let last = (1 << 32) - 1;
    for block in [0, 1 << 31, last] {
        presence.set_range(&mut nodes, block, 1).unwrap();
    }
    assert_eq!(presence.height(), 2);
    assert_eq!(nodes.nodes.len(), 6, "a node of each level for each block");
    assert!(nodes.reads <= 6 && nodes.writes <= 10, "{} {}", nodes.reads, nodes.writes);
    nodes.reads = 0;
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(block) = presence.next_data(&mut nodes, from).unwrap() {
        found.push(block);
        from = presence.next_hole(&mut nodes, block).unwrap();
    }
    assert_eq!(found, [0, 1 << 31, last]);
    assert_eq!(presence.count(&mut nodes, 0, u64::MAX).unwrap(), 3);
    assert_eq!(presence.run(&mut nodes, 1, u64::MAX / 2).unwrap(), (false, (1 << 31) - 1));
    assert!(nodes.reads < 40, "{} reads", nodes.reads);
    nodes.reads = 0;
    presence.clear_range(&mut nodes, 0, u64::MAX).unwrap();
    assert!(nodes.reads <= 3, "{} reads", nodes.reads);
    assert!(presence.is_empty() && nodes.nodes.is_empty());
}

#[test]
fn a_long_run_is_looked_at_no_further_than_asked() {
    let (mut presence, mut nodes) = (Presence::empty(16), Nodes::default());
    presence.set_range(&mut nodes, 0, 1 << 26).unwrap();
    assert_eq!(nodes.reads, 0, "full nodes are written unread");
    assert_eq!(presence.run(&mut nodes, 5, 256).unwrap(), (true, 256));
    assert!(nodes.reads <= 4, "{} reads", nodes.reads);
    assert_eq!(presence.next_hole(&mut nodes, 7).unwrap(), 1 << 26);
}

#[test]
fn ranges_beyond_the_largest_file_are_refused() {
    let (mut presence, mut nodes) = (Presence::empty(16), Nodes::default());
    let mut code = |first, count| presence.set_range(&mut nodes, first, count).unwrap_err().code;
    assert_eq!(code(FILE_BLOCKS_MAX, 1), Code::FileTooLarge);
    assert_eq!(code(0, FILE_BLOCKS_MAX + 1), Code::FileTooLarge);
    assert_eq!(code(5, u64::MAX), Code::FileTooLarge);
    presence.set_range(&mut nodes, FILE_BLOCKS_MAX - 1, 1).unwrap();
    assert!(presence.exists(&mut nodes, FILE_BLOCKS_MAX - 1).unwrap());
    assert_eq!(presence.next_hole(&mut nodes, FILE_BLOCKS_MAX - 1).unwrap(), FILE_BLOCKS_MAX);
    assert_eq!(presence.next_data(&mut nodes, u64::MAX).unwrap(), None);
    assert!(!presence.exists(&mut nodes, u64::MAX).unwrap());
}

#[test]
fn hostile_states_and_nodes_are_errors() {
    let corrupt = |height, root| {
        let state = FileState { gravity_1: 0, height, root };
        assert_eq!(Presence::load(16, &state).unwrap_err().code, Code::Corrupt);
    };
    corrupt(4, 0);
    corrupt(255, 1);
    corrupt(3, 1 << 4);
    // A node without bits: a question that comes to it does not skip it.
    let mut presence = Presence::load(16, &FileState { gravity_1: 0, height: 1, root: 1 }).unwrap();
    let mut nodes = Nodes::default();
    nodes.nodes.insert(node_index(1, 0), Arc::new([0; BLOCK_SIZE]));
    assert_eq!(presence.next_data(&mut nodes, 0).unwrap_err().code, Code::Corrupt);
    assert_eq!(presence.set_range(&mut nodes, 5, 1).unwrap_err().code, Code::Corrupt);
    assert_eq!(presence.count(&mut nodes, 0, 9).unwrap_err().code, Code::Corrupt);
    with_seeds(500, |seed| {
        let mut rng = Rng::new(seed);
        let height = rng.below(4) as u8;
        let root = rng.next_u64() & if height == 3 { 15 } else { u64::MAX };
        let mut presence = Presence::load(16, &FileState { gravity_1: 0, height, root }).unwrap();
        let mut nodes = Nodes::default();
        for level in 1..=3 {
            for number in 0..300 {
                let mut bytes = [0; BLOCK_SIZE];
                let bit = rng.below(400) as usize;
                if rng.chance(90, 100) {
                    bits::put(&mut bytes, bit..bit + rng.below(40) as usize, true);
                }
                nodes.nodes.insert(node_index(level, number), Arc::new(bytes));
            }
        }
        for _ in 0..20 {
            let (first, count) = (place(&mut rng, FILE_BLOCKS_MAX), rng.below(1 << 20));
            let _ = presence.exists(&mut nodes, first);
            let _ = presence.next_data(&mut nodes, first);
            let _ = presence.next_hole(&mut nodes, first);
            let _ = presence.run(&mut nodes, first, count + 1);
            let _ = presence.count(&mut nodes, first, count);
            let _ = presence.set_range(&mut nodes, first % (1 << 40), count);
            let mut shadow = nodes.clone();
            let _ = presence.clone().clear_range(&mut Lenient(&mut shadow), first, count);
        }
    });
}

/// As `Nodes`, for trees whose nodes contradict each other.
struct Lenient<'a>(&'a mut Nodes);

impl NodeReads for Lenient<'_> {
    fn read(&mut self, index: u64) -> Result<NodeBytes> {
        self.0.read(index)
    }
}

impl NodeBlocks for Lenient<'_> {
    fn write(&mut self, index: u64, bytes: NodeBytes) {
        self.0.write(index, bytes);
    }
    fn remove(&mut self, index: u64) {
        self.0.nodes.remove(&index);
    }
}
