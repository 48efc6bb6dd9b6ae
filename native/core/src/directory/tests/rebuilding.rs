//! A directory rebuilt from its leaves.

use super::super::*;
use super::support::{KEY, NUMBER, Rng, Subject, name_of, with_seeds};
use crate::base::Code;

/// The leaves of a directory with their block numbers, index blocks left out.
fn leaves_of(subject: &Subject) -> Vec<(u32, BlockBytes)> {
    let is_leaf = |bytes: &BlockBytes| bytes[4] == 1;
    let blocks = subject.blocks.blocks.iter().flatten().cloned();
    (0..).zip(blocks).filter(|(_, bytes)| is_leaf(bytes)).collect()
}

fn apply(subject: &mut Subject, rebuilt: Rebuilt) {
    subject.blocks.set_len(rebuilt.length);
    for (block, bytes) in rebuilt.writes {
        subject.blocks.write(block, bytes);
    }
    let (state, length) = (rebuilt.state, rebuilt.length);
    subject.table = DirTable::load(NUMBER, KEY, state, length, &mut subject.blocks).unwrap();
    subject.table.set_gravity_1(99);
}

fn sample(rng: &mut Rng) -> Subject {
    let mut subject = Subject::new();
    let pool = 1 + rng.below(900);
    for id in 0..pool {
        subject.insert(&name_of(id, 200), id + 1).unwrap();
    }
    for _ in 0..rng.below(pool) {
        subject.remove(&name_of(rng.below(pool), 200));
    }
    subject
}

#[test]
fn a_lost_index_is_rebuilt() {
    with_seeds(100, |seed| {
        let mut rng = Rng::new(seed);
        let mut subject = sample(&mut rng);
        let mut leaves = leaves_of(&subject);
        if rng.chance(50, 100) {
            // In any order, and as a salvage finds them: with numbers beyond the end.
            leaves.reverse();
            leaves.iter_mut().for_each(|leaf| leaf.0 += 1);
        }
        let rebuilt = rebuild(NUMBER, &leaves).unwrap();
        assert!(rebuilt.lost.is_empty() || subject.model.is_empty());
        for (number, bytes) in leaves {
            if subject.blocks.blocks.len() <= number as usize {
                subject.blocks.set_len(number + 1);
            }
            subject.blocks.blocks[number as usize] = Some(bytes);
        }
        apply(&mut subject, rebuilt);
        subject.verify();
    });
}

#[test]
fn lost_leaves_become_empty_ones() {
    with_seeds(100, |seed| {
        let mut rng = Rng::new(seed);
        let mut subject = sample(&mut rng);
        let mut leaves = leaves_of(&subject);
        if leaves.is_empty() {
            return;
        }
        for _ in 0..1 + rng.below(3) {
            let lost = rng.below(leaves.len() as u64) as usize;
            let (_, bytes) = leaves.swap_remove(lost);
            let mut rest = &bytes[32..];
            while rest.len() > 26 && rest[25] != 0 {
                let (entry, behind) = rest.split_at(26 + usize::from(rest[25]));
                subject.model.remove(&entry[26..]);
                rest = behind;
            }
            if leaves.is_empty() {
                break;
            }
        }
        let rebuilt = rebuild(NUMBER, &leaves).unwrap();
        assert!(!rebuilt.lost.is_empty() || leaves.is_empty());
        apply(&mut subject, rebuilt);
        subject.verify();
        let names: Vec<_> = subject.model.keys().cloned().collect();
        for name in names {
            subject.remove(&name).unwrap();
        }
        assert_eq!(subject.table.length(), 0);
    });
}

#[test]
fn two_leaves_of_one_range_are_refused() {
    let mut rng = Rng::new(3);
    let mut subject = sample(&mut rng);
    subject.insert(b"one at least", 1).unwrap();
    let mut leaves = leaves_of(&subject);
    leaves.push((leaves.len() as u32 + 70, leaves[0].1.clone()));
    assert_eq!(rebuild(NUMBER, &leaves).map(|_| ()).unwrap_err().code, Code::Corrupt);
}

#[test]
fn a_leaf_of_absurd_depth_is_refused() {
    let mut subject = Subject::new();
    subject.insert(b"a", 1).unwrap();
    let mut bytes = subject.blocks.blocks[0].clone().unwrap();
    let block = std::sync::Arc::make_mut(&mut bytes);
    let cookie = u64::from_le_bytes(block[32..40].try_into().unwrap());
    let hash = (cookie - 64) >> 6;
    block[5] = 28;
    block[16..24].copy_from_slice(&(hash >> 28 << 28).to_le_bytes());
    assert_eq!(rebuild(NUMBER, &[(0, bytes)]).map(|_| ()).unwrap_err().code, Code::Corrupt);
}

/// A rebuilt directory has its index blocks at the end: they move when it shrinks, but never to 0.
#[test]
fn a_rebuilt_directory_shrinks_to_nothing() {
    with_seeds(60, |seed| {
        let mut rng = Rng::new(seed);
        let mut subject = Subject::new();
        let leaves = 3 + rng.below(5) as u32;
        for id in 0.. {
            if subject.table.length() > leaves {
                break;
            }
            subject.insert(&name_of(id, 250), id + 1).unwrap();
        }
        let mut leaves = leaves_of(&subject);
        (0..).zip(&mut leaves).for_each(|(number, leaf)| leaf.0 = number);
        let rebuilt = rebuild(NUMBER, &leaves).unwrap();
        assert_eq!(rebuilt.state.index_first + 1, rebuilt.length);
        subject.blocks.blocks = leaves.into_iter().map(|(_, bytes)| Some(bytes)).collect();
        apply(&mut subject, rebuilt);
        let mut names: Vec<_> = subject.model.keys().cloned().collect();
        while !names.is_empty() {
            let name = names.swap_remove(rng.below(names.len() as u64) as usize);
            subject.remove(&name).unwrap();
            subject.verify();
        }
        assert_eq!(subject.table.length(), 0);
    });
}
