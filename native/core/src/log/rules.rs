//! The rules for the items of one record (docs/format.md 7).

use super::item::{DescriptorRun, Item};
use super::{NUMBER_MAX, RecordView};
use crate::base::{Code, CopyPage, Error, Result};
use crate::format::layout as l;
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
type Identity = (u64, u16, u64, u64);

/// Checks every item alone, their order, and that nothing is named twice. Memory: at most 1.4 times the
/// record.
pub(super) fn check_items(view: &RecordView<'_>, geometry: &Geometry) -> Result<()> {
    let mut spans: Vec<Span> = Vec::new();
    let mut identities: Vec<Identity> = Vec::new();
    let mut items = view.items();
    let (mut count, mut rank) = (0u32, 0);
    for item in items.by_ref() {
        let wrong =
            |what: &str| Error::new(Code::Corrupt, format!("record {}, item {count}: {what}", view.txn()));
        let item_rank = rank_of(&item);
        if item_rank < rank {
            return Err(wrong("PAGE, BIRTH and other items are out of order"));
        }
        rank = item_rank;
        spans.push(check_item(&item, geometry).map_err(wrong)?);
        if let Item::Descriptors(run) = item {
            identities.push((run.owner, run.copy(), run.index, u64::from(run.count)));
        }
        count += 1;
    }
    let wrong = |what: &str| Err(Error::new(Code::Corrupt, format!("record {}: {what}", view.txn())));
    if !items.is_at_end() || count != view.header.items {
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
            check_run(&run, geometry)?;
            let count = u64::from(run.count);
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

/// The fields of a descriptor run, apart from the blocks it names.
fn check_run(run: &DescriptorRun<'_>, geometry: &Geometry) -> std::result::Result<(), &'static str> {
    let known = 0xf | l::DESCRIPTOR_UNWRITTEN | l::DESCRIPTOR_META;
    if u64::from(run.flags) & !known != 0 || (run.is_unwritten() && run.is_meta()) {
        return Err("unknown or contradictory descriptor flags");
    }
    let copies = if run.is_meta() { geometry.copies() } else { 1 };
    if usize::from(run.copy()) >= copies {
        return Err("no such copy of a block");
    }
    if u64::from(run.stored) != if run.is_unwritten() { 0 } else { l::BLOCK_SIZE } {
        return Err("a wrong stored length");
    }
    if run.owner == 0 || run.owner > NUMBER_MAX {
        return Err("a wrong owner");
    }
    if run.index >= 1 << 48 || u64::from(run.count) > (1 << 48) - run.index {
        return Err("a wrong logical index");
    }
    Ok(())
}
