//! The payload of extended attributes.

use super::super::xattr::*;
use super::store::{Rng, with_seeds};
use crate::base::Code;
use std::collections::BTreeMap;

#[test]
fn random_attributes_agree_with_a_map() {
    with_seeds(200, |seed| {
        let mut rng = Rng::new(seed);
        let mut payload = Vec::new();
        let mut model: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        for _ in 0..200 {
            let name = format!("user.{}{}", rng.below(30), "x".repeat(rng.below(240) as usize)).into_bytes();
            let flags = rng.below(3) as u32;
            let longest = if rng.chance(2, 100) { 65_537 } else { 100 };
            let size = rng.below(longest);
            let value = rng.bytes(size);
            if rng.chance(30, 100) {
                let known = model.remove(&name);
                match remove(&payload, &name) {
                    Ok(new) => payload = new,
                    Err(error) => assert_eq!((error.code, known), (Code::NoAttribute, None)),
                }
            } else {
                let expected = match (model.contains_key(&name), flags) {
                    (true, XATTR_CREATE) => Some(Code::Exists),
                    (false, XATTR_REPLACE) => Some(Code::NoAttribute),
                    _ => None,
                };
                match set(&payload, &name, &value, flags) {
                    Ok(new) => {
                        assert_eq!(expected, None);
                        payload = new;
                        model.insert(name, value);
                    }
                    Err(error) if error.code == Code::NoSpace => assert!(payload.len() > 900_000),
                    Err(error) => assert_eq!(Some(error.code), expected),
                }
            }
            check(&payload).unwrap();
            let mut names: Vec<Vec<u8>> = list(&payload)
                .split_inclusive(|b| *b == 0)
                .map(|name| name[..name.len() - 1].to_vec())
                .collect();
            names.sort();
            assert!(names.iter().eq(model.keys()));
            for (name, value) in &model {
                assert_eq!(get(&payload, name), Some(&value[..]));
            }
        }
    });
}

#[test]
fn limits_are_those_of_linux() {
    let code = |outcome: crate::base::Result<Vec<u8>>| outcome.unwrap_err().code;
    assert_eq!(code(set(&[], b"", b"v", 0)), Code::RangeTooSmall);
    assert_eq!(code(set(&[], &[b'n'; 256], b"v", 0)), Code::RangeTooSmall);
    assert_eq!(code(set(&[], b"a\0b", b"v", 0)), Code::InvalidArgument);
    assert_eq!(code(set(&[], b"a", b"v", 4)), Code::InvalidArgument);
    assert_eq!(code(set(&[], b"a", &vec![0; 65_537], 0)), Code::TooBig);
    let mut payload = set(&[], &[b'n'; 255], &vec![0; 65_536], 0).unwrap();
    assert_eq!(get(&payload, &[b'n'; 255]).unwrap().len(), 65_536);
    assert_eq!(get(&payload, b"n"), None);
    payload = set(&payload, b"empty", b"", 0).unwrap();
    assert_eq!(get(&payload, b"empty"), Some(&b""[..]));
    payload = Vec::new();
    for number in 0..256 {
        let name = format!("{number:0255}").into_bytes();
        payload = set(&payload, &name, b"", 0).unwrap();
    }
    assert_eq!(list(&payload).len(), LIST_MAX);
    assert_eq!(code(set(&payload, b"n", b"", 0)), Code::NoSpace);
    payload = Vec::new();
    for number in 0..15u8 {
        payload = set(&payload, &[b'a' + number], &vec![0; 65_536], 0).unwrap();
    }
    assert_eq!(code(set(&payload, b"z", &vec![0; 65_536], 0)), Code::NoSpace);
}

#[test]
fn hostile_payloads_are_errors() {
    assert!(check(&[1]).is_err());
    assert!(check(&[0, 0, 0, 0, 0, 0, 0, 0]).is_err());
    assert!(check(&[1, 0, 0, 0, 0, 0, 0, 0]).is_err());
    assert!(check(&[1, 1, 0, 0, 0, 0, 0, 0, b'a']).is_err());
    assert!(check(&[1, 0, 0, 0, 255, 255, 255, 255, b'a']).is_err());
    assert!(check(&[1, 0, 0, 0, 0, 0, 0, 0, 0]).is_err());
    let twice = [set(&[], b"a", b"1", 0).unwrap(), set(&[], b"a", b"2", 0).unwrap()].concat();
    assert!(check(&twice).is_err());
    with_seeds(2000, |seed| {
        let mut rng = Rng::new(seed);
        let size = rng.below(64);
        let mut payload = rng.bytes(size);
        if rng.chance(50, 100) && payload.len() > 8 {
            payload[1..4].fill(0);
            payload[5..8].fill(0);
        }
        let _ = (check(&payload), list(&payload), get(&payload, b"a"), remove(&payload, b"a").is_ok());
        let _ = set(&payload, b"a", b"v", 0).is_ok();
    });
}
