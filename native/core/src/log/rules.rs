//! The rules for the items of one record (docs/format.md 7).

use super::item::{Item, Items};
use crate::base::{Code, CopyPage, Error, Result};
use crate::format::layout::{self as l, LogRecord};
use crate::format::{Geometry, Region};

/// Kinds of things that a record names at most once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Slot,
    Block,
    Unit,
    Page,
}

/// `count` things from `first` on.
type Span = (Thing, u64, u64);
/// Owner, copy, first index, count.
type Identity = (u64, u8, u64, u64);

/// Checks every item alone, their order, and that nothing is named twice. Memory: at most 1.4 times the
/// record.
pub(super) fn check_items(header: &LogRecord, mut items: Items<'_>, geometry: &Geometry) -> Result<()> {
    let mut spans: Vec<Span> = Vec::new();
    let mut identities: Vec<Identity> = Vec::new();
    let (mut count, mut rank) = (0u32, 0);
    for item in items.by_ref() {
        let wrong =
            |what: &str| Error::new(Code::Corrupt, format!("record {}, item {count}: {what}", header.txn));
        let item_rank = rank_of(&item);
        if item_rank < rank {
            return Err(wrong("PAGE, BIRTH and other items are out of order"));
        }
        rank = item_rank;
        spans.push(check_item(&item, geometry).map_err(wrong)?);
        if let Item::Descriptors(run) = item {
            identities.push((run.place.owner, run.place.copy(), run.place.index, u64::from(run.count)));
        }
        count += 1;
    }
    let wrong = |what: &str| Err(Error::new(Code::Corrupt, format!("record {}: {what}", header.txn)));
    if !items.is_at_end() || count != header.items {
        return wrong("malformed items");
    }
    spans.sort_unstable();
    if spans.windows(2).any(|pair| pair[0].0 == pair[1].0 && pair[0].1 + pair[0].2 > pair[1].1) {
        return wrong("a slot, block, unit or page is named twice");
    }
    identities.sort_unstable();
    let same = |a: &Identity, b: &Identity| (a.0, a.1) == (b.0, b.1);
    if identities.windows(2).any(|pair| same(&pair[0], &pair[1]) && pair[0].2 + pair[0].3 > pair[1].2) {
        return wrong("a block of a file is named twice");
    }
    Ok(())
}

fn rank_of(item: &Item<'_>) -> u8 {
    match item {
        Item::Page { .. } => 0,
        Item::Birth { .. } => 1,
        _ => 2,
    }
}

fn check_item(item: &Item<'_>, geometry: &Geometry) -> std::result::Result<Span, &'static str> {
    // A run of at least one inside `end`; both numbers then fit any sum below.
    let inside = |first: u64, count: u64, end: u64| count > 0 && first < end && count <= end - first;
    match *item {
        Item::Slot { region, page, slot, .. } | Item::SlotClear { region, page, slot } => {
            if !matches!(region, Region::Cortex | Region::Stash) {
                return Err("a slot of a region without slots");
            }
            if page >= geometry.map.pages_of(region) || u64::from(slot) >= l::SLOTS_PER_PAGE {
                return Err("no such slot");
            }
            let page = geometry.map.start(region).plus(page);
            Ok((Thing::Slot, page.0 * l::SLOTS_PER_PAGE + u64::from(slot), 1))
        }
        Item::Descriptors(run) => {
            let count = u64::from(run.count);
            if let Some(problem) = run.place.problem(geometry.copies()) {
                return Err(problem);
            }
            if !run.place.fits(count) {
                return Err("a wrong logical index");
            }
            let fits = inside(run.data, count, geometry.data_blocks());
            if fits { Ok((Thing::Block, run.data, count)) } else { Err("no such data blocks") }
        }
        Item::BlocksFree { first, count } => {
            let fits = inside(first, count, geometry.data_blocks());
            if fits { Ok((Thing::Block, first, count)) } else { Err("no such data blocks") }
        }
        Item::Unit { number: first, .. } => unit_span(first, 1, geometry),
        Item::UnitsFree { first, count } => unit_span(first, count, geometry),
        Item::Birth { first, count } => {
            let init = geometry.map.pages_of(Region::Init);
            let fits = first >= init && inside(first, count, geometry.copy_pages());
            if fits { Ok((Thing::Page, first, count)) } else { Err("no such pages to be born") }
        }
        Item::Page { page, .. } => match geometry.map.locate(CopyPage(page)) {
            Some(_) => Ok((Thing::Page, page, 1)),
            None => Err("no such page"),
        },
    }
}

fn unit_span(first: u64, count: u64, geometry: &Geometry) -> std::result::Result<Span, &'static str> {
    let units = geometry.units();
    let fits = first > 0 && count > 0 && first < units && count <= units - first;
    if fits { Ok((Thing::Unit, first, count)) } else { Err("no such extension unit") }
}
