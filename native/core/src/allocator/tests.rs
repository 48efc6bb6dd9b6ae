use std::ops::Range;

use super::*;
use crate::base::BlockNumber;
use crate::testing::Rng;

/// A free map in memory.
struct Pages(Vec<Option<Box<[u64; 504]>>>);

impl FreeMapSource for Pages {
    fn load(&self, page: u64) -> Result<Option<Box<[u64; 504]>>> {
        Ok(self.0[page as usize].clone())
    }
}

const WINDOW: u64 = 70_001; // three pages, 18 groups; a prime
const AREA: u64 = 300;

pub(super) fn fresh(window_blocks: u64, area: u64) -> Allocator {
    let window = Window::new(BlockNumber(1000), window_blocks, area).unwrap();
    let pages = (window_blocks + area).div_ceil(32_256);
    Allocator::new(window, Box::new(Pages(vec![None; pages as usize])))
}

fn run(start: u64, len: u64) -> Run {
    Run::new(DataNumber(start), len)
}

/// Every state of every block, and the rules of the module in the plainest words.
struct Model {
    busy: Vec<bool>,
    reserved: Vec<Option<u64>>,
}

impl Model {
    fn available(&self, at: u64) -> bool {
        !self.busy[at as usize] && self.reserved[at as usize].is_none()
    }
    fn runs(&self, zone: Range<u64>) -> Vec<Run> {
        let mut runs = Vec::new();
        let mut at = zone.start;
        while at < zone.end {
            let len = (at..zone.end).take_while(|&i| self.available(i)).count() as u64;
            if len > 0 {
                runs.push(run(at, len));
            }
            at += len.max(1);
        }
        runs
    }
}

#[test]
fn any_use_agrees_with_the_state_of_every_block() {
    for seed in 1..=40 {
        let mut rng = Rng::new(seed);
        let mut allocator = fresh(WINDOW, AREA);
        let mut model = Model {
            busy: vec![false; (WINDOW + AREA) as usize],
            reserved: vec![None; (WINDOW + AREA) as usize],
        };
        // Few long runs and many short ones; odd seeds fill up.
        let mut claimed: Vec<Run> = Vec::new();
        for step in 0..600 {
            let at = format!("seed {seed} step {step}");
            match rng.below(if seed % 2 == 0 { 10 } else { 8 }) {
                0..=4 => {
                    let long = rng.below(4) == 0;
                    let want = 1 + rng.below(if long { 9000 } else { 60 });
                    let min = 1 + rng.below(want);
                    let start = rng.below(WINDOW);
                    let zone =
                        if rng.below(2) == 0 { 0..WINDOW } else { start..start + rng.below(WINDOW - start) };
                    let runs = model.runs(zone.clone());
                    let found = allocator.find_available(want, min, zone).unwrap();
                    let longest = runs.iter().map(|r| r.len).max().unwrap_or(0);
                    let Some(found) = found else {
                        assert!(longest < min, "{at}: {min} blocks not found, longest {longest}");
                        continue;
                    };
                    let first = runs.iter().find(|r| r.len >= want).map(|r| run(r.start.0, want));
                    match first {
                        Some(first) => assert_eq!(found, first, "{at}: first-fit"),
                        None => assert!(found.len >= min && found.len <= longest, "{at}"),
                    }
                    assert!((found.start.0..found.end()).all(|i| model.available(i)), "{at}");
                    allocator.claim(found).unwrap();
                    claimed.push(found);
                    model.busy[found.start.0 as usize..found.end() as usize].fill(true);
                }
                5 => {
                    let holder = rng.below(4);
                    let start = rng.below(WINDOW);
                    let max = 1 + rng.below(5000);
                    let len =
                        (start..(start + max).min(WINDOW)).take_while(|&i| model.available(i)).count() as u64;
                    if len > 0 {
                        model.reserved.iter_mut().filter(|r| **r == Some(holder)).for_each(|r| *r = None);
                        allocator.reserve(Holder { owner: holder, copy: 0 }, run(start, len)).unwrap();
                        model.reserved[start as usize..(start + len) as usize].fill(Some(holder));
                    }
                }
                6 => {
                    // The holder grows into its growth window, or someone lands inside it.
                    let holder = Holder { owner: rng.below(4), copy: 0 };
                    let Some(own) = allocator.growth_window(holder) else { continue };
                    let skip = if rng.below(3) == 0 { rng.below(own.len) } else { 0 };
                    let taken = run(own.start.0 + skip, 1 + rng.below(own.len - skip));
                    let free = allocator.free_run_at(own.start, own.len + 5, Some(holder)).unwrap();
                    let model_free = (own.start.0..(own.end() + 5).min(WINDOW)).take_while(|&i| {
                        let reserved = model.reserved[i as usize];
                        !model.busy[i as usize] && reserved.is_none_or(|r| r == holder.owner)
                    });
                    assert_eq!(free, model_free.count() as u64, "{at}");
                    allocator.claim(taken).unwrap();
                    claimed.push(taken);
                    model.busy[taken.start.0 as usize..taken.end() as usize].fill(true);
                    model.reserved[taken.start.0 as usize..taken.end() as usize].fill(None);
                    if skip > 0 {
                        model.reserved[taken.end() as usize..own.end() as usize].fill(None);
                    }
                }
                _ => {
                    if claimed.is_empty() {
                        continue;
                    }
                    let all = claimed.swap_remove(rng.below(claimed.len() as u64) as usize);
                    let head = 1 + rng.below(all.len);
                    let freed = run(all.start.0, head);
                    if head < all.len {
                        claimed.push(run(all.start.0 + head, all.len - head));
                    }
                    allocator.prepare_free(freed).unwrap();
                    allocator.defer_free(step, freed);
                    assert!(allocator.is_busy(freed.start).unwrap());
                    assert_eq!(allocator.prove(step).unwrap(), head);
                    model.busy[freed.start.0 as usize..freed.end() as usize].fill(false);
                }
            }
        }
        let busy = model.busy.iter().filter(|&&b| b).count() as u64;
        assert_eq!(allocator.map.count(Layer::Busy, 0, WINDOW + AREA).unwrap(), busy, "seed {seed}");
        for at in 0..WINDOW {
            let reserved = (0..4).any(|owner| {
                let own = allocator.growth_window(Holder { owner, copy: 0 });
                own.is_some_and(|r| (r.start.0..r.end()).contains(&at))
            });
            assert_eq!(reserved, model.reserved[at as usize].is_some(), "seed {seed} block {at}");
        }
    }
}

#[test]
fn growth_windows_are_avoided_until_nothing_else_is_left() {
    let mut allocator = fresh(5003, 64);
    let holder = |owner| Holder { owner, copy: 0 };
    allocator.reserve(holder(1), run(0, 2000)).unwrap();
    allocator.reserve(holder(2), run(2000, 1000)).unwrap();
    assert_eq!(allocator.find_one().unwrap(), Some(DataNumber(3000)));
    assert_eq!(allocator.find_run(2500, 1, 0..5003).unwrap(), Some(run(3000, 2003)));
    assert_eq!(allocator.find_run(2500, 2100, 0..5003).unwrap(), Some(run(0, 2500)));
}

#[test]
fn the_largest_growth_window_goes_first() {
    let mut allocator = fresh(5003, 64);
    let holder = |owner| Holder { owner, copy: 0 };
    allocator.claim(run(3000, 2003)).unwrap();
    allocator.reserve(holder(1), run(0, 2000)).unwrap();
    allocator.reserve(holder(2), run(2000, 1000)).unwrap();
    assert_eq!(allocator.find_run(10, 1, 0..5003).unwrap(), Some(run(0, 10)));
    assert_eq!(
        (allocator.growth_window(holder(1)), allocator.growth_window(holder(2))),
        (None, Some(run(2000, 1000)))
    );
    assert!(allocator.reserve(holder(1), run(1999, 2)).is_err(), "another's");
    assert!(allocator.reserve(holder(1), run(2999, 2)).is_err(), "busy");
}

#[test]
fn double_claims_and_double_frees_are_refused_and_change_nothing() {
    let mut allocator = fresh(5003, 64);
    allocator.claim(run(10, 10)).unwrap();
    for bad in [run(19, 5), run(5, 6), run(5060, 10), run(0, 0), run(u64::MAX, 2)] {
        assert_eq!(allocator.claim(bad).unwrap_err().code, Code::Corrupt, "{bad:?}");
    }
    for bad in [run(19, 2), run(9, 5), run(5000, 1)] {
        assert_eq!(allocator.release(bad).unwrap_err().code, Code::Corrupt, "{bad:?}");
        assert_eq!(allocator.prepare_free(bad).unwrap_err().code, Code::Corrupt, "{bad:?}");
    }
    assert_eq!(allocator.map.count(Layer::Busy, 0, 5067).unwrap(), 10);
}

#[test]
fn freed_blocks_wait_for_the_proof() {
    let mut allocator = fresh(5003, 64);
    allocator.claim(run(0, 5003)).unwrap();
    allocator.defer_free(7, run(100, 50));
    allocator.defer_free(8, run(200, 5));
    assert_eq!((allocator.find_one().unwrap(), allocator.deferred_blocks()), (None, 55));
    assert_eq!(allocator.prove(6).unwrap(), 0);
    assert_eq!(allocator.prove(7).unwrap(), 50);
    assert_eq!(allocator.find_run(60, 1, 0..5003).unwrap(), Some(run(100, 50)));
    assert_eq!((allocator.prove(9).unwrap(), allocator.deferred_blocks()), (5, 0));
}

#[test]
fn the_area_is_filled_round_and_round() {
    let mut allocator = fresh(5003, 64);
    let mut place = |max| {
        let found = allocator.find_in_area(max).unwrap()?;
        allocator.claim(found).unwrap();
        Some((found.start.0 - 5003, found.len))
    };
    assert_eq!([place(40), place(40), place(1)], [Some((0, 40)), Some((40, 24)), None]);
    allocator.release(run(5003 + 10, 5)).unwrap();
    allocator.release(run(5003 + 50, 5)).unwrap();
    assert_eq!(allocator.area_used().unwrap(), 54);
    let found = |allocator: &mut Allocator| allocator.find_in_area(9).unwrap();
    assert_eq!(found(&mut allocator), Some(run(5003 + 10, 5)));
    assert_eq!(found(&mut allocator), Some(run(5003 + 50, 5)), "the pointer moves on");
    assert_eq!(found(&mut allocator), Some(run(5003 + 10, 5)));
}

#[test]
fn pages_are_loaded_once_and_only_when_asked_for() {
    let window = Window::new(BlockNumber(1000), 100_003, 300).unwrap();
    let mut pages = vec![None; 4];
    pages[1] = Some(Box::new([u64::MAX; 504]));
    let mut allocator = Allocator::new(window, Box::new(Pages(pages)));
    assert_eq!(allocator.find_run(100, 100, 0..100_003).unwrap(), Some(run(0, 100)));
    assert_eq!(allocator.stats().pages, 1);
    assert_eq!(allocator.find_run(40_000, 32_257, 0..100_003).unwrap(), Some(run(64_512, 35_491)));
    assert_eq!(allocator.stats().pages, 4);
    assert!(
        allocator.is_busy(DataNumber(32_256)).unwrap() && !allocator.is_busy(DataNumber(64_512)).unwrap()
    );
    assert_eq!(allocator.stats().pages, 4);
}

#[test]
fn a_free_map_with_blocks_behind_the_end_is_corrupt() {
    let window = Window::new(BlockNumber(1000), 5003, 64).unwrap();
    let mut page = Box::new([0; 504]);
    page[5067 / 64] = 1 << (5067 % 64);
    let mut allocator = Allocator::new(window, Box::new(Pages(vec![Some(page)])));
    assert_eq!(allocator.find_one().unwrap_err().code, Code::Corrupt);
}

#[test]
fn a_full_window_is_searched_once() {
    let mut allocator = fresh(1_000_003, 64);
    allocator.claim(run(0, 1_000_003)).unwrap();
    allocator.release(run(900_000, 1)).unwrap();
    // The first search ends when it knows something, the second sees the rest.
    for _ in 0..2 {
        assert_eq!(allocator.find_run(50, 1, 0..1_000_003).unwrap(), Some(run(900_000, 1)));
    }
    let before = allocator.stats().words;
    for _ in 0..10 {
        assert_eq!(allocator.find_run(50, 1, 0..1_000_003).unwrap(), Some(run(900_000, 1)));
    }
    let words = allocator.stats().words - before;
    assert!(words <= 10 * 70, "{words} words in ten searches");
}

#[test]
fn a_search_is_content_or_ends() {
    let blocks = crate::format::prime_at_most(9_000_000).unwrap();
    let window = Window::new(BlockNumber(1000), blocks, 256).unwrap();
    // Runs of 1 everywhere, or of 32 (each word half free): what a volume just mounted may meet.
    for (word, len, words) in [(0x5555_5555_5555_5555, 1, 65_536), (0xffff_ffff, 32, 4096)] {
        let mut pages: Vec<_> = vec![Some(Box::new([word; 504])); 279];
        pages.push(None);
        let mut allocator = Allocator::new(window, Box::new(Pages(pages)));
        let found = allocator.find_run(60, 1, 0..blocks).unwrap().unwrap();
        assert_eq!(found.len, len);
        let seen = allocator.stats().words;
        assert!((words..words + 2 * 8064).contains(&seen), "{seen} words");
        // It goes on where it ended: the tail of the volume is free.
        let more = (0..20).map(|_| allocator.find_run(60, 60, 0..blocks).unwrap());
        assert_eq!(more.last().unwrap(), Some(run(279 * 32_256 - len, 60)));
    }
}
