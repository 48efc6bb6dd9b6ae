//! From one chain to the next with few changed units.
//!
//! A changed record costs its first unit (checksum) and the units whose bytes differ; a record whose
//! successor changes costs its first unit. So new types come first in the chain, grown payloads
//! extend their last record in place, and what is untouched keeps its place and generation.

use super::allocator::{UnitAllocator, UnitMap};
use super::chain::Chain;
use super::change::{Change, Taker, UnitRun, release};
use super::fill::{Draft, Fresh, fill};
use super::record::{Record, Unit, payload_max, units_of};
use crate::base::{Code, Error, Result};
use crate::format::layout::{EXTENSION_SEGMENTS, EXTENSION_SYMLINK};

/// How a chain changes. Its new units are taken from the allocator already: end with
/// [`Plan::keep`] or [`Plan::cancel`].
#[derive(Debug)]
pub struct Plan {
    /// The chain after the change. SEGMENTS, which have no order, may stand in another one.
    pub chain: Chain,
    /// Units to write, with their bytes.
    pub writes: Vec<(u64, Unit)>,
    /// Units to free.
    pub freed: Vec<UnitRun>,
    taken: Vec<UnitRun>,
}

impl Plan {
    /// The plan is carried out: freed units return to the allocator. Gives the new chain.
    pub fn keep(self, allocator: &mut UnitAllocator) -> Chain {
        release(allocator, &self.freed);
        self.chain
    }

    /// The plan is dropped: its new units return to the allocator.
    pub fn cancel(self, allocator: &mut UnitAllocator) {
        release(allocator, &self.taken);
    }
}

impl Chain {
    /// Plans new payloads for some types; the other types keep theirs. `generation`: low 32 bits of
    /// the transaction. Errors leave the allocator as it was: `ExtensionFull`, `InvalidArgument`
    /// (a type that does not exist or comes twice, a payload above its limit), those of the unit map.
    pub fn plan<M: UnitMap + ?Sized>(
        &self,
        changes: &[Change],
        generation: u32,
        allocator: &mut UnitAllocator,
        map: &mut M,
    ) -> Result<Plan> {
        for (number, change) in changes.iter().enumerate() {
            let twice = changes[..number].iter().any(|other| other.kind == change.kind);
            let size = change.payload.len() as u64;
            let odd = change.kind == EXTENSION_SEGMENTS && size % 16 != 0;
            if twice || change.kind == 0 || change.kind > EXTENSION_SYMLINK {
                return Err(Error::new(Code::InvalidArgument, "extension type unknown or given twice"));
            }
            if odd || size > payload_max(change.kind) {
                return Err(Error::new(Code::InvalidArgument, "extension payload of an illegal size"));
            }
        }
        let near = self.records.first().map(|record| record.unit);
        let mut taker = Taker { allocator, map, taken: Vec::new(), near };
        let outcome = self.plan_with(changes, generation, &mut taker);
        if outcome.is_err() {
            taker.roll_back(0);
        }
        outcome
    }

    fn plan_with<M: UnitMap + ?Sized>(
        &self,
        changes: &[Change],
        generation: u32,
        taker: &mut Taker<M>,
    ) -> Result<Plan> {
        let mut draft = Draft::of(self);
        for change in changes {
            fill(self, &mut draft, *change, taker)?;
        }
        let mut plan = draft.finish(self, generation);
        for run in &plan.freed {
            taker.allocator.prepare_release(taker.map, run.first)?;
        }
        plan.taken = std::mem::take(&mut taker.taken);
        Ok(plan)
    }
}

impl Draft {
    /// Links the records in their new order and compares them with the old ones.
    fn finish(self, old: &Chain, generation: u32) -> Plan {
        let mut records: Vec<(Record, Option<usize>)> = Vec::new();
        let mut freed = Vec::new();
        let fresh_record = |fresh: Fresh| {
            let Fresh { unit, kind, payload } = fresh;
            (Record { unit, kind, generation, payload }, None)
        };
        records.extend(self.head.into_iter().map(fresh_record));
        for ((number, record), node) in old.records.iter().enumerate().zip(self.nodes) {
            let payload = node.payload.as_ref().unwrap_or(&record.payload);
            let kept_units = if payload.is_empty() { 0 } else { units_of(payload.len()) };
            if kept_units < record.units() {
                freed.push(UnitRun { first: record.unit + kept_units, count: record.units() - kept_units });
            }
            if kept_units > 0 {
                records.push((Record { payload: payload.clone(), ..*record }, Some(number)));
            }
            records.extend(node.behind.into_iter().map(fresh_record));
        }

        let mut writes = Vec::new();
        for at in 0..records.len() {
            let next = records.get(at + 1).map_or(0, |(record, _)| record.unit);
            let (record, number) = &mut records[at];
            let before = number.map(|number| (&old.records[number], old.next_of(number)));
            if before.is_some_and(|(was, was_next)| was_next == next && was.payload == record.payload) {
                continue;
            }
            record.generation = generation;
            let was = before.map_or(Vec::new(), |(was, was_next)| was.encode(old.owner, was_next));
            for (index, bytes) in record.encode(old.owner, next).into_iter().enumerate() {
                if was.get(index) != Some(&bytes) {
                    writes.push((record.unit + index as u64, bytes));
                }
            }
        }
        let records = records.into_iter().map(|(record, _)| record).collect();
        Plan { chain: Chain { owner: old.owner, records }, writes, freed, taken: Vec::new() }
    }
}
