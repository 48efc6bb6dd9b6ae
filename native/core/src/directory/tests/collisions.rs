//! Names whose hashes are chosen: equal, or equal in many bits.

use super::super::NameHash;
use super::support::{Rng, Subject, name_of, with_seeds};
use crate::base::Code;

fn same(_: &[u8; 16], _: u64, _: &[u8]) -> u64 {
    0x00ab_cdef_0123_4567
}

/// The hash is written in the name: 14 hexadecimal digits.
fn written(_: &[u8; 16], _: u64, name: &[u8]) -> u64 {
    std::str::from_utf8(&name[..14]).ok().and_then(|text| u64::from_str_radix(text, 16).ok()).unwrap()
}

fn few_bits(key: &[u8; 16], number: u64, name: &[u8]) -> u64 {
    // 8 values: every hash has collisions.
    super::super::name_hash(key, number, name) & (7 << 53)
}

#[test]
fn sixty_four_names_of_one_hash_fit_and_the_next_is_refused() {
    let mut subject = Subject::hashed(same);
    for id in 0..64u64 {
        subject.insert(format!("name {id}").as_bytes(), id + 1).unwrap();
    }
    let cookies: Vec<u64> = subject.listed().iter().map(|(_, entry)| entry.cookie).collect();
    let first = cookies[0];
    assert_eq!(cookies, (first..first + 64).collect::<Vec<_>>());
    assert_eq!(subject.insert(b"one more", 9).unwrap_err().code, Code::NoSpace);
    subject.verify();
    // The smallest free discriminator is given again.
    subject.remove(b"name 10").unwrap();
    subject.remove(b"name 30").unwrap();
    subject.insert(b"one more", 9).unwrap();
    assert_eq!(subject.model[&b"one more"[..]].cookie, first + 10);
    subject.verify();
}

#[test]
fn long_names_of_one_hash_fill_one_leaf_and_the_next_is_refused() {
    let mut subject = Subject::hashed(same);
    for id in 0..14u8 {
        subject.insert(&[b'a' + id; 255], 1).unwrap();
    }
    let before = subject.blocks.blocks.clone();
    assert_eq!(subject.insert(&[b'z'; 255], 1).unwrap_err().code, Code::NoSpace);
    assert_eq!(subject.blocks.blocks, before);
    subject.insert(b"short", 1).unwrap();
    subject.verify();
}

fn deep(bits: u32, hash: NameHash) -> (Subject, Vec<Vec<u8>>) {
    // 15 names of 255 bytes that share exactly `bits` bits: one split must go that deep.
    let mut subject = Subject::hashed(hash);
    let mut names = Vec::new();
    for id in 0..15u64 {
        let value = (id & 1) << (55 - bits);
        let mut name = format!("{value:014x}{id:03}").into_bytes();
        name.resize(255, b'x');
        names.push(name);
    }
    for name in &names[..14] {
        subject.insert(name, 1).unwrap();
    }
    assert_eq!(subject.table.length(), 1);
    (subject, names)
}

#[test]
fn a_split_goes_as_deep_as_the_hashes_demand() {
    for bits in 0..9 {
        let (mut subject, names) = deep(bits, written);
        subject.insert(&names[14], 1).unwrap();
        assert_eq!(u32::from(subject.table.state().depth), bits + 1);
        assert_eq!(subject.verify().leaves, bits + 2);
        subject.reload(written);
        // Shrinks back through the empty leaves.
        for name in &names[..9] {
            subject.remove(name).unwrap();
            subject.verify();
        }
        assert_eq!(subject.table.length(), 1, "{bits} bits");
    }
}

#[test]
fn an_index_out_of_proportion_is_refused() {
    for bits in [9, 20, 27, 28, 40, 55] {
        let (mut subject, names) = deep(bits, written);
        let before = subject.blocks.blocks.clone();
        assert_eq!(subject.insert(&names[14], 1).unwrap_err().code, Code::NoSpace);
        assert_eq!(subject.blocks.blocks, before);
        subject.verify();
    }
}

#[test]
fn random_operations_with_many_collisions_agree_with_a_map() {
    with_seeds(100, |seed| {
        let mut rng = Rng::new(seed);
        let mut subject = Subject::hashed(few_bits);
        let pool = 100 + rng.below(600);
        for step in 0..2000 {
            let name = name_of(rng.below(pool), 30);
            if rng.chance(60, 100) {
                match subject.insert(&name, step + 1) {
                    Ok(()) => {}
                    Err(error) => assert!(matches!(error.code, Code::Exists | Code::NoSpace), "{error}"),
                }
            } else {
                subject.remove(&name);
            }
        }
        subject.verify();
        subject.reload(few_bits);
    });
}
