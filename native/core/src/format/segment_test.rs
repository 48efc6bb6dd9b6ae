use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::base::BlockNumber;
use crate::testing::Rng;

fn window() -> Window {
    Window::new(BlockNumber(1000), 1009, 256).unwrap()
}
fn segment(first: u64, len: u32, gravity: u64) -> Segment {
    Segment { first, len, gravity: DataNumber(gravity), copy: 0 }
}
fn all(map: &SegmentMap, copy: u8) -> Vec<(u64, u32, u64)> {
    map.iter(copy).map(|s| (s.first, s.len, s.gravity.0)).collect()
}

#[test]
fn the_golden_vectors_hold() {
    let root: Value = serde_json::from_str(include_str!("../../../../test/vectors/segment.json")).unwrap();
    let number = |v: &Value, key: &str| v[key].as_str().unwrap().parse::<u64>().unwrap();
    let w = Window::new(BlockNumber(number(&root, "start")), number(&root, "blocks"), number(&root, "area"))
        .unwrap();
    let hash = number(&root, "seedHash");
    let records = root["segments"].as_array().unwrap();
    for v in records {
        let bytes = u128::from_str_radix(v["bytes"].as_str().unwrap(), 16).unwrap().to_be_bytes();
        let s = Segment::decode(&w, &bytes).unwrap();
        let shown = [s.first, s.len.into(), w.block(s.gravity).0, s.copy.into()];
        assert_eq!(shown, ["first", "length", "gravity", "copy"].map(|key| number(v, key)));
        assert_eq!(s.encode(&w), bytes);
        for a in v["addresses"].as_array().unwrap() {
            let (index, k) = (number(a, "index"), number(a, "shell") as u8);
            assert!(s.contains(index));
            let data = w.address(s.equation(), index - s.first, k, hash);
            assert_eq!(w.block(data).0, number(a, "block"), "{a}");
        }
    }
    for v in root["corrupt"].as_array().unwrap() {
        let bytes = u128::from_str_radix(v.as_str().unwrap(), 16).unwrap().to_be_bytes();
        assert_eq!(Segment::decode(&w, &bytes).unwrap_err().code, Code::Corrupt, "{v}");
    }
    assert!(records.len() > 5);
}

#[test]
fn a_segment_that_continues_its_neighbours_becomes_one_with_them() {
    let mut map = SegmentMap::new(&window());
    map.insert(segment(10, 10, 1000));
    map.insert(segment(30, 5, 11)); // (1000 + 20) mod 1009
    assert_eq!(map.len(), 2);
    map.insert(segment(20, 10, 1)); // wraps behind the first, meets the second
    assert_eq!(all(&map, 0), [(10, 25, 1000)]);
    map.insert(segment(35, 1, 17)); // next index, another place
    assert_eq!(all(&map, 0), [(10, 25, 1000), (35, 1, 17)]);
    map.insert(Segment { copy: 1, ..segment(35, 1, 16) });
    assert_eq!((all(&map, 1), map.len()), (vec![(35, 1, 16)], 3));
}

#[test]
fn an_inserted_segment_splits_what_covers_it() {
    let mut map = SegmentMap::new(&window());
    map.insert(segment(0, 100, 1000));
    map.take_changed();
    map.insert(segment(40, 20, 500));
    assert_eq!(all(&map, 0), [(0, 40, 1000), (40, 20, 500), (60, 40, 51)]);
    assert_eq!(map.take_changed(), [0, 1, 2]);
    map.insert(segment(30, 20, 700));
    assert_eq!(all(&map, 0), [(0, 30, 1000), (30, 20, 700), (50, 10, 510), (60, 40, 51)]);
    map.remove_range(10, 70, 0);
    assert_eq!(all(&map, 0), [(0, 10, 1000), (70, 30, 61)]);
}

#[test]
fn few_slots_change() {
    let w = window();
    let mut map = SegmentMap::new(&w);
    (0..10).for_each(|i| map.insert(segment(i * 10, 5, i * 20)));
    map.take_changed();
    map.remove_range(30, 35, 0);
    assert_eq!(map.take_changed(), [3], "the last segment took the free slot");
    assert_eq!(map.slot(3).map(|s| s.first), Some(90));
    let again = SegmentMap::load(&w, &map.encode(&w)).unwrap();
    assert_eq!((all(&again, 0), again.encode(&w)), (all(&map, 0), map.encode(&w)));
    map.clear(0);
    assert!(map.is_empty() && map.take_changed().is_empty());
}

#[test]
fn overlaps_and_odd_lengths_on_disk_are_corrupt() {
    let w = window();
    let bytes = |s: &[Segment]| s.iter().flat_map(|s| s.encode(&w)).collect::<Vec<u8>>();
    let load = |s: &[Segment]| SegmentMap::load(&w, &bytes(s)).map(|m| m.len()).map_err(|e| e.code);
    assert_eq!(load(&[segment(10, 10, 0), segment(20, 1, 0), segment(9, 1, 0)]), Ok(3));
    assert_eq!(load(&[segment(10, 10, 0), Segment { copy: 1, ..segment(10, 10, 0) }]), Ok(2));
    for other in
        [segment(19, 5, 0), segment(5, 6, 0), segment(0, 100, 0), segment(12, 1, 0), segment(10, 10, 0)]
    {
        assert_eq!(load(&[segment(10, 10, 0), other]), Err(Code::Corrupt), "{other:?}");
    }
    assert_eq!(SegmentMap::load(&w, &[0; 17]).unwrap_err().code, Code::Corrupt);
    let last = Segment { first: (1 << 48) - 5, len: 5, gravity: DataNumber(0), copy: 1 };
    assert_eq!(load(&[last]), Ok(1));
    assert_eq!(load(&[Segment { len: 6, ..last }]), Err(Code::Corrupt));
}

/// Random inserts and removals against a map of single indices; the seed stands in the message.
#[test]
fn inserts_and_removals_agree_with_a_map_of_single_indices() {
    for seed in 1..=300u64 {
        let w = window();
        let (mut map, mut model) = (SegmentMap::new(&w), BTreeMap::new());
        let mut disk: Vec<u8> = Vec::new();
        let mut rng = Rng::new(seed);
        for _ in 0..80 {
            let (first, len) = (rng.below(200), 1 + rng.below(30));
            let copy = rng.below(2) as u8;
            if rng.chance(1, 4) {
                map.remove_range(first, first + len, copy);
                (first..first + len).for_each(|i| {
                    model.remove(&(copy, i));
                });
            } else {
                // Every other one continues the index before it, if that has a place.
                let behind =
                    first.checked_sub(1).and_then(|i| model.get(&(copy, i))).map(|d| (d + 1) % w.blocks());
                let gravity = behind.filter(|_| rng.chance(1, 2)).unwrap_or_else(|| rng.below(w.blocks()));
                map.insert(Segment { first, len: len as u32, gravity: DataNumber(gravity), copy });
                (0..len).for_each(|i| {
                    model.insert((copy, first + i), (gravity + i) % w.blocks());
                });
            }
            disk.resize(map.len() * SEGMENT_SIZE, 0);
            for slot in map.take_changed() {
                let at = slot as usize * SEGMENT_SIZE;
                disk[at..at + SEGMENT_SIZE].copy_from_slice(&map.slot(slot).unwrap().encode(&w));
            }
        }
        let stored = SegmentMap::load(&w, &disk).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        for (copy, index) in (0..2).flat_map(|copy| (0..260).map(move |i| (copy, i))) {
            let place = |m: &SegmentMap| {
                m.lookup(index, copy).map(|s| w.address(s.equation(), index - s.first, 0, 0).0)
            };
            assert_eq!(place(&map).as_ref(), model.get(&(copy, index)), "seed {seed} index {index}");
            assert_eq!(place(&stored), place(&map), "seed {seed} index {index}: changed slots");
            let next = (index + 1..260).find(|i| map.lookup(*i, copy).is_some_and(|s| s.first == *i));
            assert_eq!(map.next_first(index, copy), next, "seed {seed} index {index}");
        }
    }
}
