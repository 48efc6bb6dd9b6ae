//! Recovery (docs/design.md, "Recovery"): replay into memory, and for a writer the steps that make
//! the result the new truth before anything else is written.

use crate::base::{BLOCK_SIZE, Code, CopyPage, Error, Result};
use crate::device::Device;
use crate::format::layout::Checkpoint;
use crate::format::{Geometry, PageBytes, Region, page_txn, set_page_txn};
use crate::log::{Counters, LogPoint, NUMBER_MAX, checkpoint};
use crate::log::{PageImages, Recovered, Rewrite, apply_record, recover_past as find_last, replay};
use crate::pages::PageCache;
use crate::transaction::Gate;
use crate::volume::blocks::Coder;
use crate::volume::report::{OpenReport, Reporter};
use crate::volume::rescue::{Rescue, no_checkpoint};
use std::collections::{BTreeMap, BTreeSet};

/// Numbers given between two commits are covered by what the last one stored (space.rs).
const NUMBERS_AHEAD: u64 = 1 << 20;

/// Maps of at most so many pages are counted when a volume opens: 16 MiB, 516 GiB of data.
const COUNTED_PAGES: u64 = 4096;

/// Page images during replay, on top of the cache.
struct Images<'a> {
    pages: &'a PageCache,
    images: BTreeMap<CopyPage, Box<PageBytes>>,
    rescue: &'a Rescue,
    /// Pages that no copy has: what the log changes on them is passed over.
    lost: BTreeSet<CopyPage>,
    nowhere: Box<PageBytes>,
}

impl PageImages for Images<'_> {
    fn page(&mut self, page: CopyPage) -> Result<&mut PageBytes> {
        if self.lost.contains(&page) {
            return Ok(&mut self.nowhere);
        }
        if !self.images.contains_key(&page) {
            match load(self.pages, page) {
                Ok(image) => drop(self.images.insert(page, image)),
                Err(error) if self.rescue.passes(&error) => {
                    self.lost.insert(page);
                    return Ok(&mut self.nowhere);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(self.images.get_mut(&page).expect("just inserted"))
    }
    fn blank(&mut self, page: CopyPage) -> Result<()> {
        self.lost.remove(&page);
        self.images.insert(page, Box::new([0; BLOCK_SIZE]));
        Ok(())
    }
}

/// A page as it is at home, with its transaction in the trailer.
fn load(pages: &PageCache, page: CopyPage) -> Result<Box<PageBytes>> {
    let Some((region, number)) = pages.map.locate(page) else {
        return Err(Error::new(Code::Corrupt, format!("the log names page {} of a copy", page.0)));
    };
    if region == Region::Init {
        return pages.init_image_before(number);
    }
    let cached = pages.get(region, number)?;
    let mut image = Box::new(*cached.image());
    set_page_txn(&mut image, cached.txn());
    Ok(image)
}

/// Finds the last transaction, replays the log into the cache and, unless `read_only`, brings the
/// device to that state. Returns where the log goes on and the checkpoint block in force.
pub(super) fn recover(
    device: &dyn Device,
    geometry: &Geometry,
    coder: &Coder,
    pages: &PageCache,
    read_only: bool,
    rescue: &Rescue,
) -> Result<(OpenReport, LogPoint, Checkpoint)> {
    // Where the log is damaged, nobody knows which transaction was its last.
    let mut is_log_whole = true;
    let mut pass = |error| {
        is_log_whole = false;
        rescue.pass(error)
    };
    let found = match checkpoint::read(device, geometry) {
        Ok(found) => found.checkpoint,
        Err(error) => pass(error).map(|()| no_checkpoint())?,
    };
    let recovered = find_last(device, geometry, &found, &mut pass)?;
    check_device(device, geometry, &found, &recovered).or_else(&mut pass)?;
    if is_log_whole && !(rescue.is_on() && recovered.unreadable_blocks > 0) {
        pages.set_last(recovered.next.txn - 1);
    }
    pages.load_init()?;
    if rescue.is_on() {
        pages.do_without_init().into_iter().try_for_each(|error| rescue.pass(error))?;
    }
    let nowhere = Box::new([0; BLOCK_SIZE]);
    let mut images = Images { pages, images: BTreeMap::new(), rescue, lost: BTreeSet::new(), nowhere };
    replay(device, geometry, &found, &recovered, &mut |record| apply_record(record, geometry, &mut images))?;
    let report = OpenReport {
        replayed: recovered.records,
        dropped: recovered.dropped.map(|dropped| dropped.txn),
        rewritten: if read_only { 0 } else { recovered.rewrites.len() as u64 },
        orphans: 0,
        unreadable: recovered.unreadable_blocks,
    };
    let Images { images, lost, .. } = images;
    rescue.name_lost_pages(geometry, &lost);
    let changed: Vec<CopyPage> = images.keys().copied().collect();
    for (page, image) in images {
        let txn = page_txn(&image);
        pages.adopt(page, *image, txn)?;
    }
    if !rescue.is_on() {
        pages.check_init()?;
    }
    // Written in place it would count as blank all the same, and a later opening would miss what it holds.
    if let Some(page) = changed.iter().find(|&&page| !read_only && !pages.is_written(page)) {
        let text = format!("the log changes page {} of a copy, which says that it was never written", page.0);
        return Err(Error::new(Code::Corrupt, text));
    }
    let next = recovered.next;
    if read_only {
        return Ok((report, next, found));
    }
    rewrite(device, coder, &recovered.rewrites)?;
    let chosen = found.recovery_chosen(&recovered);
    checkpoint::write(device, geometry, &chosen)?;
    device.flush()?;
    // Nobody else is here yet: the gate is this function's own.
    let gate = Gate::new(next.txn, 0);
    let snapshot = pages.snapshot(&gate.close()?, next.txn - 1);
    pages.write_in_place_after_crash(device, &snapshot)?;
    let mut counters = next.counters;
    counters.next_number = (counters.next_number + NUMBERS_AHEAD).min(NUMBER_MAX);
    let tail = LogPoint { counters, ..next };
    let writable = chosen.with_tail(&tail, next.txn - 1);
    checkpoint::write(device, geometry, &writable)?;
    device.flush()?;
    Ok((report, next, writable))
}

/// The counters as the maps have them, where they can be counted at all: what a checksum proves is only that
/// nobody damaged them since they were written. Lines say what was wrong. `files` is not counted: that would
/// read every anchor of the volume.
pub(super) fn counted(
    geometry: &Geometry,
    pages: &PageCache,
    stored: Counters,
    reporter: &Reporter,
) -> Counters {
    let mut counters = stored;
    let count = |name, region, end, counter: &mut u64| {
        if geometry.map.pages_of(region) > COUNTED_PAGES {
            return;
        }
        match pages.count_bits(region, end) {
            Ok(found) if found == *counter => {}
            Ok(found) => {
                reporter.line(&format!(
                    "the volume's counter of {name} says {counter}, its map {found}: the map is taken; \
                     run fsck.hn4 -n"
                ));
                *counter = found;
            }
            Err(error) => reporter.line(&format!("{name} are not counted: {error}")),
        }
    };
    count("live blocks", Region::Free, geometry.data_blocks(), &mut counters.live_blocks);
    count("extension units", Region::Unit, geometry.units(), &mut counters.units);
    counters
}

/// A log block or the last transaction's data that cannot be read is taken for what a power cut tore. But
/// a device that reads nothing any more has torn nothing: to go on would forget synced transactions.
fn check_device(
    device: &dyn Device,
    geometry: &Geometry,
    found: &Checkpoint,
    recovered: &Recovered,
) -> Result<()> {
    if recovered.unreadable_blocks == 0 && recovered.dropped.is_none() {
        return Ok(());
    }
    match checkpoint::read(device, geometry) {
        Ok(again) if again.checkpoint == *found => Ok(()),
        _ => Err(Error::new(
            Code::Io,
            "the device stopped reading while the log was replayed; nothing was changed",
        )),
    }
}

/// Copies of META blocks of the last transaction that did not arrive, from the copy that did.
fn rewrite(device: &dyn Device, coder: &Coder, rewrites: &[Rewrite]) -> Result<()> {
    rewrites.iter().try_for_each(|one| coder.rewrite(device, one))?;
    // The checkpoint block calls the transaction proven: no later recovery would look at these again.
    if rewrites.is_empty() { Ok(()) } else { device.flush() }
}
