//! A read that fails leaves table, state and blocks as they were.

use super::super::name_hash;
use super::support::{Rng, Subject, name_of, seed_of, with_seeds};
use crate::base::Code;

/// One operation with read `fail_at` failing: it fails and changes nothing, or it succeeds (a merge
/// is left out when its blocks cannot be read).
fn attempt(subject: &mut Subject, rng: &mut Rng, name: &[u8], inserting: bool) {
    let (state, length) = (*subject.table.state(), subject.table.length());
    let (index, blocks) = (subject.table.index().clone(), subject.blocks.blocks.clone());
    subject.blocks.fail_at = Some(rng.below(4));
    let known = subject.model.get(name).copied();
    let failed = if inserting {
        match subject.table.insert(&mut subject.blocks, name, seed_of(3), 8) {
            Ok(()) => {
                subject.blocks.fail_at = None;
                let entry = subject.table.lookup(&mut subject.blocks, name).unwrap().unwrap();
                assert!(subject.model.insert(name.to_vec(), entry).is_none());
                None
            }
            Err(error) => Some(error.code),
        }
    } else {
        match subject.table.remove(&mut subject.blocks, name) {
            Ok(removed) => {
                assert_eq!(removed, known);
                subject.model.remove(name);
                None
            }
            Err(error) => Some(error.code),
        }
    };
    subject.blocks.fail_at = None;
    if let Some(code) = failed {
        assert!(code == Code::Io || (inserting && known.is_some() && code == Code::Exists));
        assert_eq!((*subject.table.state(), subject.table.length()), (state, length));
        assert_eq!(*subject.table.index(), index);
        assert_eq!(subject.blocks.blocks, blocks);
    }
}

#[test]
fn a_failed_read_changes_nothing() {
    with_seeds(200, |seed| {
        let mut rng = Rng::new(seed);
        let mut subject = Subject::new();
        let pool = 50 + rng.below(600);
        for phase in 0..4 {
            for _ in 0..pool {
                let name = name_of(rng.below(pool), 120);
                let inserting = rng.chance(if phase % 2 == 0 { 85 } else { 15 }, 100);
                if rng.chance(50, 100) {
                    attempt(&mut subject, &mut rng, &name, inserting);
                } else if inserting {
                    let _ = subject.insert(&name, 1);
                } else {
                    subject.remove(&name);
                }
            }
            subject.verify();
            subject.reload(name_hash);
        }
    });
}

#[test]
fn every_read_of_every_operation_can_fail() {
    let mut subject = Subject::new();
    for id in 0..900 {
        subject.insert(&name_of(id, 60), id + 1).unwrap();
    }
    let names: Vec<_> = subject.model.keys().cloned().collect();
    for name in names {
        for fail_at in 0.. {
            subject.blocks.fail_at = Some(fail_at);
            let before = subject.blocks.blocks.clone();
            match subject.table.remove(&mut subject.blocks, &name) {
                Err(error) => {
                    assert_eq!(error.code, Code::Io);
                    assert_eq!(subject.blocks.blocks, before);
                }
                Ok(removed) => {
                    assert_eq!(removed, subject.model.remove(&name));
                    break;
                }
            }
        }
        subject.blocks.fail_at = None;
        subject.table.check(&mut subject.blocks).unwrap();
    }
    assert!(subject.table.is_empty());
    subject.blocks.fail_at = Some(0);
    assert!(subject.table.lookup(&mut subject.blocks, b"x").unwrap().is_none(), "no block to read");
    subject.blocks.fail_at = None;
    subject.insert(b"x", 1).unwrap();
    subject.blocks.fail_at = Some(0);
    assert_eq!(subject.table.lookup(&mut subject.blocks, b"x").unwrap_err().code, Code::Io);
    subject.blocks.fail_at = Some(0);
    assert_eq!(subject.table.iterate(&mut subject.blocks, 0, &mut |_| true).unwrap_err().code, Code::Io);
    subject.blocks.fail_at = Some(0);
    let replaced = subject.table.replace(&mut subject.blocks, b"x", seed_of(2), 8);
    assert_eq!(replaced.unwrap_err().code, Code::Io);
    subject.verify();
}
