//! Chains from hostile units: an error or a chain, never a panic, a hang or a large allocation.

use super::super::*;
use super::store::{File, Rng, Store, with_seeds};
use crate::base::{Code, crc32c};
use crate::format::layout::{EXTENSION_SEGMENTS, EXTENSION_XATTR, ExtensionRecord};

fn sample(rng: &mut Rng) -> File {
    let mut file = File::new(30);
    let size = rng.below(6000);
    let attribute = xattr::set(&[], b"user.a", &rng.bytes(size), 0).unwrap();
    file.change(EXTENSION_XATTR, &attribute).unwrap();
    let segments = 16 * (1 + rng.below(600));
    file.change(EXTENSION_SEGMENTS, &rng.bytes(segments)).unwrap();
    file
}

/// Makes the checksum of the record at `unit` right again.
fn set_checksum(store: &mut Store, unit: u64) {
    let mut header = ExtensionRecord::decode(&store.units[unit as usize]).unwrap();
    header.crc = 0;
    header.encode(&mut store.units[unit as usize]);
    let length = (header.length as usize).min(3800);
    let bytes = store.units[unit as usize..].concat();
    header.crc = crc32c(&bytes[..bytes.len().min(40 + length)]);
    header.encode(&mut store.units[unit as usize]);
}

fn read(store: &mut Store, head: u64) -> crate::base::Result<Chain> {
    let pages = store.pages;
    Chain::read(store, 17, head, pages)
}

#[test]
fn every_flipped_bit_of_a_chain_is_found() {
    let mut file = sample(&mut Rng::new(1));
    let head = file.chain.head();
    let used: Vec<usize> = (0..file.store.units.len()).filter(|unit| file.store.used[*unit]).collect();
    for unit in used {
        for bit in (0..2048).step_by(5) {
            file.store.units[unit][bit / 8] ^= 1 << (bit % 8);
            let error = read(&mut file.store, head).unwrap_err();
            assert_eq!(error.code, Code::Corrupt);
            file.store.units[unit][bit / 8] ^= 1 << (bit % 8);
        }
        file.store.used[unit] = false;
        assert_eq!(read(&mut file.store, head).unwrap_err().code, Code::Corrupt);
        file.store.used[unit] = true;
    }
    read(&mut file.store, head).unwrap();
}

#[test]
fn headers_that_lie_under_a_right_checksum_hurt_nobody() {
    with_seeds(3000, |seed| {
        let mut rng = Rng::new(seed);
        let mut file = sample(&mut rng);
        let at = rng.below(file.chain.records.len() as u64) as usize;
        let unit = file.chain.records[at].unit;
        let bytes = &mut file.store.units[unit as usize];
        let field = [4, 8, 16, 24, 28, 40, 44][rng.below(7) as usize];
        match rng.below(3) {
            0 => bytes[field] ^= 1 << rng.below(8),
            1 => bytes[field..field + 4].copy_from_slice(&(rng.below(460) as u32).to_le_bytes()),
            _ => bytes[field..field + 4].copy_from_slice(&(rng.next_u64() as u32).to_le_bytes()),
        }
        set_checksum(&mut file.store, unit);
        let head = if rng.chance(90, 100) { file.chain.head() } else { rng.below(500) };
        if let Ok(chain) = read(&mut file.store, head) {
            assert!(chain.units() <= file.store.used_count());
            let changes = [Change { kind: EXTENSION_SEGMENTS, payload: &[1; 32] }];
            let _ = chain.plan(&changes, 1, &mut file.allocator, &mut file.store);
        }
    });
}

#[test]
fn random_units_hurt_nobody() {
    with_seeds(500, |seed| {
        let mut rng = Rng::new(seed);
        let mut store = Store::new(4);
        store.used.fill(true);
        for unit in 0..60 {
            store.units[unit] = rng.bytes(256).try_into().unwrap();
        }
        for head in [1, 17, 59, 60, 1 << 40, u64::MAX] {
            assert_eq!(read(&mut store, head).unwrap_err().code, Code::Corrupt);
        }
    });
}

#[test]
fn loops_and_overlaps_are_found() {
    let mut file = File::new(30);
    file.change(EXTENSION_SEGMENTS, &Rng::new(1).bytes(16 * 500)).unwrap();
    let records = file.chain.records.clone();
    assert!(records.len() >= 3);
    let last = records[records.len() - 1].unit;
    for target in [records[0].unit, last, records[0].unit + 1] {
        let mut store = file.store.clone();
        store.units[last as usize][8..16].copy_from_slice(&target.to_le_bytes());
        set_checksum(&mut store, last);
        assert_eq!(read(&mut store, file.chain.head()).unwrap_err().code, Code::Corrupt);
    }
    let mut store = file.store.clone();
    let error = Chain::read(&mut store, 18, file.chain.head(), 30).unwrap_err();
    assert!(error.detail().contains("of another file"), "{error}");
    assert_eq!(read(&mut store, 0).unwrap(), Chain::empty(17));
}

#[test]
fn a_record_across_the_end_of_a_page_is_refused() {
    let mut store = Store::new(4);
    for (first, crosses) in [(15, false), (26, false), (27, true), (29, true)] {
        let record =
            Record { unit: first, kind: EXTENSION_SEGMENTS, generation: 1, payload: vec![7; 48 * 16] };
        let units = record.encode(17, 0);
        assert_eq!(units.len(), 4);
        store.used.fill(false);
        for (unit, bytes) in (first as usize..).zip(units) {
            store.units[unit] = bytes;
            store.used[unit] = true;
        }
        assert_eq!(read(&mut store, first).is_err(), crosses, "first unit {first}");
    }
}
