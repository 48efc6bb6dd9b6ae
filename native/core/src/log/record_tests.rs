use super::test_log::{Images, TestLog, volume, volume_with};
use super::*;
use crate::base::{AlignedBuf, BLOCK_SIZE, Code, CopyPage};
use crate::format::layout as l;
use crate::format::{BlockPlace, DescriptorTable, Geometry, Region, Stamp, page_txn};
use crate::testing::Rng;

pub(super) const COMMIT: Commit = Commit {
    epoch: 3,
    txn: 77,
    previous_crc: 0x1234_5678,
    time: -5,
    counters: Counters { next_number: 20, live_blocks: 9, files: 4, units: 2 },
};

pub(super) fn place(index: u64, flags: u16) -> BlockPlace {
    BlockPlace { owner: 17, hint: 6, index, flags, stored: 4096 }
}

fn unwritten(index: u64, flags: u16) -> BlockPlace {
    BlockPlace { stored: 0, ..place(index, flags | l::DESCRIPTOR_UNWRITTEN as u16) }
}

/// Stamps with these checksums only.
fn crcs<const N: usize>(crcs: [u32; N]) -> [Stamp; N] {
    crcs.map(|crc| Stamp { crc, ..Stamp::default() })
}

pub(super) const TABLES: [DescriptorTable; 2] = DescriptorTable::ALL;

/// Stamps as blocks of runs placed together have them: `alike` in a row share their random part.
fn stamps(rng: &mut Rng, table: DescriptorTable, count: u64, alike: u64) -> Vec<Stamp> {
    let mut random = [0; 16];
    let mut one = |i| {
        let mut stamp = Stamp { crc: rng.next_u64() as u32, ..Stamp::default() };
        if table.has_stamps() {
            if i % alike == 0 {
                rng.fill(&mut random);
            }
            rng.fill(&mut stamp.tag);
            stamp.random = random;
        }
        stamp
    };
    (0..count).map(&mut one).collect()
}

/// A record with every kind of item; `seed` varies sizes and bytes.
pub(super) fn sample(table: DescriptorTable, seed: u64) -> RecordBuilder {
    let mut rng = Rng::new(seed);
    let mut record = RecordBuilder::new(table);
    let mut slot = [0; l::SLOT_SIZE as usize];
    for page in 0..1 + rng.below(8) {
        rng.fill(&mut slot);
        record.slot(Region::Cortex, page, rng.below(21) as u16, &slot);
    }
    record.slot(Region::Stash, 3, 20, &slot);
    record.slot_clear(Region::Cortex, 15, 1);
    record.birth(40, 2);
    record.blocks_free(0, 9);
    let (count, alike) = (1 + rng.below(700), 1 + rng.below(300));
    let stamps = stamps(&mut rng, table, count, alike);
    record.descriptors(10, &place(5, 0), &stamps);
    record.unwritten(1000, &unwritten(5000, 0), 40);
    record.descriptors(1100, &place(l::PRESENCE_1, l::DESCRIPTOR_META as u16), &stamps[..1]);
    record.descriptors(1200, &place(l::PRESENCE_1, l::DESCRIPTOR_META as u16 | 1), &stamps[..1]);
    record.unit(7, &[seed as u8; l::UNIT_SIZE as usize]);
    record.units_free(1, 6);
    record.page(119, &[9; l::PAGE_PAYLOAD as usize]);
    record
}

fn finish(record: &RecordBuilder, geometry: &Geometry) -> AlignedBuf {
    record.finish(&COMMIT, &geometry.map.salt).0
}

fn fix_checksum(bytes: &mut [u8]) {
    let crc = codec::record_crc(bytes);
    bytes[l::LogRecord::AT_CRC..l::LogRecord::SIZE].copy_from_slice(&crc.to_le_bytes());
}

#[test]
fn a_record_gives_back_what_was_put_in() {
    for seed in 0..100 {
        let (_, geometry) = volume_with(true, TABLES[seed as usize % 2]);
        let record = sample(geometry.descriptors, seed);
        let (mut bytes, crc) = record.finish(&COMMIT, &geometry.map.salt);
        let stored = bytes.clone();
        let view = RecordView::open(&mut bytes, &geometry).unwrap();
        assert_eq!((view.header.crc, view.txn(), view.header.time), (crc, 77, -5));
        assert_eq!((view.header.previous_crc, view.counters()), (0x1234_5678, COMMIT.counters));
        assert_eq!(view.items().count() as u32, record.items());
        assert!(finish(&rebuild(&view, geometry.descriptors), &geometry)[..] == stored[..], "seed {seed}");
    }
}

/// The same items in a new builder.
fn rebuild(view: &RecordView<'_>, table: DescriptorTable) -> RecordBuilder {
    let mut again = RecordBuilder::new(table);
    for item in view.items() {
        match item {
            Item::Slot { region, page, slot, bytes } => again.slot(region, page, slot, bytes),
            Item::SlotClear { region, page, slot } => again.slot_clear(region, page, slot),
            Item::Descriptors(found) => {
                let stamps: Vec<Stamp> = (0..found.count).map(|i| found.stamp(i)).collect();
                if found.place.is_unwritten() {
                    again.unwritten(found.data, &found.place, found.count);
                } else {
                    again.descriptors(found.data, &found.place, &stamps);
                }
            }
            Item::BlocksFree { first, count } => again.blocks_free(first, count),
            Item::Unit { number, bytes } => again.unit(number, bytes),
            Item::UnitsFree { first, count } => again.units_free(first, count),
            Item::Birth { first, count } => again.birth(first, count),
            Item::Page { page, payload } => again.page(page, payload),
        }
    }
    again
}

/// test/vectors/record.json was written by the TypeScript encoder.
#[test]
fn the_vector_of_the_other_language_holds() {
    let text = include_str!("../../../../test/vectors/record.json");
    let root: serde_json::Value = serde_json::from_str(text).unwrap();
    let bytes = |value: &serde_json::Value| -> Vec<u8> {
        let digits = value.as_str().unwrap().as_bytes();
        digits
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    };
    let (_, mut geometry) = volume(true);
    let fields = &root["fields"];
    geometry.map.salt = bytes(&fields["salt"]).try_into().unwrap();
    let whole = bytes(&root["bytes"]);
    let mut loaded = whole.clone();
    let view = RecordView::open(&mut loaded, &geometry).unwrap();
    let number = |name: &str| -> u64 { fields[name].as_str().unwrap().parse().unwrap() };
    assert_eq!(view.items().count(), root["items"].as_array().unwrap().len());
    let commit = Commit {
        epoch: number("epoch"),
        txn: number("txn"),
        previous_crc: fields["previous_crc"].as_u64().unwrap() as u32,
        time: number("time") as i64,
        counters: Counters {
            next_number: number("next_number"),
            live_blocks: number("live_blocks"),
            files: number("files"),
            units: number("units"),
        },
    };
    assert!(rebuild(&view, geometry.descriptors).finish(&commit, &geometry.map.salt).0[..] == whole[..]);
}

#[test]
fn an_empty_record_is_one_block() {
    let (_, geometry) = volume(true);
    let mut bytes = finish(&RecordBuilder::new(geometry.descriptors), &geometry);
    assert_eq!(bytes.block_count(), 1);
    assert_eq!(RecordView::open(&mut bytes, &geometry).unwrap().items().count(), 0);
}

#[test]
fn sizes_are_what_the_builder_takes() {
    for table in TABLES {
        check_sizes(table);
    }
}

fn check_sizes(table: DescriptorTable) {
    let mut record = RecordBuilder::new(table);
    let mut expected = 0;
    let mut check = |record: &RecordBuilder, bytes: usize| {
        expected += bytes;
        assert_eq!(record.byte_count(), l::LogRecord::SIZE + expected);
        assert_eq!(record.block_count(), blocks_of(expected));
    };
    record.slot(Region::Cortex, 0, 0, &[0; 192]);
    check(&record, slot_bytes());
    record.slot_clear(Region::Cortex, 0, 1);
    check(&record, slot_clear_bytes());
    for count in [1, 2, 3, 1000] {
        record.descriptors(0, &place(0, 0), &vec![Stamp::default(); count]);
        check(&record, descriptors_bytes(table, count));
    }
    let three = stamps(&mut Rng::new(1), table, 3, 1);
    record.descriptors(0, &place(0, 0), &three);
    let apart = 3 * descriptors_bytes(table, 1);
    check(&record, if table.has_stamps() { apart } else { descriptors_bytes(table, 3) });
    record.unwritten(0, &unwritten(0, 0), 1000);
    check(&record, descriptors_bytes(table, 0));
    record.descriptors(0, &place(0, 0), &[]);
    record.unwritten(0, &unwritten(0, 0), 0);
    record.blocks_free(1, 0);
    check(&record, 0);
    record.blocks_free(1, 1);
    check(&record, run_bytes());
    record.unit(1, &[0; 256]);
    check(&record, unit_bytes());
    record.page(1, &[0; 4032]);
    check(&record, page_bytes());
}

/// docs/format.md 7 holds the layout for descriptors of 32 bytes; those of 64 add random part and tags.
#[test]
fn the_stamps_of_a_run_stand_in_their_order() {
    let (_, geometry) = volume_with(true, DescriptorTable::STAMPED);
    let stamps = stamps(&mut Rng::new(3), geometry.descriptors, 3, 2);
    let mut record = RecordBuilder::new(geometry.descriptors);
    record.descriptors(10, &place(5, 0), &stamps);
    assert_eq!(record.items(), 2);
    let bytes = finish(&record, &geometry);
    let crc = |i: usize| stamps[i].crc.to_le_bytes();
    let behind = [&stamps[0].random[..], &crc(0), &crc(1), &stamps[0].tag, &stamps[1].tag].concat();
    let at = l::LogRecord::SIZE + l::LogItem::SIZE + l::ItemDescriptors::SIZE;
    assert_eq!(bytes[at..at + behind.len()], behind);
    let at = at + behind.len() + l::LogItem::SIZE + l::ItemDescriptors::SIZE;
    let behind = [&stamps[2].random[..], &crc(2), &[0; 4], &stamps[2].tag].concat();
    assert_eq!(bytes[at..at + behind.len()], behind);
}

#[test]
fn every_flipped_bit_of_a_record_is_found() {
    for table in TABLES {
        let (_, geometry) = volume_with(true, table);
        let mut bytes = finish(&sample(table, 1), &geometry);
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(RecordView::open(&mut bytes, &geometry).is_err(), "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        RecordView::open(&mut bytes, &geometry).unwrap();
    }
}

#[test]
fn a_record_that_breaks_a_rule_is_refused_although_its_crc_holds() {
    TABLES.into_iter().for_each(check_rules);
}

fn check_rules(table: DescriptorTable) {
    let (_, geometry) = volume_with(true, table);
    let data = geometry.data_blocks();
    let units = geometry.units();
    let pages = geometry.copy_pages();
    let meta = l::DESCRIPTOR_META as u16;
    type Build = Box<dyn Fn(&mut RecordBuilder)>;
    let cases: Vec<(&str, Build)> = vec![
        ("page of the cortex", Box::new(|r| r.slot_clear(Region::Cortex, 64, 0))),
        ("slot", Box::new(|r| r.slot_clear(Region::Stash, 0, 21))),
        ("region", Box::new(|r| r.slot_clear(Region::Free, 0, 0))),
        ("slot twice", Box::new(|r| (0..2).for_each(|_| r.slot_clear(Region::Cortex, 1, 1)))),
        ("data behind the end", Box::new(move |r| r.descriptors(data - 1, &place(0, 0), &crcs([1, 2])))),
        ("data far away", Box::new(|r| r.unwritten(u64::MAX, &unwritten(0, 0), 2))),
        ("free behind the end", Box::new(move |r| r.blocks_free(1, data))),
        ("free far away", Box::new(|r| r.blocks_free(5, u64::MAX))),
        ("index", Box::new(|r| r.unwritten(0, &unwritten((1 << 48) - 1, 0), 2))),
        ("index overflow", Box::new(|r| r.unwritten(0, &unwritten(u64::MAX, 0), 2))),
        ("copy of data", Box::new(|r| r.descriptors(0, &place(0, 1), &crcs([1])))),
        ("third copy", Box::new(move |r| r.descriptors(0, &place(0, meta | 2), &crcs([1])))),
        ("unknown flag", Box::new(|r| r.descriptors(0, &place(0, 64), &crcs([1])))),
        ("unwritten metadata", Box::new(move |r| r.unwritten(0, &unwritten(0, meta), 1))),
        ("owner 0", Box::new(|r| r.descriptors(0, &BlockPlace { owner: 0, ..place(0, 0) }, &crcs([1])))),
        (
            "block twice",
            Box::new(|r| {
                r.descriptors(0, &place(0, 0), &crcs([1, 2, 3]));
                r.blocks_free(2, 1);
            }),
        ),
        (
            "index twice",
            Box::new(|r| {
                r.descriptors(0, &place(10, 0), &crcs([1, 2, 3]));
                r.descriptors(100, &place(12, 0), &crcs([1]));
            }),
        ),
        ("unit 0", Box::new(|r| r.unit(0, &[0; 256]))),
        ("unit behind the end", Box::new(move |r| r.units_free(1, units))),
        (
            "unit twice",
            Box::new(|r| {
                r.unit(5, &[0; 256]);
                r.units_free(4, 2);
            }),
        ),
        ("birth of the map", Box::new(|r| r.birth(0, 1))),
        ("birth behind the end", Box::new(move |r| r.birth(pages - 1, 2))),
        ("page behind the end", Box::new(move |r| r.page(pages, &[0; 4032]))),
        (
            "page born and whole",
            Box::new(|r| {
                r.page(9, &[0; 4032]);
                r.birth(8, 2);
            }),
        ),
    ];
    for (what, build) in cases {
        let mut record = RecordBuilder::new(table);
        build(&mut record);
        let mut bytes = finish(&record, &geometry);
        match RecordView::open(&mut bytes, &geometry) {
            Err(error) => assert_eq!(error.code, Code::Corrupt),
            Ok(_) => panic!("{what}: accepted"),
        }
    }
}

#[test]
fn stamps_of_one_size_are_malformed_for_the_other() {
    for (table, other) in [(TABLES[0], TABLES[1]), (TABLES[1], TABLES[0])] {
        let (_, geometry) = volume_with(true, other);
        let mut record = RecordBuilder::new(table);
        record.descriptors(0, &place(0, 0), &stamps(&mut Rng::new(5), table, 5, 9));
        let mut bytes = finish(&record, &geometry);
        assert!(RecordView::open(&mut bytes, &geometry).is_err());
    }
}

#[test]
fn a_header_that_breaks_a_rule_is_refused_although_its_crc_holds() {
    let (_, geometry) = volume(true);
    let good = finish(&sample(geometry.descriptors, 3), &geometry);
    let changes: [(&str, usize, &[u8]); 12] = [
        ("magic", l::LogRecord::AT_MAGIC, b"HN4S"),
        ("blocks", l::LogRecord::AT_BLOCKS, &[9]),
        ("epoch", l::LogRecord::AT_EPOCH, &[0]),
        ("txn 0", l::LogRecord::AT_TXN, &[0]),
        ("txn of 49 bits", l::LogRecord::AT_TXN + 6, &[1]),
        ("length", l::LogRecord::AT_LENGTH, &[0, 0, 0]),
        ("items", l::LogRecord::AT_ITEMS, &[1]),
        ("salt", l::LogRecord::AT_SALT, &[0, 0, 0, 0]),
        ("number", l::LogRecord::AT_NEXT_NUMBER, &[15]),
        ("live blocks", l::LogRecord::AT_LIVE_BLOCKS + 3, &[1]),
        ("reserved", l::LogRecord::AT_PREVIOUS_CRC + 4, &[1]),
        ("behind the end", good.len() - 1, &[1]),
    ];
    for (what, at, with) in changes {
        let mut bytes = good.clone();
        bytes[at..at + with.len()].copy_from_slice(with);
        fix_checksum(&mut bytes);
        assert!(RecordView::open(&mut bytes, &geometry).is_err(), "{what}");
    }
}

#[test]
fn mutated_records_with_valid_crcs_never_panic_and_apply_inside_the_volume() {
    let volumes = TABLES.map(|table| volume_with(true, table));
    let mut accepted = [0; 2];
    for seed in 0..30_000u64 {
        let mut rng = Rng::new(seed);
        let (device, geometry) = &volumes[seed as usize % 2];
        let mut bytes = finish(&sample(geometry.descriptors, seed % 40), geometry);
        for _ in 0..1 + rng.below(4) {
            let at = rng.below(bytes.len() as u64) as usize;
            // Small values and edges are likelier to pass a check than random bytes.
            bytes[at] = [0, 1, 8, 0x7f, 0x80, 0xff, rng.next_u64() as u8][rng.below(7) as usize];
        }
        fix_checksum(&mut bytes);
        if let Ok(view) = RecordView::open(&mut bytes, geometry) {
            accepted[seed as usize % 2] += 1;
            apply_record(&view, geometry, &mut Images::new(device, geometry)).unwrap();
        }
    }
    let enough = accepted.iter().all(|&count| count > 1000);
    assert!(enough, "only {accepted:?} mutations were accepted: the test checks too little");
}

#[test]
fn random_bytes_are_no_record() {
    let (_, geometry) = volume(true);
    for seed in 0..2_000u64 {
        let mut rng = Rng::new(seed);
        let mut bytes = vec![0; BLOCK_SIZE * (1 + rng.below(3) as usize)];
        rng.fill(&mut bytes);
        if rng.chance(1, 2) {
            let header = finish(&sample(geometry.descriptors, seed), &geometry);
            bytes[..l::LogRecord::SIZE].copy_from_slice(&header[..l::LogRecord::SIZE]);
            fix_checksum(&mut bytes);
        }
        assert!(RecordView::open(&mut bytes, &geometry).is_err(), "seed {seed}");
    }
    assert!(RecordView::open(&mut [], &geometry).is_err());
    assert!(RecordView::open(&mut [0; 50], &geometry).is_err());
}

#[test]
fn items_are_applied_to_the_pages_they_name() {
    for table in TABLES {
        check_applied(&TestLog::with(true, table));
    }
}

fn check_applied(log: &TestLog) {
    let geometry = &log.geometry;
    let mut bytes = finish(&sample(geometry.descriptors, 5), geometry);
    let view = RecordView::open(&mut bytes, geometry).unwrap();
    let mut images = Images::new(&log.device, geometry);
    // What the disk holds of a page to be born must not show.
    let junk = geometry.page_block(0, CopyPage(41)).unwrap();
    crate::device::Device::write(&log.device, junk, &[0xee; BLOCK_SIZE]).unwrap();
    apply_record(&view, geometry, &mut images).unwrap();
    let image = |page: CopyPage| &images.pages[&page.0];
    let bit = |(page, bit): (CopyPage, usize)| image(page)[bit / 8] >> (bit % 8) & 1 == 1;
    for item in view.items() {
        match item {
            Item::Slot { region, page, slot, bytes } => {
                let at = Geometry::slot_offset(slot);
                assert_eq!(image(geometry.map.page(region, page).unwrap())[at..at + 192], bytes[..]);
            }
            Item::Descriptors(run) => {
                for i in 0..run.count {
                    let data = run.data + u64::from(i);
                    let (page, position) = geometry.descriptor_place(data);
                    let found = geometry.descriptors.decode(&image(page)[..], position);
                    assert_eq!(found, run.descriptor(i, 77));
                    assert!(bit(geometry.free_bit(data)));
                }
            }
            Item::BlocksFree { first, count } => {
                assert!((first..first + count).all(|data| !bit(geometry.free_bit(data))));
            }
            Item::Unit { number, bytes } => {
                let (page, at) = geometry.unit_place(number);
                assert_eq!(image(page)[at..at + 256], bytes[..]);
                assert!(bit(geometry.unit_bit(number)));
            }
            Item::Birth { first, count } => {
                assert!((first..first + count).all(|page| bit(geometry.init_bit(CopyPage(page)))));
                assert!(image(CopyPage(41))[..4032].iter().all(|&b| b == 0));
            }
            Item::Page { page, payload } => assert!(image(CopyPage(page))[..4032] == payload[..]),
            Item::SlotClear { .. } | Item::UnitsFree { .. } => {}
        }
    }
    assert!(images.pages.values().all(|image| page_txn(image) == 77));
    // Two passes over halves of the pages give the same as one.
    let mut halves = Images::new(&log.device, geometry);
    for wanted in [0..50, 50..u64::MAX] {
        halves.wanted = wanted;
        apply_record(&view, geometry, &mut halves).unwrap();
    }
    assert!(halves.pages == images.pages);
}
