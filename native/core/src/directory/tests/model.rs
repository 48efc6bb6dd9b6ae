//! Random operations against a map.

use super::super::name_hash;
use super::support::{Rng, Subject, name_of, with_seeds};
use crate::base::Code;

fn run(seed: u64) {
    let mut rng = Rng::new(seed);
    let mut subject = Subject::new();
    let pool = 1 + rng.below(1500);
    let longest = [3, 20, 255][rng.below(3) as usize];
    let mut inserts = 50 + rng.below(40);
    for step in 0..pool * 3 {
        if rng.chance(1, 100) {
            // Growing and shrinking phases.
            inserts = rng.below(100);
        }
        let name = name_of(rng.below(pool), longest);
        match rng.below(100) {
            dice if dice < 5 => subject.replace(&name, step + 1),
            dice if dice < 10 => {
                let found = subject.table.lookup(&mut subject.blocks, &name).unwrap();
                assert_eq!(found, subject.model.get(&name).copied());
            }
            _ if rng.chance(inserts, 100) => {
                let known = subject.model.contains_key(&name);
                match subject.insert(&name, step + 1) {
                    Ok(()) => assert!(!known),
                    Err(error) => assert!(known && error.code == Code::Exists, "{error}"),
                }
            }
            _ => {
                subject.remove(&name);
            }
        }
        if rng.below(pool) < 4 {
            subject.verify();
        }
        if rng.below(pool) < 2 {
            subject.reload(name_hash);
        }
    }
    subject.verify();
    let mut names: Vec<_> = subject.model.keys().cloned().collect();
    while !names.is_empty() {
        let name = names.swap_remove(rng.below(names.len() as u64) as usize);
        assert!(subject.remove(&name).is_some());
        let left = names.len() as u64;
        // Entries of up to 281 bytes that fit half a leaf stand in one leaf.
        if left > 0 && left * 281 <= super::super::MERGE_BYTES as u64 {
            assert_eq!(subject.table.length(), 1);
        }
    }
    assert_eq!((subject.table.length(), subject.blocks.blocks.len()), (0, 0));
    subject.verify();
}

#[test]
fn random_operations_agree_with_a_map() {
    with_seeds(300, run);
}

#[test]
fn refused_names_and_files_change_nothing() {
    let mut subject = Subject::new();
    subject.insert(b"a", 1).unwrap();
    let refuse = |subject: &mut Subject, name: &[u8], number: u64, code: Code| {
        assert_eq!(subject.insert(name, number).unwrap_err().code, code);
        subject.verify();
    };
    refuse(&mut subject, b"", 2, Code::InvalidArgument);
    refuse(&mut subject, b".", 2, Code::InvalidArgument);
    refuse(&mut subject, b"..", 2, Code::InvalidArgument);
    refuse(&mut subject, b"a/b", 2, Code::InvalidArgument);
    refuse(&mut subject, b"a\0", 2, Code::InvalidArgument);
    refuse(&mut subject, &[b'x'; 256], 2, Code::NameTooLong);
    refuse(&mut subject, b"b", 0, Code::InvalidArgument);
    refuse(&mut subject, b"b", 1 << 53, Code::InvalidArgument);
    refuse(&mut subject, b"a", 2, Code::Exists);
    subject.insert(&[b'x'; 255], 2).unwrap();
    subject.verify();
}
