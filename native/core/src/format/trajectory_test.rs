use std::collections::HashSet;

use serde_json::Value;

use super::super::is_prime;
use super::*;

const PRIMES: [u64; 17] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59];

fn window(blocks: u64) -> Window {
    Window::new(BlockNumber(1000), blocks, 256).unwrap()
}

/// The sentence of docs/format.md section 4, in 128-bit arithmetic and without a short cut.
fn by_the_book(w: &Window, e: Equation, n: u64, k: u8, seed_hash: u64) -> u64 {
    let phi = u128::from(w.phi(e.scale));
    let theta = if k == 0 { 0 } else { phi / 4 + u128::from(seed_hash) % (phi / 2) };
    let sum = u128::from(e.gravity.0 >> e.scale) + u128::from(n >> e.scale) * u128::from(e.stride) + theta;
    (sum % phi * (1 << e.scale)) as u64 + n % (1 << e.scale)
}

#[test]
fn every_equation_over_a_small_phi_is_injective_and_stays_in_the_window() {
    for phi in PRIMES {
        // Every V and G, so every starting point: one period from index 0 on says it all.
        for (stride, origin, k) in triples(phi) {
            let w = window(phi);
            let e = Equation { gravity: DataNumber(origin), stride, scale: 0 };
            w.check(e).unwrap();
            let hash = origin * 31 + stride;
            let seen: HashSet<DataNumber> = (0..phi).map(|n| w.address(e, n, k, hash)).collect();
            assert!(
                seen.len() as u64 == phi && seen.iter().all(|d| d.0 < phi),
                "phi {phi} V {stride} G {origin} k {k}"
            );
            assert_eq!(w.address(e, phi, k, hash), w.address(e, 0, k, hash), "the period is phi");
        }
    }
}

#[test]
fn clusters_are_injective_too() {
    for (blocks, scale) in [(53, 1), (59, 2), (61, 3), (127, 4), (4099, 9), (12_289, 12)] {
        let w = window(blocks);
        let phi = w.phi(scale);
        for (stride, origin, k) in triples(phi) {
            let e = Equation { gravity: DataNumber(origin << scale), stride, scale };
            w.check(e).unwrap();
            let start = (stride * 7 + origin) << scale;
            let period = phi << scale;
            let seen: HashSet<DataNumber> = (start..start + period).map(|n| w.address(e, n, k, 99)).collect();
            assert!(
                seen.len() as u64 == period && seen.iter().all(|d| d.0 < period),
                "{blocks} M {scale} V {stride}"
            );
        }
    }
}

fn triples(phi: u64) -> impl Iterator<Item = (u64, u64, u8)> {
    (1..phi).flat_map(move |v| (0..phi).flat_map(move |g| (0..2).map(move |k| (v, g, k))))
}

#[test]
fn addresses_follow_the_book_also_for_huge_numbers() {
    let hash = 0xfeed_beef_dead_cafe;
    for blocks in [10_007, (1 << 28) - 57, (1 << 43) - 57] {
        let w = window(blocks);
        for scale in [0, 4, 10] {
            let phi = w.phi(scale);
            for stride in [1, 2, phi / 2, phi - 1].into_iter().filter(|&v| (1..phi).contains(&v)) {
                for n in [0, 1, 1023, 1024, phi << scale, (1 << 47) + (1 << 46), (1 << 48) - 1, u64::MAX] {
                    let e = Equation { gravity: DataNumber((phi - 1) << scale), stride, scale };
                    for k in 0..2 {
                        assert_eq!(
                            w.address(e, n, k, hash).0,
                            by_the_book(&w, e, n, k, hash),
                            "{e:?} {n} {k}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn contiguous_runs_end_exactly_where_the_addresses_break() {
    for (blocks, scale) in [(59, 0), (59, 2), (127, 3)] {
        let w = window(blocks);
        let phi = w.phi(scale);
        for (stride, origin, k) in triples(phi).filter(|t| t.0 < 4 || t.0 == phi - 1) {
            let e = Equation { gravity: DataNumber(origin << scale), stride, scale };
            for n in 0..2 * blocks {
                let run = w.contiguous(e, n, k, 7);
                let at = |i| w.address(e, n + i, k, 7).0;
                assert!(run >= 1 && (0..run).all(|i| at(i) == at(0) + i), "{e:?} {n}: {run} too long");
                // With V other than 1 the answer may be shorter than the truth, never longer.
                assert!(stride != 1 || at(run) != at(0) + run, "{e:?} {n}: {run} too short");
            }
        }
    }
}

#[test]
fn gravity_puts_an_index_where_it_is_wanted() {
    let w = window(10_007);
    for scale in [0, 3] {
        for stride in [1, 5, 600] {
            for n in [0u64, 8, 1_000_000_000, (1 << 47) + 3] {
                let data = DataNumber((77 << scale) + (n & ((1 << scale) - 1)));
                let e = w.gravity_for(data, n, stride, scale).unwrap();
                w.check(e).unwrap();
                assert_eq!(w.address(e, n, 0, 0), data);
            }
        }
    }
    assert!(w.gravity_for(DataNumber(9), 8, 1, 3).is_none(), "another place in the cluster");
    assert!(w.gravity_for(DataNumber(10_006), 6, 1, 3).is_none(), "behind the last cluster of phi(M)");
    assert!(w.gravity_for(DataNumber(0), 0, 1, 13).is_none(), "M too large");
}

#[test]
fn illegal_equations_are_refused() {
    let w = window(10_007); // phi(1) = 5003, phi(12) = 2
    let legal = |g, v, m| w.check(Equation { gravity: DataNumber(g), stride: v, scale: m }).is_ok();
    assert!(legal(10_006, 1, 0) && legal(10_004, 5002, 1) && legal(4096, 1, 12));
    assert!(!legal(10_007, 1, 0), "G in the overwrite area");
    assert!(!legal(0, 0, 0) && !legal(0, 10_007, 0) && !legal(0, 5003, 1), "V");
    assert!(
        !legal(1, 1, 1) && !legal(10_006, 1, 1) && !legal(8192, 1, 12),
        "G between clusters or above phi"
    );
    assert!(!legal(0, 1, 13) && !legal(0, 1, u16::MAX), "M");
    let at = |block| w.equation(BlockNumber(block), 1, 0).map(|e| e.gravity.0).ok();
    assert_eq!([999, 1000, 11_006, 11_007, u64::MAX].map(at), [None, Some(0), Some(10_006), None, None]);
    assert_eq!(window(2039).phi(10), 0, "one cluster: no prime");
}

#[test]
fn illegal_windows_are_refused() {
    for (start, blocks, area) in
        [(0, 7, 0), (1, 8, 0), (1, 1, 0), (1, u64::MAX, 1), (1 << 44, 7, 0), (1, 7, 1 << 44)]
    {
        assert_eq!(
            Window::new(BlockNumber(start), blocks, area).unwrap_err().code,
            Code::Corrupt,
            "{start} {blocks}"
        );
    }
}

#[test]
fn data_numbers_and_blocks_pair() {
    let w = window(10_007);
    assert_eq!(w.data(BlockNumber(1000 + 10_007)), Some(DataNumber(10_007)));
    assert!(w.in_area(DataNumber(10_007)) && w.in_area(DataNumber(10_262)));
    assert!(!w.in_area(DataNumber(10_006)) && !w.in_area(DataNumber(10_263)));
    assert_eq!(w.data(BlockNumber(1000 + 10_263)), None);
    assert_eq!(w.block(DataNumber(5)), BlockNumber(1005));
}

/// test/vectors/trajectory.json is read by both languages; see examples/placement_vectors.rs.
#[test]
fn the_golden_vectors_hold() {
    let text = include_str!("../../../../test/vectors/trajectory.json");
    let root: Value = serde_json::from_str(text).unwrap();
    let number = |v: &Value, key: &str| v[key].as_str().unwrap().parse::<u64>().unwrap();
    let bytes =
        |v: &Value| -> [u8; 16] { u128::from_str_radix(v.as_str().unwrap(), 16).unwrap().to_be_bytes() };
    for v in root["seedHashes"].as_array().unwrap() {
        assert_eq!(seed_hash(&bytes(&v["hashKey"]), &bytes(&v["seedId"])), number(v, "seedHash"));
    }
    let mut cases = 0;
    for w in root["windows"].as_array().unwrap() {
        let window =
            Window::new(BlockNumber(number(w, "start")), number(w, "blocks"), number(w, "area")).unwrap();
        for (scale, phi) in w["phi"].as_array().unwrap().iter().enumerate() {
            let phi: u64 = phi.as_str().unwrap().parse().unwrap();
            assert!(window.phi(scale as u16) == phi && (phi == 0 || is_prime(phi)));
        }
        for v in w["addresses"].as_array().unwrap() {
            let e = window.equation(
                BlockNumber(number(v, "gravity")),
                number(v, "stride"),
                number(v, "scale") as u16,
            );
            let (e, n, k) = (e.unwrap(), number(v, "index"), number(v, "shell") as u8);
            let hash = number(v, "seedHash");
            assert_eq!(window.block(window.address(e, n, k, hash)).0, number(v, "block"), "{v}");
            assert_eq!(window.contiguous(e, n, k, hash), number(v, "contiguous"), "{v}");
            cases += 1;
        }
    }
    assert!(cases > 100);
}
