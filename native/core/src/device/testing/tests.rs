//! The devices that wrap another: a test of the tests.

use super::*;
use crate::base::{BLOCK_SIZE, BlockNumber, Code};
use crate::device::Device;
use std::collections::HashSet;
use std::sync::Arc;

fn block(byte: u8) -> [u8; BLOCK_SIZE] {
    [byte; BLOCK_SIZE]
}

/// The first byte of each block.
fn content(device: &dyn Device) -> Vec<u8> {
    let mut bytes = vec![0; device.block_count() as usize * BLOCK_SIZE];
    device.read(BlockNumber(0), &mut bytes).unwrap();
    bytes.chunks(BLOCK_SIZE).map(|block| block[0]).collect()
}

fn recorder(blocks: u64) -> (MemDevice, Arc<RecordingDevice>) {
    let base = MemDevice::new(blocks);
    base.write(BlockNumber(0), &vec![9; blocks as usize * BLOCK_SIZE]).unwrap();
    let recording = Arc::new(RecordingDevice::new(Arc::new(base.snapshot())));
    (base, recording)
}

#[test]
fn devices_that_wrap_another_keep_the_contract() {
    let memory = |blocks| Arc::new(MemDevice::with_discard(blocks, Discard::Junk));
    device_contract(&|blocks| Box::new(CountingDevice::new(memory(blocks))));
    device_contract(&|blocks| Box::new(RecordingDevice::new(memory(blocks))));
    device_contract(&|blocks| Box::new(FaultDevice::new(memory(blocks))));
    device_contract(&|blocks| {
        let fault = Arc::new(FaultDevice::new(memory(blocks)));
        Box::new(RecordingDevice::new(Arc::new(CountingDevice::new(fault))))
    });
}

#[test]
fn a_prefix_of_the_trace_is_the_device_of_that_moment() {
    let (base, device) = recorder(4);
    device.write(BlockNumber(0), &block(1)).unwrap();
    device.marker("first");
    device.write_vectored(BlockNumber(2), &[&block(2), &block(3)]).unwrap();
    device.flush().unwrap();
    device.discard(BlockNumber(0), 1).unwrap();
    let trace = device.trace();
    assert_eq!(content(&trace.image(&base, 0)), [9, 9, 9, 9]);
    assert_eq!(content(&trace.image(&base, 3)), [1, 9, 9, 9]);
    assert_eq!(content(&trace.image(&base, 4)), [1, 9, 2, 3]);
    assert_eq!(content(&trace.image(&base, trace.events.len())), [0, 9, 2, 3]);
    assert_eq!(trace.cuts(), [0, 1, 3, 4, 7, 8, 9]);
    assert_eq!((trace.markers(2).count(), trace.markers(3).next()), (0, Some("first")));
    let counts = device.counts();
    assert_eq!((counts.writes, counts.written_bytes, counts.flushes), (2, 3 * 4096, 1));
    assert_eq!(device.take_trace().events.len(), 9);
    assert!(device.trace().events.is_empty());
}

#[test]
fn a_power_cut_loses_any_of_the_writes_after_the_flush_and_none_before() {
    let (base, device) = recorder(4);
    device.write(BlockNumber(0), &block(1)).unwrap();
    device.flush().unwrap();
    for at in 1..4 {
        device.write(BlockNumber(at), &block(2)).unwrap();
    }
    let trace = device.trace();
    let seen: HashSet<Vec<u8>> = (0..400)
        .map(|seed| {
            let image = trace.crash(&base, trace.events.len(), seed);
            assert_eq!(content(&image), content(&trace.crash(&base, trace.events.len(), seed)));
            content(&image)
        })
        .collect();
    assert!(seen.iter().all(|blocks| blocks[0] == 1));
    assert_eq!(seen.len(), 8, "every subset of three writes: {seen:?}");

    let mut cursor = trace.cursor(&base);
    cursor.advance_to(trace.events.len());
    assert_eq!(cursor.volatile_count(), 3);
    let all: HashSet<_> = (0..8).map(|mask| content(&cursor.with_volatile(|i| mask >> i & 1 == 1))).collect();
    assert_eq!(all, seen);
}

#[test]
fn a_torn_write_is_old_or_new_in_each_sector() {
    let (base, device) = recorder(4);
    device.write(BlockNumber(1), &[7; 2 * BLOCK_SIZE]).unwrap();
    let trace = device.trace();
    let mut patterns = HashSet::new();
    for seed in 0..300 {
        let mut bytes = vec![0; 4 * BLOCK_SIZE];
        trace.crash(&base, trace.events.len(), seed).read(BlockNumber(0), &mut bytes).unwrap();
        let sectors: Vec<u8> = bytes
            .chunks(512)
            .map(|s| {
                assert!(s.iter().all(|&b| b == s[0]));
                s[0]
            })
            .collect();
        assert!(sectors[..8].iter().chain(&sectors[24..]).all(|&b| b == 9));
        assert!(sectors.iter().all(|&b| b == 7 || b == 9));
        patterns.insert(sectors);
    }
    assert!(patterns.len() > 50, "only {}", patterns.len());
}

#[test]
fn the_later_write_of_a_block_never_loses_to_the_earlier() {
    let (base, device) = recorder(1);
    device.write(BlockNumber(0), &block(1)).unwrap();
    device.write(BlockNumber(0), &block(2)).unwrap();
    device.flush().unwrap();
    device.write(BlockNumber(0), &block(3)).unwrap();
    let trace = device.trace();
    let after = |cut| (0..100).map(|seed| content(&trace.crash(&base, cut, seed))[0]).collect::<HashSet<_>>();
    // Sectors of block 0 may differ; the first is enough here.
    assert_eq!(after(4), HashSet::from([9, 1, 2]));
    assert_eq!(after(6), HashSet::from([2]));
    assert_eq!(after(8), HashSet::from([2, 3]));
}

#[test]
fn a_flush_covers_only_what_returned_before_it_was_called() {
    let write =
        |id, at, byte: u8| Event::WriteBegin { id, at: BlockNumber(at), data: block(byte).to_vec().into() };
    let end = |id| Event::End { id, ok: true };
    let trace = Trace {
        events: vec![write(1, 0, 1), write(2, 1, 1), end(1), Event::FlushBegin { id: 3 }, end(2), end(3)],
    };
    let base = MemDevice::new(2);
    let seen: HashSet<_> = (0..100).map(|seed| content(&trace.crash(&base, 6, seed))).collect();
    assert_eq!(seen, HashSet::from([vec![1, 0], vec![1, 1]]));
    // Before the flush returned, nothing is sure.
    let seen: HashSet<_> = (0..200).map(|seed| content(&trace.crash(&base, 5, seed))).collect();
    assert_eq!(seen.len(), 4);
}

#[test]
fn a_failed_flush_or_write_makes_nothing_durable() {
    let (base, recording) = recorder(2);
    let inner = Arc::new(base.snapshot());
    let fault = Arc::new(FaultDevice::new(inner));
    drop(recording);
    let device = RecordingDevice::new(fault.clone());
    device.write(BlockNumber(0), &block(1)).unwrap();
    fault.add(Op::Flush, When::Nth(0), Fault::Eio);
    assert_eq!(device.flush().unwrap_err().code, Code::Io);
    let trace = device.trace();
    let seen: HashSet<_> = (0..60).map(|seed| content(&trace.crash(&base, 4, seed))[0]).collect();
    assert_eq!(seen, HashSet::from([9, 1]));
    fault.add(Op::Write, When::Nth(0), Fault::Eio);
    assert!(device.write(BlockNumber(1), &block(2)).is_err());
    let trace = device.trace();
    let seen: HashSet<_> = (0..60).map(|seed| content(&trace.crash(&base, 6, seed))[1]).collect();
    assert_eq!(seen, HashSet::from([9, 2]));
    fault.clear();
    device.flush().unwrap();
    let trace = device.trace();
    let seen: HashSet<_> = (0..60).map(|seed| content(&trace.crash(&base, 8, seed))).collect();
    assert_eq!(seen, HashSet::from([vec![1, 9]]), "the failed write left nothing, the other is durable");
}

#[test]
fn each_crash_visits_every_cut_and_can_be_replayed() {
    let (base, device) = recorder(8);
    for at in 0..8 {
        device.write(BlockNumber(at), &block(at as u8)).unwrap();
        if at % 3 == 2 {
            device.flush().unwrap();
        }
    }
    let trace = device.trace();
    let mut cuts = Vec::new();
    trace.each_crash(&base, 3, 77, |state| {
        cuts.push(state.cut);
        assert_eq!(content(&state.image), content(&trace.crash(&base, state.cut, state.seed)));
        if state.cut >= 8 {
            assert_eq!(content(&state.image)[..3], [0, 1, 2], "cut {}", state.cut);
        }
    });
    cuts.dedup();
    assert_eq!(cuts, trace.cuts());
    assert_eq!(cuts.len(), 12);
}

#[test]
fn faults_come_when_told_and_say_where() {
    let inner = Arc::new(MemDevice::new(16));
    let device = FaultDevice::new(inner.clone());
    device.add(Op::Write, When::Nth(1), Fault::NoSpace);
    device.add(Op::Write, When::From(3), Fault::Eio);
    let results: Vec<bool> = (0..6).map(|_| device.write(BlockNumber(2), &block(1)).is_ok()).collect();
    assert_eq!(results, [true, false, true, false, false, false]);
    device.clear();
    device.add(Op::Write, When::Nth(0), Fault::NoSpace);
    let error = device.write(BlockNumber(2), &block(1)).unwrap_err();
    assert_eq!(error.code, Code::Io);
    assert!(error.detail().contains("offset 8192") && error.detail().contains("No space"), "{error}");

    device.clear();
    device.add(Op::Read, When::Blocks(5..7), Fault::Eio);
    let mut two = [0; 2 * BLOCK_SIZE];
    let reads: Vec<bool> = (3..8).map(|at| device.read(BlockNumber(at), &mut two).is_ok()).collect();
    assert_eq!(reads, [true, false, false, false, true]);
}

#[test]
fn short_lost_and_flipped_do_what_they_say() {
    let inner = Arc::new(MemDevice::new(16));
    let device = FaultDevice::new(inner.clone());
    device.add(Op::Write, When::Nth(0), Fault::ShortWrite);
    device.add(Op::Write, When::Nth(1), Fault::Lost);
    assert!(device.write_vectored(BlockNumber(0), &[&block(1), &block(2), &block(3)]).is_err());
    device.write(BlockNumber(5), &block(4)).unwrap();
    device.write(BlockNumber(6), &block(5)).unwrap();
    assert_eq!(content(&*inner)[..7], [1, 0, 0, 0, 0, 0, 5]);
    device.add(Op::Flush, When::From(0), Fault::Eio);
    device.add(Op::Discard, When::From(0), Fault::Eio);
    assert!(device.flush().is_err() && device.discard(BlockNumber(0), 1).is_err());
    device.add(Op::Read, When::Nth(0), Fault::FlipBit(3));
    let mut bytes = block(0);
    device.read(BlockNumber(6), &mut bytes).unwrap();
    let wrong: u32 = bytes.iter().map(|b| (b ^ 5).count_ones()).sum();
    assert_eq!(wrong, 1);
}
