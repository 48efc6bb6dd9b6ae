use super::*;
use crate::log::test_log::volume;
use crate::testing::flip;

const COUNTERS: Counters = Counters { next_number: 99, live_blocks: 5, files: 6, units: 7 };

fn recovered(next: LogPoint) -> Recovered {
    Recovered {
        records: 0,
        next,
        was_proven: true,
        time: None,
        dropped: None,
        rewrites: Vec::new(),
        unreadable_blocks: 0,
    }
}

fn point(position: u64, txn: u64) -> LogPoint {
    LogPoint { position, txn, previous_crc: 55, counters: COUNTERS }
}

#[test]
fn mkfs_leaves_one_generation_in_two_places() {
    let (device, geometry) = volume(true);
    let found = read(&device, &geometry).unwrap();
    let c = found.checkpoint;
    assert_eq!((found.valid_blocks, c.generation, c.is_clean()), (2, 1, true));
    assert_eq!((c.epoch, c.epoch_txn, c.tail, c.tail_txn, c.proven_txn), (1, 2, 0, 2, 1));
    assert_eq!(c.counters(), Counters { next_number: 16, live_blocks: 0, files: 3, units: 0 });
}

#[test]
fn every_step_of_a_volumes_life_is_a_valid_block() {
    let (device, geometry) = volume(true);
    let mut c = read(&device, &geometry).unwrap().checkpoint;
    type Step = Box<dyn Fn(&Checkpoint) -> Checkpoint>;
    let mut life: Vec<Step> = Vec::new();
    for txn in [2u64, 40, 80] {
        life.push(Box::new(move |c| c.recovery_chosen(&recovered(point(9, txn)))));
        life.push(Box::new(move |c| c.recovery_chosen(&recovered(point(9, txn)))));
        life.push(Box::new(move |c| c.with_tail(&point(9, txn), txn - 1)));
        life.push(Box::new(move |c| c.with_proven(txn + 3)));
        life.push(Box::new(move |c| c.with_tail(&point(200, txn + 5), txn + 9)));
        life.push(Box::new(move |c| c.closed(&point(201, txn + 12))));
    }
    for (step, next) in life.iter().enumerate() {
        let epoch = c.epoch;
        c = next(&c);
        write(&device, &geometry, &c).unwrap();
        let found = read(&device, &geometry).unwrap();
        assert_eq!(found.checkpoint.generation, c.generation, "step {step}");
        assert_eq!(found.valid_blocks, 4);
        assert_eq!(found.checkpoint.epoch_of(c.tail_txn), c.tail_epoch);
        assert_eq!(c.epoch - epoch, u64::from(step % 6 < 2));
        assert_eq!(c.is_clean(), step % 6 == 5);
    }
}

#[test]
fn one_good_copy_is_enough_and_without_any_the_generation_before_counts() {
    let (device, geometry) = volume(true);
    let first = read(&device, &geometry).unwrap().checkpoint;
    let second = first.recovery_chosen(&recovered(point(0, 2)));
    write(&device, &geometry, &second).unwrap();
    let generation = || read(&device, &geometry).unwrap().checkpoint.generation;
    let [head, tail] = geometry.checkpoint_blocks(2);
    flip(&device, head, 77);
    assert_eq!(generation(), 2);
    for bit in 0..BLOCK_SIZE as u64 * 8 {
        flip(&device, tail, bit);
        assert_eq!(generation(), 1, "bit {bit}");
        flip(&device, tail, bit);
    }
    flip(&device, tail, 0);
    for block in geometry.checkpoint_blocks(1) {
        flip(&device, block, 5);
    }
    assert_eq!(read(&device, &geometry).unwrap_err().code, Code::Corrupt);
}

#[test]
fn a_block_that_breaks_a_rule_does_not_count() {
    let (device, geometry) = volume(true);
    let good = read(&device, &geometry).unwrap().checkpoint.recovery_chosen(&recovered(point(0, 2)));
    type Change = (&'static str, fn(&mut Checkpoint));
    let changes: [Change; 13] = [
        ("flags", |c| c.flags = 2),
        ("generation 0", |c| c.generation = 0),
        ("generation at the end", |c| c.generation = u64::MAX - 1),
        ("slot", |c| c.generation = 3),
        ("epoch", |c| (c.epoch, c.tail_epoch) = (0, 0)),
        ("epoch at the end", |c| (c.epoch, c.tail_epoch) = (u64::MAX, u64::MAX)),
        ("tail epoch", |c| c.tail_epoch = 1),
        ("tail", |c| c.tail = 254),
        ("tail txn", |c| c.tail_txn = 1),
        ("proven before the tail", |c| c.proven_txn = 0),
        ("clean with a record", |c| (c.flags, c.proven_txn) = (1, 2)),
        ("number", |c| c.next_number = 1 << 53),
        ("files", |c| c.files = 10_000_000),
    ];
    for (what, change) in changes {
        let mut bad = good;
        change(&mut bad);
        // In the slot of generation 2, whatever generation it claims.
        for block in geometry.checkpoint_blocks(0) {
            device.write(block, &encode(&bad, &geometry)).unwrap();
        }
        let found = read(&device, &geometry).unwrap();
        assert_eq!((found.checkpoint.generation, found.valid_blocks), (1, 2), "{what}");
    }
    let mut foreign = geometry.clone();
    foreign.map.salt = [1; 16];
    write(&device, &foreign, &good).unwrap();
    assert_eq!(read(&device, &geometry).unwrap().checkpoint.generation, 1);
}

#[test]
fn a_block_that_recovery_would_refuse_is_not_written() {
    let (device, geometry) = volume(true);
    let now = read(&device, &geometry).unwrap().checkpoint;
    let wrong: [&dyn Fn(&mut Checkpoint); 9] = [
        &|c| c.live_blocks = u64::MAX,
        &|c| c.files = geometry.slots() + 1,
        &|c| c.units = geometry.units(),
        &|c| c.next_number = 1 << 53,
        &|c| c.tail = geometry.ring_blocks(),
        &|c| c.tail_txn = TXN_MAX,
        &|c| c.proven_txn = 0,
        &|c| c.generation = 1 << 60,
        &|c| c.flags = 8,
    ];
    for (i, change) in wrong.iter().enumerate() {
        let mut next = now.with_proven(now.proven_txn);
        change(&mut next);
        assert_eq!(write(&device, &geometry, &next).unwrap_err().code, Code::Corrupt, "{i}");
        let found = read(&device, &geometry).unwrap();
        assert_eq!((found.checkpoint, found.valid_blocks), (now, 2), "{i}: nothing was written");
    }
}
