//! Large directories: costs counted in blocks, not in time.

use super::support::{Subject, seed_of};

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
