//! A file's chain of records in memory, and how it is read.

use super::record::{Record, Unit, corrupt, payload_max, units_of};
use super::xattr;
use crate::base::{Ino, Result};
use crate::format::layout::{EXTENSION_SEGMENTS, EXTENSION_XATTR, UNITS_PER_PAGE};
use std::collections::{BTreeMap, HashSet};

/// The extension region of a volume.
pub trait Units {
    /// A unit's current bytes (may do I/O).
    fn unit(&mut self, unit: u64) -> Result<Unit>;
    /// Whether the unit map says that the unit is in use.
    fn in_use(&mut self, unit: u64) -> Result<bool>;
}

/// The records of one file, in chain order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    pub owner: Ino,
    pub records: Vec<Record>,
}

impl Chain {
    /// The chain of a file without extensions.
    pub fn empty(owner: Ino) -> Chain {
        Chain { owner, records: Vec::new() }
    }

    /// Reads the chain of `owner` that begins at unit `head` (0: none), in a region of
    /// `extension_pages` pages. Memory grows with what was read and checked. Error: `Corrupt`,
    /// naming unit and rule.
    pub fn read<U: Units + ?Sized>(
        units: &mut U,
        owner: Ino,
        head: u64,
        extension_pages: u64,
    ) -> Result<Chain> {
        let mut chain = Chain::empty(owner);
        let mut seen = HashSet::new();
        let mut lengths: BTreeMap<u32, u64> = BTreeMap::new();
        let mut next = head;
        let mut bytes = Vec::new();
        while next != 0 {
            let unit = next;
            if unit >= extension_pages.saturating_mul(UNITS_PER_PAGE) {
                return Err(corrupt(owner, unit, "outside the extension region"));
            }
            bytes.clear();
            let first = visit(units, owner, unit, &mut seen)?;
            let header = Record::header(&first, owner, unit)?;
            bytes.extend_from_slice(&first);
            for further in 1..units_of(header.length as usize) {
                bytes.extend_from_slice(&visit(units, owner, unit + further, &mut seen)?);
            }
            let total = lengths.entry(header.kind).or_default();
            *total += u64::from(header.length);
            if *total > payload_max(header.kind) {
                return Err(corrupt(owner, unit, "more payload than the type may have"));
            }
            chain.records.push(Record::decode(&header, &bytes, unit)?);
            next = header.next;
        }
        if lengths.get(&EXTENSION_SEGMENTS).is_some_and(|length| length % 16 != 0) {
            return Err(corrupt(owner, head, "SEGMENTS is not a multiple of 16 bytes"));
        }
        if lengths.contains_key(&EXTENSION_XATTR) {
            xattr::check(&chain.payload(EXTENSION_XATTR)).map_err(|rule| corrupt(owner, head, rule))?;
        }
        Ok(chain)
    }

    /// First unit of the chain, 0 if there is none: the anchor's `extension`.
    pub fn head(&self) -> u64 {
        self.records.first().map_or(0, |record| record.unit)
    }

    /// Whether the chain holds a record of that type.
    pub fn has(&self, kind: u32) -> bool {
        self.records.iter().any(|record| record.kind == kind)
    }

    /// Payload of a type; empty if there is none.
    pub fn payload(&self, kind: u32) -> Vec<u8> {
        let mut payload = Vec::new();
        for record in self.records.iter().filter(|record| record.kind == kind) {
            payload.extend_from_slice(&record.payload);
        }
        payload
    }

    /// Units of all records.
    pub fn units(&self) -> u64 {
        self.records.iter().map(Record::units).sum()
    }
}

fn visit<U: Units + ?Sized>(units: &mut U, owner: Ino, unit: u64, seen: &mut HashSet<u64>) -> Result<Unit> {
    if !seen.insert(unit) {
        return Err(corrupt(owner, unit, "the unit stands twice in the chain"));
    }
    if !units.in_use(unit)? {
        return Err(corrupt(owner, unit, "the unit map says that the unit is free"));
    }
    units.unit(unit)
}
