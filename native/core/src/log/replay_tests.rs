use super::test_log::{TestLog, volume};
use super::*;
use crate::base::{AlignedBuf, BLOCK_SIZE, BlockNumber, Code, CopyPage};
use crate::device::Device;
use crate::device::testing::{Fault, FaultDevice, MemDevice, Op, When};
use crate::format::layout as l;
use crate::format::{BlockPlace, DescriptorTable, Region, page_txn};
use crate::testing::{Rng, flip};
use std::sync::Arc;

const SECTOR: usize = 512;

fn slot_item(record: &mut RecordBuilder, page: u64, byte: u8) {
    record.slot(Region::Cortex, page, 0, &[byte; l::SLOT_SIZE as usize]);
}

/// A record of `blocks` log blocks that writes `byte` into slots.
fn big(record: &mut RecordBuilder, blocks: usize, byte: u8) {
    let mut number = 0;
    while record.block_count() < blocks {
        record.slot(Region::Cortex, number / 21, (number % 21) as u16, &[byte; l::SLOT_SIZE as usize]);
        number += 1;
    }
}

fn place(index: u64, flags: u64) -> BlockPlace {
    BlockPlace { owner: 20, hint: 0, index, flags: flags as u16, stored: 4096 }
}

fn snapshot(log: &TestLog) -> TestLog {
    TestLog {
        device: log.device.snapshot(),
        geometry: log.geometry.clone(),
        checkpoint: log.checkpoint,
        ring: log.ring.clone(),
        next: log.next,
    }
}

#[test]
fn a_fresh_volume_has_an_empty_log() {
    let (device, geometry) = volume(true);
    let found = checkpoint::read(&device, &geometry).unwrap().checkpoint;
    let recovered = recover(&device, &geometry, &found).unwrap();
    assert_eq!((recovered.records, recovered.last_txn(), recovered.next.position), (0, 1, 0));
    assert_eq!(recovered.counters(), Counters { next_number: 16, live_blocks: 0, files: 3, units: 0 });
    assert!(recovered.was_proven && recovered.time.is_none());
}

#[test]
fn all_records_are_found_and_applied_in_order() {
    let mut log = TestLog::new(true);
    for round in 0..40u8 {
        log.commit(|record| {
            slot_item(record, u64::from(round % 3), round);
            record.blocks_free(u64::from(round), 1);
        });
    }
    let recovered = log.recover().unwrap();
    assert_eq!((recovered.records, recovered.last_txn(), recovered.next), (40, 41, log.next));
    assert_eq!((recovered.was_proven, recovered.time), (false, Some(41_000)));
    let images = log.images().unwrap();
    for (page, byte) in [(0, 39), (1, 37), (2, 38)] {
        let page = log.geometry.map.page(Region::Cortex, page).unwrap();
        let image = &images.pages[&page.0];
        assert!(image[..192].iter().all(|&b| b == byte));
        assert_eq!(page_txn(image), u64::from(byte) + 2);
    }
}

#[test]
fn a_record_torn_at_any_sector_is_the_end_of_the_log() {
    let mut base = TestLog::new(true);
    base.commit(|record| slot_item(record, 1, 1));
    // What stands there before: zeros, or old bytes of another life.
    for old_bytes in [0, 0xa5] {
        let mut log = snapshot(&base);
        for position in 1..10 {
            log.device.write(log.ring_block(position), &[old_bytes; BLOCK_SIZE]).unwrap();
        }
        let before = log.device.snapshot();
        let (position, blocks) = log.commit(|record| big(record, 3, 2));
        let (first, bytes) = (log.ring_block(position), blocks as usize * BLOCK_SIZE);
        let (mut old, mut new) = (vec![0; bytes], vec![0; bytes]);
        before.read(first, &mut old).unwrap();
        log.device.read(first, &mut new).unwrap();
        let sectors = bytes / SECTOR;
        // A sector holds zeros only behind the last item, where old and new may be equal.
        let differing =
            |from: usize, to: usize| old[from * SECTOR..to * SECTOR] != new[from * SECTOR..to * SECTOR];
        for cut in 0..=sectors {
            for head_is_new in [true, false] {
                let (head, tail) = if head_is_new { (&new, &old) } else { (&old, &new) };
                let torn = [&head[..cut * SECTOR], &tail[cut * SECTOR..]].concat();
                log.device.write(first, &torn).unwrap();
                let missing = if head_is_new { differing(cut, sectors) } else { differing(0, cut) };
                let recovered = log.recover().unwrap();
                assert_eq!(recovered.records, if missing { 1 } else { 2 }, "cut at sector {cut}");
                assert_eq!(recovered.next.position, if missing { position } else { position + blocks });
            }
        }
        for seed in 0..300u64 {
            let mut rng = Rng::new(seed);
            let mut torn = old.clone();
            for sector in 0..sectors {
                if rng.chance(1, 2) {
                    torn[sector * SECTOR..][..SECTOR].copy_from_slice(&new[sector * SECTOR..][..SECTOR]);
                }
            }
            log.device.write(first, &torn).unwrap();
            assert_eq!(log.recover().unwrap().records, if torn == new { 2 } else { 1 }, "seed {seed}");
        }
    }
}

#[test]
fn a_bad_record_before_a_valid_one_is_damage_and_the_last_bad_one_is_the_end() {
    let mut log = TestLog::new(true);
    let mut places = Vec::new();
    for round in 0..6 {
        places.push(log.commit(|record| big(record, 1 + round % 3, 7)));
    }
    for (number, &(position, blocks)) in places.iter().enumerate() {
        for block in position..position + blocks {
            let at = log.ring_block(block);
            flip(&log.device, at, 8 * 700 + 3);
            match log.recover() {
                Err(error) => {
                    assert!(number < 5);
                    assert_eq!(error.code, Code::Corrupt);
                    let place = format!("record {} (ring block {position})", number + 2);
                    assert!(error.detail().contains(&place), "{error}");
                }
                Ok(recovered) => assert_eq!((number, recovered.records), (5, 5)),
            }
            flip(&log.device, at, 8 * 700 + 3);
        }
    }
    assert_eq!(log.recover().unwrap().records, 6);
}

#[test]
fn a_missing_record_that_is_known_to_be_proven_is_damage() {
    let mut log = TestLog::new(true);
    log.commit(|record| slot_item(record, 1, 1));
    let (position, _) = log.commit(|record| slot_item(record, 2, 1));
    flip(&log.device, log.ring_block(position), 900);
    assert_eq!(log.recover().unwrap().last_txn(), 2);
    log.checkpoint = log.checkpoint.with_proven(3);
    checkpoint::write(&log.device, &log.geometry, &log.checkpoint).unwrap();
    assert_eq!(log.recover().unwrap_err().code, Code::Corrupt);
}

#[test]
fn a_record_that_does_not_name_the_one_before_is_not_taken() {
    let mut log = TestLog::new(true);
    log.commit(|record| slot_item(record, 1, 1));
    log.next.previous_crc ^= 1;
    log.commit(|record| slot_item(record, 2, 2));
    // It is valid and later, so the log did not simply end.
    assert_eq!(log.recover().unwrap_err().code, Code::Corrupt);
}

#[test]
fn records_of_another_epoch_do_not_exist() {
    let mut log = TestLog::new(true);
    log.commit(|record| slot_item(record, 1, 1));
    let stamps = log.write_data(5, &place(0, 0), 1, 1);
    log.commit(|record| record.descriptors(5, &place(0, 0), &stamps));
    // The data of the last one is lost in the crash: recovery drops it and goes on behind the first.
    log.write_data(5, &place(0, 0), 2, 1);
    let recovered = log.recover().unwrap();
    let expected = Dropped { txn: 3, data: 5, owner: 20, index: 0 };
    assert_eq!((recovered.records, recovered.dropped), (1, Some(expected)));
    let mut log = TestLog::open(log.device, log.geometry);
    assert_eq!((log.next.txn, log.next.position, log.checkpoint.epoch), (3, 1, 3));
    // Now the block holds those bytes after all, and the old record still stands there.
    log.write_data(5, &place(0, 0), 1, 1);
    let recovered = log.recover().unwrap();
    assert_eq!((recovered.records, recovered.dropped), (0, None));
    // The new life's record takes its place and number.
    log.commit(|record| slot_item(record, 4, 4));
    assert_eq!(log.recover().unwrap().next, log.next);
}

#[test]
fn a_crash_during_recovery_changes_nothing() {
    let mut log = TestLog::new(true);
    for round in 0..5 {
        log.commit(|record| slot_item(record, round, 1));
    }
    for _ in 0..3 {
        let found = checkpoint::read(&log.device, &log.geometry).unwrap().checkpoint;
        let recovered = log.recover().unwrap();
        assert_eq!((recovered.records, recovered.last_txn(), recovered.next), (5, 6, log.next));
        // The first checkpoint block is written, then the power fails.
        checkpoint::write(&log.device, &log.geometry, &found.recovery_chosen(&recovered)).unwrap();
    }
    assert!(log.recover().unwrap().was_proven);
    let log = TestLog::open(log.device, log.geometry);
    assert_eq!((log.next.txn, log.checkpoint.epoch, log.recover().unwrap().records), (7, 6, 0));
}

#[test]
fn the_ring_wraps_for_many_laps() {
    for seed in 0..8u64 {
        let mut rng = Rng::new(seed);
        let mut log = TestLog::new(seed % 2 == 0);
        let (mut held, mut laps) = (0, 0);
        for round in 0..1_500u64 {
            let most = if rng.chance(1, 10) { 63 } else { 6 };
            let blocks = 1 + rng.below(most);
            if log.ring.free() < blocks {
                log.move_tail();
                held = 0;
            }
            let (position, taken) = log.commit(|record| big(record, blocks as usize, round as u8));
            held += 1;
            laps += u64::from(position + taken >= log.geometry.ring_blocks());
            if rng.chance(1, 8) {
                let recovered = log.recover().unwrap();
                assert_eq!(
                    (recovered.records, recovered.next),
                    (held, log.next),
                    "seed {seed}, round {round}"
                );
            }
            if rng.chance(1, 40) {
                log.move_tail();
                held = 0;
            }
            if rng.chance(1, 200) {
                let geometry = log.geometry.clone();
                log = TestLog::open(log.device.snapshot(), geometry);
                held = 0;
            }
        }
        assert!(laps > 10);
    }
}

#[test]
fn a_record_that_wraps_goes_on_at_the_first_block_of_the_ring() {
    let mut log = TestLog::new(true);
    for blocks in [60, 60, 60, 60] {
        log.commit(|record| big(record, blocks, 1));
        log.move_tail();
    }
    let outside = |log: &TestLog| {
        let mut bytes = vec![0; 4 * BLOCK_SIZE];
        let behind = BlockNumber(log.geometry.log_start + log.geometry.log_blocks);
        log.device.read(behind, &mut bytes).unwrap();
        bytes
    };
    let before = outside(&log);
    assert_eq!(log.commit(|record| big(record, 20, 2)), (240, 20));
    assert_eq!(log.recover().unwrap().next.position, 6);
    assert!(outside(&log) == before);
    let mut bytes = vec![0; BLOCK_SIZE];
    log.device.read(log.ring_block(5), &mut bytes).unwrap();
    assert!(bytes.contains(&2));
}

#[test]
fn a_ring_filled_to_its_last_block_reads_back() {
    let mut log = TestLog::new(true);
    log.commit(|record| big(record, 60, 1));
    log.move_tail();
    while log.ring.free() > 0 {
        let blocks = log.ring.free().min(63) as usize;
        log.commit(|record| big(record, blocks, 2));
    }
    assert_eq!(log.recover().unwrap().next, log.next);
    log.move_tail();
    assert_eq!((log.ring.held(), log.recover().unwrap().records), (0, 0));
}

#[test]
fn the_last_transaction_is_dropped_with_its_data_and_kept_when_proven() {
    dropped_or_kept(TestLog::new(true));
    dropped_or_kept(TestLog::with(true, DescriptorTable::STAMPED));
}

fn dropped_or_kept(mut log: TestLog) {
    let stamps = log.write_data(100, &place(0, 0), 1, 900);
    log.commit(|record| slot_item(record, 3, 3));
    log.commit(|record| {
        slot_item(record, 4, 4);
        record.descriptors(100, &place(0, 0), &stamps);
        record.unwritten(2000, &BlockPlace { stored: 0, ..place(2000, l::DESCRIPTOR_UNWRITTEN) }, 50);
    });
    assert_eq!(log.recover().unwrap().records, 2);
    for bad in [100, 355, 356, 999] {
        let block = log.geometry.data_block(bad);
        flip(&log.device, block, 12345);
        let recovered = log.recover().unwrap();
        let expected = Dropped { txn: 3, data: bad, owner: 20, index: bad - 100 };
        assert_eq!((recovered.records, recovered.dropped), (1, Some(expected)));
        assert_eq!((recovered.last_txn(), recovered.next.position, recovered.was_proven), (2, 1, true));
        assert_eq!(recovered.counters().next_number, 17);
        let page = log.geometry.map.page(Region::Cortex, 4).unwrap();
        assert!(!log.images().unwrap().pages.contains_key(&page.0));
        // Proven by a later record, or by a checkpoint block: kept, whatever happens to its data.
        let mut later = snapshot(&log);
        later.commit(|record| slot_item(record, 5, 5));
        assert_eq!(later.recover().unwrap().records, 3);
        let named = snapshot(&log);
        checkpoint::write(&named.device, &named.geometry, &named.checkpoint.with_proven(3)).unwrap();
        assert_eq!((named.recover().unwrap().records, named.recover().unwrap().was_proven), (2, true));
        flip(&log.device, block, 12345);
    }
}

#[test]
fn one_good_copy_of_a_directory_block_verifies_the_last_transaction() {
    one_good_copy(TestLog::new(true));
    one_good_copy(TestLog::with(true, DescriptorTable::STAMPED));
}

fn one_good_copy(mut log: TestLog) {
    let places = [place(0, l::DESCRIPTOR_META), place(0, l::DESCRIPTOR_META | 1)];
    let stamps = [200, 300].map(|data| log.write_data(data, &places[data as usize / 300], 7, 4));
    log.commit(|record| {
        record.descriptors(200, &places[0], &stamps[0]);
        record.descriptors(300, &places[1], &stamps[1][..2]);
        record.descriptors(302, &places[1].plus(2), &stamps[1][2..]);
    });
    assert_eq!(log.recover().unwrap().rewrites, []);
    let bad = |data: u64| flip(&log.device, log.geometry.data_block(data), 1);
    bad(201);
    bad(303);
    let recovered = log.recover().unwrap();
    let block = |copy: usize, i: u64| NamedBlock {
        data: 200 + copy as u64 * 100 + i,
        place: places[copy].plus(i),
        stamp: stamps[copy][i as usize],
    };
    let expected =
        [Rewrite { bad: block(0, 1), good: block(1, 1) }, Rewrite { bad: block(1, 3), good: block(0, 3) }];
    assert_eq!((recovered.records, &recovered.rewrites[..]), (1, &expected[..]));
    bad(301);
    assert_eq!(log.recover().unwrap().dropped.unwrap().index, 1);
}

#[test]
fn a_block_the_device_cannot_read_counts_as_bad() {
    let mut log = TestLog::new(true);
    let stamps = log.write_data(50, &place(0, 0), 1, 1);
    log.commit(|record| slot_item(record, 1, 1));
    log.commit(|record| record.descriptors(50, &place(0, 0), &stamps));
    let recover_with_fault = |block: BlockNumber| {
        let device = FaultDevice::new(Arc::new(log.device.snapshot()));
        device.add(Op::Read, When::Blocks(block.0..block.0 + 1), Fault::Eio);
        recover(&device, &log.geometry, &log.checkpoint)
    };
    let data = recover_with_fault(log.geometry.data_block(50)).unwrap();
    assert_eq!((data.records, data.dropped.is_some(), data.unreadable_blocks), (1, true, 0));
    let record = recover_with_fault(log.ring_block(1)).unwrap();
    assert_eq!((record.records, record.dropped, record.unreadable_blocks > 0), (1, None, true));
    assert_eq!(recover_with_fault(log.ring_block(0)).unwrap_err().code, Code::Corrupt);
    assert_eq!(recover_with_fault(log.ring_block(100)).unwrap().records, 2);
}

#[test]
fn a_closed_volume_is_not_searched_unless_its_checkpoint_block_is_too_old() {
    let mut log = TestLog::new(true);
    log.commit(|record| slot_item(record, 1, 1));
    let closed = log.checkpoint.closed(&log.next);
    checkpoint::write(&log.device, &log.geometry, &closed).unwrap();
    let recovered = log.recover().unwrap();
    assert_eq!((recovered.records, recovered.last_txn(), recovered.was_proven), (0, 2, true));
    let mut reopened = TestLog::open(log.device.snapshot(), log.geometry.clone());
    reopened.commit(|record| slot_item(record, 2, 2));
    // The blocks of the new life get lost; the old ones, come back from somewhere, do not fit the log.
    checkpoint::write(&reopened.device, &log.geometry, &closed).unwrap();
    let other = BlockNumber(log.geometry.checkpoint_blocks(closed.generation + 1)[0].0);
    reopened.device.write(other, &[0; BLOCK_SIZE]).unwrap();
    reopened
        .device
        .write(log.geometry.checkpoint_blocks(closed.generation + 1)[1], &[0; BLOCK_SIZE])
        .unwrap();
    assert_eq!(reopened.recover().unwrap_err().code, Code::Corrupt);
}

#[test]
fn a_whole_page_in_the_record_needs_no_base() {
    let mut log = TestLog::new(false);
    let page = log.geometry.map.page(Region::Cortex, 2).unwrap();
    log.commit(|record| {
        slot_item(record, 2, 9);
        record.page(page.0, &[3; l::PAGE_PAYLOAD as usize]);
    });
    // The home page was torn by the crash.
    log.device.write(log.geometry.page_block(0, page).unwrap(), &[0xdd; BLOCK_SIZE]).unwrap();
    let images = log.images().unwrap();
    let image = &images.pages[&page.0];
    assert!(image[..192].iter().all(|&b| b == 9) && image[192..4032].iter().all(|&b| b == 3));
    assert_eq!(log.geometry.page_block(1, CopyPage(0)), None);
}

#[test]
fn a_ring_full_of_pretended_records_is_judged_in_one_pass() {
    let mut log = TestLog::new(true);
    log.commit(|record| big(record, 63, 1));
    let mut header = vec![0; BLOCK_SIZE];
    log.device.read(log.ring_block(0), &mut header).unwrap();
    // Every block of the ring begins a record of 63 blocks with a later transaction and a wrong CRC.
    header[l::LogRecord::AT_TXN] = 200;
    for position in 0..log.geometry.ring_blocks() {
        log.device.write(log.ring_block(position), &header).unwrap();
    }
    assert_eq!(log.recover().unwrap().records, 0);
    // One of them is real.
    log.next.txn = 77;
    log.next.position = log.ring.head();
    log.commit(|record| big(record, 2, 1));
    assert_eq!(log.recover().unwrap_err().code, Code::Corrupt);
}

#[test]
fn mutated_logs_never_panic() {
    let mut base = TestLog::new(true);
    for round in 0..12u64 {
        let stamps = base.write_data(round, &place(round, 0), round, 1);
        base.commit(|record| {
            big(record, 1 + (round % 4) as usize, 1);
            record.descriptors(round, &place(round, 0), &stamps);
            record.birth(30 + round, 1);
        });
    }
    let mut outcomes = [0; 3];
    for seed in 0..1_500u64 {
        let mut rng = Rng::new(seed);
        let log = snapshot(&base);
        for _ in 0..1 + rng.below(3) {
            mutate(&log, &mut rng);
        }
        match log.recover() {
            Ok(recovered) if recovered.records == 12 => outcomes[0] += 1,
            Ok(recovered) => {
                assert!(recovered.records < 12);
                log.images().unwrap();
                outcomes[1] += 1;
            }
            Err(error) => {
                assert_eq!(error.code, Code::Corrupt);
                outcomes[2] += 1;
            }
        }
    }
    assert!(outcomes.iter().all(|&count| count > 50), "{outcomes:?}");
}

/// Changes a header, some bytes, a whole block or a data block; gives records a valid CRC again in half
/// of the cases.
fn mutate(log: &TestLog, rng: &mut Rng) {
    let position = rng.below(32);
    let at = log.ring_block(position);
    let mut bytes = AlignedBuf::zeroed(1);
    log.device.read(at, &mut bytes).unwrap();
    match rng.below(6) {
        0 => rng.fill(&mut bytes),
        1 => bytes.fill(0),
        2 => log.device.read(log.ring_block(rng.below(32)), &mut bytes).unwrap(),
        3 => bytes[rng.below(l::LogRecord::SIZE as u64) as usize] = rng.next_u64() as u8,
        4 => {
            let data = rng.below(12);
            flip(&log.device, log.geometry.data_block(data), rng.below(32768));
        }
        _ => bytes[rng.below(4096) as usize] ^= 1 << rng.below(8),
    }
    if rng.chance(1, 2) {
        let crc = codec::record_crc(&bytes);
        bytes[l::LogRecord::AT_CRC..l::LogRecord::SIZE].copy_from_slice(&crc.to_le_bytes());
    }
    log.device.write(at, &bytes).unwrap();
}

#[test]
fn random_bytes_everywhere_are_an_error_or_an_empty_log() {
    let (_, geometry) = volume(true);
    let device = MemDevice::new(4096);
    let mut block = [0; BLOCK_SIZE];
    let mut rng = Rng::new(11);
    for at in 0..geometry.window_start {
        rng.fill(&mut block);
        device.write(BlockNumber(at), &block).unwrap();
    }
    assert_eq!(checkpoint::read(&device, &geometry).unwrap_err().code, Code::Corrupt);
    let (fresh, _) = volume(true);
    let found = checkpoint::read(&fresh, &geometry).unwrap().checkpoint;
    let dirty = l::Checkpoint { flags: 0, ..found };
    assert_eq!(recover(&device, &geometry, &dirty).unwrap().records, 0);
    assert_eq!(recover(&device, &geometry, &found).unwrap().records, 0);
}
