//! Spreads a type's new payload over its old records, and over new ones where they do not suffice.

use super::allocator::UnitMap;
use super::chain::Chain;
use super::change::{Change, Taker};
use super::record::{Record, payload_room, units_of};
use crate::base::{Code, Result};
use crate::format::layout::{EXTENSION_SEGMENTS, UNITS_PER_PAGE};
use std::collections::HashMap;
use std::ops::Range;

/// A record that was not there.
pub(super) struct Fresh {
    pub unit: u64,
    pub kind: u32,
    pub payload: Vec<u8>,
}

/// What becomes of an old record.
#[derive(Default)]
pub(super) struct Node {
    /// New payload, empty if the record goes; `None`: as it is.
    pub payload: Option<Vec<u8>>,
    /// New records that follow it in the chain.
    pub behind: Vec<Fresh>,
}

/// A chain on its way to the next.
pub(super) struct Draft {
    /// New records before all others.
    pub head: Vec<Fresh>,
    pub nodes: Vec<Node>,
}

impl Draft {
    pub fn of(chain: &Chain) -> Draft {
        Draft { head: Vec::new(), nodes: chain.records.iter().map(|_| Node::default()).collect() }
    }
}

impl Chain {
    /// Unit of the record behind record `number`, 0 behind the last.
    pub(super) fn next_of(&self, number: usize) -> u64 {
        self.records.get(number + 1).map_or(0, |record| record.unit)
    }
}

/// Drafts one type's new payload.
pub(super) fn fill<M: UnitMap + ?Sized>(
    chain: &Chain,
    draft: &mut Draft,
    change: Change,
    taker: &mut Taker<M>,
) -> Result<()> {
    let Change { kind, payload } = change;
    let numbers: Vec<usize> =
        (0..chain.records.len()).filter(|&number| chain.records[number].kind == kind).collect();
    if payload.is_empty() || numbers.is_empty() {
        for &number in &numbers {
            draft.nodes[number].payload = Some(Vec::new());
        }
        draft.head.extend(fresh(kind, payload, false, taker)?);
        return Ok(());
    }
    // Many short records: gather them once, if there is room for both.
    let full_records = payload.len().div_ceil(payload_room(kind, UNITS_PER_PAGE));
    if numbers.len() > 2 + 2 * full_records {
        let taken = taker.taken.len();
        match fresh(kind, payload, kind == EXTENSION_SEGMENTS, taker) {
            Ok(records) => {
                for &number in &numbers {
                    draft.nodes[number].payload = Some(Vec::new());
                }
                draft.head.extend(records);
                return Ok(());
            }
            Err(error) if error.code == Code::ExtensionFull => taker.roll_back(taken),
            Err(error) => return Err(error),
        }
    }
    let old: Vec<&Record> = numbers.iter().map(|&number| &chain.records[number]).collect();
    let (touched, middle) = difference(&old, payload);
    let mut contents = match touched.len() {
        0 => return Ok(()),
        1 => vec![payload[middle].to_vec()],
        _ if kind == EXTENSION_SEGMENTS => exchange_segments(&old[touched.clone()], &payload[middle]),
        _ => cut(&old[touched.clone()], &payload[middle]),
    };
    let last = contents.pop().unwrap_or_default();
    for (content, place) in contents.into_iter().zip(touched.clone()) {
        draft.nodes[numbers[place]].payload = Some(content);
    }
    grow(chain, draft, numbers[touched.end - 1], last, taker)
}

/// The records of `old` that must change for `payload`, and the part of it that is theirs.
fn difference(old: &[&Record], payload: &[u8]) -> (Range<usize>, Range<usize>) {
    let mut first = 0;
    let mut start = 0;
    while first < old.len() && payload[start..].starts_with(&old[first].payload) {
        start += old[first].payload.len();
        first += 1;
    }
    let (mut last, mut end) = (old.len(), payload.len());
    while last > first && payload[start..end].ends_with(&old[last - 1].payload) {
        end -= old[last - 1].payload.len();
        last -= 1;
    }
    if first == last && start < end {
        // Bytes between two records, or behind the last: the one before takes them.
        if first > 0 {
            first -= 1;
            start -= old[first].payload.len();
        } else {
            end += old[last].payload.len();
            last += 1;
        }
    }
    (first..last, start..end)
}

/// Cuts `content` where the old records ended; the last takes the rest.
fn cut(old: &[&Record], content: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = content;
    let mut parts = Vec::with_capacity(old.len());
    for record in &old[..old.len() - 1] {
        let (part, behind) = rest.split_at(rest.len().min(record.payload.len()));
        parts.push(part.to_vec());
        rest = behind;
    }
    parts.push(rest.to_vec());
    parts
}

/// Takes out of the old records the segments that go, and puts the new ones where room was made.
fn exchange_segments(old: &[&Record], content: &[u8]) -> Vec<Vec<u8>> {
    if old.iter().any(|record| record.payload.len() % 16 != 0) {
        return cut(old, content);
    }
    let mut wanted: HashMap<&[u8], u32> = HashMap::new();
    for segment in content.chunks_exact(16) {
        *wanted.entry(segment).or_default() += 1;
    }
    let mut parts: Vec<Vec<u8>> = Vec::with_capacity(old.len());
    for record in old {
        let mut part = Vec::with_capacity(record.payload.len());
        for segment in record.payload.chunks_exact(16) {
            if let Some(count) = wanted.get_mut(segment).filter(|count| **count > 0) {
                *count -= 1;
                part.extend_from_slice(segment);
            }
        }
        parts.push(part);
    }
    let mut added = Vec::new();
    for segment in content.chunks_exact(16) {
        if let Some(count) = wanted.get_mut(segment).filter(|count| **count > 0) {
            *count -= 1;
            added.push(segment);
        }
    }
    let mut added = added.into_iter();
    for (part, record) in parts.iter_mut().zip(old) {
        if part.len() < record.payload.len() {
            let room = (payload_room(record.kind, record.units()) - part.len()) / 16;
            added.by_ref().take(room).for_each(|segment| part.extend_from_slice(segment));
        }
    }
    if let Some(last) = parts.last_mut() {
        added.for_each(|segment| last.extend_from_slice(segment));
    }
    parts
}

/// Gives record `number` a payload of any size: in place, longer in place, moved, or with new
/// records behind it, whichever changes fewest units.
fn grow<M: UnitMap + ?Sized>(
    chain: &Chain,
    draft: &mut Draft,
    number: usize,
    payload: Vec<u8>,
    taker: &mut Taker<M>,
) -> Result<()> {
    let record = &chain.records[number];
    let (kind, units) = (record.kind, record.units());
    if payload.len() <= payload_room(kind, units) {
        draft.nodes[number].payload = Some(payload);
        return Ok(());
    }
    let fits_one = payload.len() <= payload_room(kind, UNITS_PER_PAGE);
    let wanted = if fits_one { units_of(payload.len()) } else { UNITS_PER_PAGE } - units;
    let taken = taker.taken.len();
    let added = taker.extend(record.unit + units, wanted, kind)?;
    let room = payload_room(kind, units + added);
    if payload.len() <= room {
        draft.nodes[number].payload = Some(payload);
        return Ok(());
    }
    let rest = units_of(payload.len() - room);
    // The record before a moved one names it: one more unit.
    let cost_of_move = units_of(payload.len()) + u64::from(number > 0);
    if fits_one && cost_of_move <= 1 + added + rest {
        taker.roll_back(taken);
        match fresh(kind, &payload, true, taker) {
            Ok(records) => {
                draft.nodes[number].payload = Some(Vec::new());
                draft.nodes[number].behind.extend(records);
                return Ok(());
            }
            // A moved record needs room for old and new at once: try with less.
            Err(error) if error.code == Code::ExtensionFull => {
                taker.roll_back(taken);
                taker.extend(record.unit + units, wanted, kind)?;
            }
            Err(error) => return Err(error),
        }
    }
    // Bytes that only follow stay together if that needs no more units: the old ones stay untouched.
    let room = match payload.strip_prefix(&record.payload[..]) {
        Some(behind) if added == 0 && units_of(behind.len()) == rest => record.payload.len(),
        _ => room,
    };
    let (own, behind) = payload.split_at(room);
    draft.nodes[number].payload = Some(own.to_vec());
    let records = fresh(kind, behind, true, taker)?;
    draft.nodes[number].behind.extend(records);
    Ok(())
}

/// New records for `payload`; `growing`: more is to be expected behind it.
fn fresh<M: UnitMap + ?Sized>(
    kind: u32,
    payload: &[u8],
    growing: bool,
    taker: &mut Taker<M>,
) -> Result<Vec<Fresh>> {
    let mut records = Vec::new();
    let mut rest = payload;
    while !rest.is_empty() {
        let mut units = units_of(rest.len()).min(UNITS_PER_PAGE);
        let unit = loop {
            match taker.take(units, kind, growing) {
                Ok(unit) => break unit,
                // No page has so many in a row: shorter records will do.
                Err(error) if error.code == Code::ExtensionFull && units > 1 => units /= 2,
                Err(error) => return Err(error),
            }
        };
        let (part, behind) = rest.split_at(rest.len().min(payload_room(kind, units)));
        records.push(Fresh { unit, kind, payload: part.to_vec() });
        rest = behind;
    }
    Ok(records)
}
