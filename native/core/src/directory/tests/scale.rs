//! Large directories: costs counted in blocks, not in time.

use super::super::name_hash;
use super::support::{Rng, Subject, seed_of, with_seeds};

#[test]
fn two_hundred_thousand_names_cost_one_read_each() {
    const NAMES: u64 = 200_000;
    let name = |id: u64| format!("file-{id:07}.dat").into_bytes();
    let mut subject = Subject::new();
    let Subject { table, blocks, .. } = &mut subject;
    for id in 0..NAMES {
        table.insert(blocks, &name(id), seed_of(id + 1), 8).unwrap();
    }
    assert_eq!(blocks.reads, NAMES - 1, "the first insert reads nothing, the others one block");
    // One leaf each; at a split one or two leaves and an index block; a doubling rewrites the index.
    assert!(blocks.writes < NAMES + NAMES / 10, "{} writes", blocks.writes);
    let report = table.check(blocks).unwrap();
    assert_eq!(report.entries, NAMES);
    let load = report.used_bytes as f64 / (f64::from(report.leaves) * 4064.0);
    assert!((0.60..0.80).contains(&load), "load {load}");
    assert!(table.index().memory() < 256 * 1024, "{} bytes of index", table.index().memory());

    blocks.reads = 0;
    for id in 0..NAMES {
        assert_eq!(table.lookup(blocks, &name(id)).unwrap().unwrap().seed, seed_of(id + 1));
    }
    assert_eq!(blocks.reads, NAMES);
    assert!(table.lookup(blocks, b"absent").unwrap().is_none());

    blocks.reads = 0;
    let mut given = 0;
    let mut last = 0;
    loop {
        let mut batch = 0;
        let start = last;
        table
            .iterate(blocks, start, &mut |named| {
                batch += 1;
                if batch <= 500 {
                    last = named.entry.cookie;
                }
                batch <= 500
            })
            .unwrap();
        given += batch.min(500);
        if batch <= 500 {
            break;
        }
    }
    assert_eq!(given, NAMES);
    // Each leaf once, and again the two between which a batch ends.
    assert!(blocks.reads < u64::from(report.leaves) + 2 * (NAMES / 500 + 1), "{} reads", blocks.reads);

    (blocks.reads, blocks.writes) = (0, 0);
    for id in 0..NAMES {
        assert!(table.remove(blocks, &name(id)).unwrap().is_some());
    }
    assert_eq!((table.length(), blocks.blocks.len()), (0, 0));
    // The leaf, its neighbour while below half, and the block that fills a freed place.
    assert!(blocks.reads < NAMES * 2, "{} reads", blocks.reads);
    assert!(blocks.writes < NAMES * 5 / 4, "{} writes", blocks.writes);
}

/// Long names make many leaves: an index of several blocks, which leaves and index blocks that move
/// must keep right.
#[test]
fn an_index_of_several_blocks_grows_shrinks_and_reloads() {
    with_seeds(4, |seed| {
        let mut rng = Rng::new(seed);
        let mut subject = Subject::new();
        let mut names: Vec<Vec<u8>> = Vec::new();
        let (mut next, mut most_index_blocks) = (0u64, 0);
        for phase in 0..6 {
            let target = [16_000, 7_000, 12_000, 3_000, 5_000, 0][phase] + rng.below(1000) as usize;
            let target = if phase == 5 { 0 } else { target };
            while names.len() != target {
                if names.len() < target {
                    let name = format!("{next:0>255}").into_bytes();
                    next += 1;
                    subject.table.insert(&mut subject.blocks, &name, seed_of(next), 8).unwrap();
                    names.push(name);
                } else {
                    let name = names.swap_remove(rng.below(names.len() as u64) as usize);
                    assert!(subject.table.remove(&mut subject.blocks, &name).unwrap().is_some());
                }
                if names.len() % 500 == 0 {
                    subject.table.check(&mut subject.blocks).unwrap();
                    assert_eq!(subject.table.entries(), names.len() as u64);
                }
            }
            most_index_blocks = most_index_blocks.max(subject.table.state().index_blocks);
            subject.reload(name_hash);
            for name in &names {
                assert!(subject.table.lookup(&mut subject.blocks, name).unwrap().is_some());
            }
        }
        assert!(most_index_blocks >= 3, "{most_index_blocks} index blocks");
        assert_eq!(subject.table.length(), 0);
    });
}
