//! Any bytes give an error or an answer, never a panic, a hang or a large allocation.

use super::super::*;
use super::support::{Blocks, KEY, NUMBER, Rng, Subject, name_of, seed_of, with_seeds};
use crate::base::{BLOCK_SIZE, Code, Error, Result};
use crate::format::layout::DirState;
use std::sync::Arc;

/// Blocks whose reads may lead anywhere: outside is an error, as in the engine.
struct Hostile(Blocks);

impl DirReads for Hostile {
    fn read(&mut self, block: u32) -> Result<BlockBytes> {
        match self.0.blocks.get(block as usize) {
            Some(Some(_)) => self.0.read(block),
            _ => Err(Error::new(Code::DataDamaged, "no such block")),
        }
    }
}

impl DirBlocks for Hostile {
    fn write(&mut self, block: u32, bytes: BlockBytes) {
        self.0.write(block, bytes);
    }
    fn set_len(&mut self, blocks: u32) {
        self.0.set_len(blocks);
    }
}

/// Everything that can be asked of a directory; the results only must not hurt.
fn exercise(state: DirState, length: u32, blocks: Blocks, rng: &mut Rng) -> bool {
    let mut blocks = Hostile(blocks);
    let Ok(mut table) = DirTable::load(NUMBER, KEY, state, length, &mut blocks) else { return true };
    let broken = table.check(&mut blocks).is_err();
    let mut last = 0;
    let mut given = 0u64;
    let result = table.iterate(&mut blocks, 0, &mut |named| {
        assert!(named.entry.cookie > last, "cookies rise even on hostile blocks");
        last = named.entry.cookie;
        given += 1;
        true
    });
    assert!(broken || result.is_ok());
    assert!(given <= u64::from(length) * 150);
    for _ in 0..40 {
        let name = name_of(rng.below(300), 80);
        let _ = table.lookup(&mut blocks, &name);
        match rng.below(4) {
            0 => drop(table.insert(&mut blocks, &name, seed_of(5), 8)),
            1 => drop(table.replace(&mut blocks, &name, seed_of(6), 8)),
            _ => drop(table.remove(&mut blocks, &name)),
        }
    }
    let leaves: Vec<_> = blocks.0.blocks.iter().flatten().cloned().zip(0..).map(|(b, n)| (n, b)).collect();
    drop(rebuild(NUMBER, &leaves));
    broken
}

fn sample(rng: &mut Rng) -> Subject {
    let mut subject = Subject::new();
    for id in 0..1 + rng.below(300) {
        subject.insert(&name_of(id, 80), id + 1).unwrap();
    }
    subject
}

#[test]
fn flipped_bits_in_blocks_and_state_hurt_nobody() {
    with_seeds(2000, |seed| {
        let mut rng = Rng::new(seed);
        let subject = sample(&mut rng);
        let mut blocks = subject.blocks.clone();
        let mut state = *subject.table.state();
        let mut length = subject.table.length();
        for _ in 0..1 + rng.below(4) {
            let at = rng.below(blocks.blocks.len() as u64) as usize;
            let block = Arc::make_mut(blocks.blocks[at].as_mut().unwrap());
            // Mostly where it hurts: the header and the first entries.
            let byte = if rng.chance(70, 100) { rng.below(64) } else { rng.below(4096) } as usize;
            block[byte] ^= 1 << rng.below(8);
        }
        if rng.chance(30, 100) {
            match rng.below(5) {
                0 => state.depth ^= 1 << rng.below(8),
                1 => state.index_first ^= 1 << rng.below(32),
                2 => state.index_blocks ^= 1 << rng.below(32),
                3 => state.entries ^= 1 << rng.below(48),
                _ => length ^= 1 << rng.below(32),
            }
        }
        exercise(state, length, blocks, &mut rng);
    });
}

#[test]
fn random_blocks_hurt_nobody() {
    with_seeds(1000, |seed| {
        let mut rng = Rng::new(seed);
        let mut subject = sample(&mut rng);
        for at in 0..subject.blocks.blocks.len() {
            let block = Arc::make_mut(subject.blocks.blocks[at].as_mut().unwrap());
            match rng.below(4) {
                0 => block.fill_with(|| rng.next_u64() as u8),
                // Random entries behind a good header; a good header of another leaf.
                1 => block[32..].fill_with(|| rng.next_u64() as u8),
                2 => block[6..10].fill_with(|| rng.next_u64() as u8),
                _ => {}
            }
        }
        let (state, length) = (*subject.table.state(), subject.table.length());
        exercise(state, length, subject.blocks, &mut rng);
    });
}

/// `check` finds a flipped bit in any block, without help of the block's checksum, unless it stands
/// where every value is legal: number, hint, random, one type for another, discriminator.
#[test]
fn a_flipped_bit_is_found_or_changes_only_a_free_field() {
    let mut rng = Rng::new(1);
    let mut subject = Subject::new();
    for id in 0..300 {
        subject.insert(&name_of(id, 80), id + 1).unwrap();
    }
    let expected: Vec<_> = subject.listed().into_iter().map(|(name, e)| (name, e.cookie >> 6)).collect();
    // Every bit of every header, and others at random.
    let count = subject.blocks.blocks.len() as u64;
    assert!(count > 3);
    let headers = (0..count).flat_map(|at| (0..64 * 8).map(move |bit| (at, bit)));
    let anywhere: Vec<_> =
        (0..20_000).map(|_| (rng.below(count), rng.below(BLOCK_SIZE as u64 * 8))).collect();
    for (at, bit) in headers.chain(anywhere) {
        let at = at as usize;
        let mut blocks = subject.blocks.clone();
        Arc::make_mut(blocks.blocks[at].as_mut().unwrap())[bit as usize / 8] ^= 1 << (bit % 8);
        let (state, length) = (*subject.table.state(), subject.table.length());
        let outcome = DirTable::load(NUMBER, KEY, state, length, &mut Hostile(blocks.clone()));
        let Ok(table) = outcome else { continue };
        if table.check(&mut Hostile(blocks.clone())).is_ok() {
            assert!(bit >= 32 * 8, "a flip of bit {bit} of the header of block {at} is silent");
            let mut names = Vec::new();
            let take = &mut |named: &NamedEntry| {
                names.push((named.name.to_vec(), named.entry.cookie >> 6));
                true
            };
            table.iterate(&mut blocks, 0, take).unwrap();
            assert!(names == expected, "a flip of bit {bit} of block {at} is silent");
        }
    }
}

#[test]
fn errors_name_directory_block_and_rule() {
    let mut subject = Subject::new();
    subject.insert(b"a", 1).unwrap();
    Arc::make_mut(subject.blocks.blocks[0].as_mut().unwrap())[0] ^= 1;
    let error = subject.table.lookup(&mut subject.blocks, b"a").unwrap_err();
    assert_eq!(error.code, Code::Corrupt);
    assert_eq!(error.detail(), "directory 16, block 0: no directory block (magic)");
}

/// A directory of two leaves and one index block, to break by hand.
fn two_leaves() -> Subject {
    let mut subject = Subject::new();
    let mut id = 0;
    while subject.table.length() < 3 {
        subject.insert(&name_of(id, 255), id + 1).unwrap();
        id += 1;
    }
    assert_eq!((subject.table.length(), subject.table.state().depth), (3, 1));
    subject
}

/// Enters names in the leaf that `inside` tells, until it is too full to merge with an empty one.
fn overfill(subject: &mut Subject, inside: impl Fn(&Entry) -> bool) {
    for id in 1000.. {
        let those_inside = subject.model.iter().filter(|(_, entry)| inside(entry));
        if those_inside.map(|(name, _)| 26 + name.len()).sum::<usize>() > MERGE_BYTES {
            return;
        }
        let name = name_of(id, 100);
        subject.insert(&name, 1).unwrap();
        if !inside(&subject.model[&name]) {
            subject.remove(&name).unwrap();
        }
    }
}

#[test]
fn an_index_that_lies_is_corrupt() {
    let subject = two_leaves();
    let state = *subject.table.state();
    let index_block = state.index_first;
    let slots_that_lie: [[u32; 2]; 5] = [[0, 0], [1, 1], [0, 3], [0, u32::MAX], [index_block, 0]];
    for slots in slots_that_lie {
        let mut blocks = subject.blocks.clone();
        let bytes = Arc::make_mut(blocks.blocks[index_block as usize].as_mut().unwrap());
        bytes[32..36].copy_from_slice(&slots[0].to_le_bytes());
        bytes[36..40].copy_from_slice(&slots[1].to_le_bytes());
        let error = DirTable::load(NUMBER, KEY, state, 3, &mut blocks).map(|_| ()).unwrap_err();
        assert_eq!(error.code, Code::Corrupt, "{slots:?}");
    }
    // Runs of one number that are no range: the middle of four.
    let mut blocks = subject.blocks.clone();
    let bytes = Arc::make_mut(blocks.blocks[index_block as usize].as_mut().unwrap());
    bytes[6..10].copy_from_slice(&[4, 0, 16, 0]);
    let numbers = [0u32, 1, 1, 3].map(u32::to_le_bytes);
    bytes[32..48].copy_from_slice(&numbers.concat());
    let state_of_four = DirState { depth: 2, ..state };
    let error = DirTable::load(NUMBER, KEY, state_of_four, 4, &mut blocks).map(|_| ()).unwrap_err();
    assert_eq!(error.code, Code::Corrupt);
    // Swapped leaves: the index is sound by itself, the leaves contradict it.
    let mut blocks = subject.blocks.clone();
    let bytes = Arc::make_mut(blocks.blocks[index_block as usize].as_mut().unwrap());
    let (low, high) = bytes[32..40].split_at_mut(4);
    low.swap_with_slice(high);
    let table = DirTable::load(NUMBER, KEY, state, 3, &mut blocks).unwrap();
    let name = subject.model.keys().next().unwrap();
    assert_eq!(table.lookup(&mut blocks, name).unwrap_err().code, Code::Corrupt);
}

#[test]
fn a_state_that_demands_a_huge_index_allocates_nothing() {
    let subject = two_leaves();
    let good = *subject.table.state();
    let lies = [
        (DirState { depth: 28, index_blocks: 264_209, ..good }, u32::MAX),
        (DirState { depth: 28, index_blocks: 264_209, ..good }, 264_211),
        (DirState { depth: 255, ..good }, 3),
        (DirState { depth: 0, ..good }, 3),
        (DirState { index_first: 2, index_blocks: 0, depth: 0, ..good }, 1),
        (DirState { index_blocks: 2, ..good }, 3),
        (DirState { index_first: 0, ..good }, 3),
        (DirState { index_first: 3, ..good }, 3),
        (DirState { entries: 0, ..good }, 3),
        (DirState { entries: 1 << 47, ..good }, 3),
        (good, 2),
        (good, 4),
        (good, 0),
    ];
    for (state, length) in lies {
        let result = DirTable::load(NUMBER, KEY, state, length, &mut Hostile(subject.blocks.clone()));
        let error = result.map(|_| ()).unwrap_err();
        assert!(matches!(error.code, Code::Corrupt | Code::DataDamaged), "{state:?} {length}: {error}");
    }
}

#[test]
fn too_few_entries_in_the_state_never_lose_a_name() {
    let subject = two_leaves();
    for entries in 1..=2 {
        let state = DirState { entries, ..*subject.table.state() };
        let mut blocks = subject.blocks.clone();
        let mut table = DirTable::load(NUMBER, KEY, state, 3, &mut blocks).unwrap();
        for name in subject.model.keys() {
            assert_eq!(table.remove(&mut blocks, name).unwrap_err().code, Code::Corrupt);
        }
        assert_eq!(blocks.blocks, subject.blocks.blocks);
    }
}

#[test]
fn the_last_name_by_count_is_not_the_last_by_blocks() {
    // One leaf keeps one name, the other stays too full to merge; the state says "one entry".
    let mut subject = two_leaves();
    let is_low = |entry: &Entry| entry.cookie < 1 << 61;
    overfill(&mut subject, |entry| !is_low(entry));
    let mut listed = subject.listed();
    listed.retain(|(_, entry)| is_low(entry));
    let (kept, others) = listed.split_first().unwrap();
    for (name, _) in others {
        subject.remove(name).unwrap();
    }
    assert_eq!(subject.table.length(), 3);
    let state = DirState { entries: 1, ..*subject.table.state() };
    let mut table = DirTable::load(NUMBER, KEY, state, 3, &mut subject.blocks).unwrap();
    let before = subject.blocks.blocks.clone();
    assert_eq!(table.remove(&mut subject.blocks, &kept.0).unwrap_err().code, Code::Corrupt);
    assert_eq!(subject.blocks.blocks, before);
}

#[test]
fn a_single_leaf_has_all_entries() {
    let mut subject = Subject::new();
    for name in [b"a", b"b", b"c"] {
        subject.insert(name, 1).unwrap();
    }
    for entries in [1, 2, 4] {
        let state = DirState { entries, ..*subject.table.state() };
        let table = DirTable::load(NUMBER, KEY, state, 1, &mut subject.blocks).unwrap();
        assert_eq!(table.lookup(&mut subject.blocks, b"a").unwrap_err().code, Code::Corrupt);
    }
}

#[test]
fn names_beside_a_damaged_leaf_are_removed_without_it() {
    let mut subject = two_leaves();
    overfill(&mut subject, |entry| entry.cookie < 1 << 61);
    let listed = subject.listed();
    let (low, high): (Vec<_>, Vec<_>) = listed.into_iter().partition(|(_, entry)| entry.cookie < 1 << 61);
    let damaged = (0..3)
        .find(|&at| {
            let bytes = subject.blocks.blocks[at].as_ref().unwrap();
            bytes[4] == 1 && bytes[16..24] != [0; 8]
        })
        .unwrap();
    // Few names are left in the upper leaf, so that the lower one would take it in.
    for (name, _) in &high[1..] {
        subject.remove(name).unwrap();
    }
    assert_eq!(subject.table.length(), 3);
    let bytes = Arc::make_mut(subject.blocks.blocks[damaged].as_mut().unwrap());
    bytes[32 + 25] = 0;
    let bytes = subject.blocks.blocks[damaged].clone();
    for (name, _) in &low {
        assert!(subject.table.remove(&mut subject.blocks, name).unwrap().is_some());
        assert_eq!(subject.blocks.blocks[damaged], bytes);
    }
    assert_eq!((subject.table.length(), subject.table.entries()), (3, 1));
    assert_eq!(subject.table.lookup(&mut subject.blocks, &high[0].0).unwrap_err().code, Code::Corrupt);
}

#[test]
fn a_count_that_lies_stops_an_iteration_and_a_change() {
    let subject = two_leaves();
    for change in [1u8, 255] {
        let mut blocks = subject.blocks.clone();
        let bytes = Arc::make_mut(blocks.blocks[0].as_mut().unwrap());
        bytes[6] = bytes[6].wrapping_add(change);
        let (state, length) = (*subject.table.state(), subject.table.length());
        let mut table = DirTable::load(NUMBER, KEY, state, length, &mut blocks).unwrap();
        let error = table.iterate(&mut blocks, 0, &mut |_| true).unwrap_err();
        assert_eq!(error.code, Code::Corrupt);
        let before = blocks.blocks.clone();
        let in_block_0 = |entry: &Entry| entry.cookie < 1 << 61;
        let (name, _) = subject.model.iter().find(|(_, entry)| in_block_0(entry)).unwrap();
        assert_eq!(table.remove(&mut blocks, name).unwrap_err().code, Code::Corrupt);
        assert_eq!(blocks.blocks, before);
    }
}
