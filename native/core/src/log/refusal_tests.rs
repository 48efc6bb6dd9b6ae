//! Records that recovery would refuse are not finished.

use super::record_tests::{COMMIT, TABLES, place, sample};
use super::test_log::volume_with;
use super::{Commit, RecordBuilder};
use crate::base::Code;
use crate::format::Region;
use crate::format::layout as l;

#[test]
fn a_record_that_recovery_would_refuse_is_not_finished() {
    let (_, geometry) = volume_with(true, TABLES[0]);
    let table = geometry.descriptors;
    let good = sample(table, 3);
    let (bytes, crc) = good.finish_checked(&COMMIT, &geometry).unwrap();
    assert!((&bytes[..], crc) == (&good.finish(&COMMIT, &geometry.map.salt).0[..], crc), "the same bytes");
    let with = |change: &dyn Fn(&mut Commit)| {
        let mut commit = COMMIT;
        change(&mut commit);
        good.finish_checked(&commit, &geometry).map(drop).unwrap_err()
    };
    let wrong = [
        with(&|commit| commit.counters.live_blocks = geometry.data_blocks() + 1),
        with(&|commit| commit.counters.live_blocks = u64::MAX),
        with(&|commit| commit.counters.files = geometry.slots() + 1),
        with(&|commit| commit.counters.units = geometry.units()),
        with(&|commit| commit.counters.next_number = 1 << 53),
        with(&|commit| commit.counters.next_number = 15),
        with(&|commit| commit.txn = 0),
        with(&|commit| commit.txn = 1 << 48),
        with(&|commit| commit.epoch = 0),
    ];
    for error in wrong {
        assert_eq!(error.code, Code::Corrupt, "{error}");
    }
    let items: [&dyn Fn(&mut RecordBuilder); 6] = [
        &|record| record.slot(Region::Cortex, 4, 20, &[1; l::SLOT_SIZE as usize]),
        &|record| record.slot_clear(Region::Cortex, geometry.map.pages_of(Region::Cortex), 0),
        &|record| record.blocks_free(geometry.data_blocks(), 1),
        &|record| record.units_free(0, 1),
        &|record| record.unwritten(2000, &place(5, 0), 40),
        &|record| record.birth(0, 1),
    ];
    for (i, add) in items.into_iter().enumerate() {
        let mut record = sample(table, 3);
        record.slot(Region::Cortex, 4, 20, &[2; l::SLOT_SIZE as usize]);
        let twice = i == 0;
        let mut alone = RecordBuilder::new(table);
        add(if twice { &mut record } else { &mut alone });
        let record = if twice { record } else { alone };
        assert_eq!(
            record.finish_checked(&COMMIT, &geometry).map(drop).unwrap_err().code,
            Code::Corrupt,
            "item {i}"
        );
    }
    let mut long = RecordBuilder::new(table);
    (0..2 * geometry.record_blocks_max())
        .for_each(|page| long.page(page % 40, &[1; l::PAGE_PAYLOAD as usize]));
    let error = long.finish_checked(&COMMIT, &geometry).map(drop).unwrap_err();
    assert!(error.detail().contains("too large"), "{error}");
}
