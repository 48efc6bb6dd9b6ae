//! How the cortex behaves as it fills: prints the tables of docs/simulations.md, section "Cortex".
//! Runs the engine's own table on pages in memory. Arguments: [cortex pages] [seeds].

use std::sync::Arc;

use hn4_core::base::Result;
use hn4_core::cortex::ram::RamStore;
use hn4_core::cortex::{Cortex, Geometry};
use hn4_core::format::layout::SLOTS_PER_PAGE;
use hn4_core::format::slot::{EMPTY, SlotBytes, set_checksum};

/// Loads at which page reads per insert are measured, percent of the cortex's slots.
const LOADS: [u64; 5] = [40, 60, 80, 90, 95];
const LAST_LOAD: u64 = 98;

/// Anchors entered after which the dirty pages are counted: one large commit.
const BURST: u64 = 10_000;

/// Subdirectories of a directory.
const BREADTH: u64 = 10;

#[derive(Clone, Copy)]
enum Tree {
    Small,
    Hundred,
    Flat,
    Mixed,
}

struct Directory {
    hint: u32,
    entries: u64,
    subdirectories: u64,
}

struct Simulation {
    store: Arc<RamStore>,
    cortex: Cortex<Arc<RamStore>>,
    geometry: Geometry,
    uniform: bool,
    random: u64,
    number: u64,
    /// Page reads of the last choice of a hint.
    hint_reads: u64,
}

#[derive(Default, Clone, Copy)]
struct Figures {
    burst_pages: f64,
    reads: [f64; LOADS.len()],
    /// Half a percent just after a mount: of the insert, and of the choice of its hint.
    cold_reads: [f64; LOADS.len()],
    hint_reads: [f64; LOADS.len()],
    written: [f64; LOADS.len()],
    stash: f64,
    refused: f64,
}

impl Simulation {
    fn new(pages: u64, seed: u64, uniform: bool) -> Result<Simulation> {
        let mut hash_key = [0x3c; 16];
        hash_key[..8].copy_from_slice(&seed.to_le_bytes());
        let geometry = Geometry { cortex_pages: pages, stash_pages: 4, hash_key, used: 0 };
        let store = Arc::new(RamStore::default());
        let cortex = Cortex::open(Arc::clone(&store), geometry)?;
        Ok(Simulation { store, cortex, geometry, uniform, random: seed, number: 16, hint_reads: 0 })
    }

    fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        self.random >> 33
    }

    fn files_in(&mut self, tree: Tree) -> u64 {
        match tree {
            Tree::Small => 3 + self.random() % 6,
            Tree::Hundred => 100,
            Tree::Flat => u64::MAX,
            Tree::Mixed => match self.random() % 20 {
                0..=13 => 3 + self.random() % 6,
                14..=18 => 100,
                _ => 2000,
            },
        }
    }

    /// Enters one anchor in a directory; its hint, and whether the table took it.
    fn enter(&mut self, directory: &mut Directory) -> (u32, bool) {
        let hint = match self.uniform {
            true => self.random() as u32,
            false => self.cortex.choose_hint(directory.hint, directory.entries),
        };
        directory.entries += 1;
        self.number += 1;
        self.hint_reads = self.store.take_reads();
        (hint, self.cortex.insert(&slot(self.number, hint), ()).is_ok())
    }

    /// Forgets what was learned of the pages' fill, as a new mount does.
    fn reopen(&mut self) -> Result<()> {
        let geometry = Geometry { used: self.cortex.used(), ..self.geometry };
        self.cortex = Cortex::open(Arc::clone(&self.store), geometry)?;
        Ok(())
    }

    /// Fills the table with a tree: each directory's files, then the next directory, breadth first.
    fn run(&mut self, tree: Tree) -> Result<Figures> {
        let slots = self.geometry.cortex_pages * SLOTS_PER_PAGE;
        let end = slots * LAST_LOAD / 100;
        // A hundredth of the table is measured at each load, half of it after a reopening.
        let window = slots / 200;
        let mut figures = Figures::default();
        let mut directories = vec![Directory { hint: 0, entries: 0, subdirectories: 0 }];
        let (mut current, mut left, mut entered) = (0, self.files_in(tree), 0);
        let mut parent = 0;
        while entered < end {
            for (index, load) in LOADS.into_iter().enumerate() {
                if entered == slots * load / 100 {
                    self.reopen()?;
                    self.store.take_written_slots();
                }
                if entered == slots * load / 100 + window {
                    figures.written[index] = self.store.take_written_slots() as f64 / window as f64;
                }
            }
            let taken;
            if left == 0 {
                while directories[parent].subdirectories == BREADTH {
                    parent += 1;
                }
                let mut above = std::mem::replace(
                    &mut directories[parent],
                    Directory { hint: 0, entries: 0, subdirectories: 0 },
                );
                above.subdirectories += 1;
                let (hint, ok) = self.enter(&mut above);
                directories[parent] = above;
                taken = ok;
                directories.push(Directory { hint, entries: 0, subdirectories: 0 });
                current = directories.len() - 1;
                left = self.files_in(tree);
            } else {
                left -= 1;
                taken = self.enter(&mut directories[current]).1;
            }
            if !taken {
                figures.refused += 1.0;
                break;
            }
            let reads = self.store.take_reads() as f64;
            for (index, load) in LOADS.into_iter().enumerate() {
                let since = entered.wrapping_sub(slots * load / 100);
                if since < window {
                    figures.cold_reads[index] += reads / window as f64;
                    figures.hint_reads[index] += self.hint_reads as f64 / window as f64;
                } else if since < 2 * window {
                    figures.reads[index] += reads / window as f64;
                }
            }
            entered += 1;
            if entered == BURST {
                figures.burst_pages = self.store.take_written() as f64;
            }
        }
        figures.stash = self.cortex.stash_used() as f64;
        Ok(figures)
    }
}

fn slot(number: u64, hint: u32) -> SlotBytes {
    let mut bytes = EMPTY;
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    bytes[8..12].copy_from_slice(&hint.to_le_bytes());
    set_checksum(&mut bytes);
    bytes
}

fn cells(values: &[f64], digits: usize) -> String {
    values.iter().map(|value| format!("{value:.digits$}")).collect::<Vec<_>>().join(" / ")
}

fn main() -> Result<()> {
    let number = |index: usize| std::env::args().nth(index).and_then(|text| text.parse::<u64>().ok());
    let (pages, seeds) = (number(1).unwrap_or(10_480), number(2).unwrap_or(3).max(1));
    let rows = [
        ("directories of 3 to 8 files", Tree::Small, false),
        ("directories of 100 files", Tree::Hundred, false),
        ("one flat directory", Tree::Flat, false),
        ("mixed: 3 to 8, 100 and 2,000 files", Tree::Mixed, false),
        ("any tree, uniform H1", Tree::Small, true),
    ];
    println!("Cortex of {pages} pages; mean of {seeds} seeds. Loads: {LOADS:?} %.\n");
    println!(
        "| tree | dirty pages after {BURST} anchors | reads per insert | just after a mount: reads per insert | per choice of a hint | slots written per insert | stash at {LAST_LOAD} % | refused |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for (name, tree, uniform) in rows {
        let mut all = Vec::new();
        for seed in 1..=seeds {
            all.push(Simulation::new(pages, seed, uniform)?.run(tree)?);
        }
        let mean = |value: &dyn Fn(&Figures) -> f64| all.iter().map(value).sum::<f64>() / seeds as f64;
        let means = |value: &dyn Fn(&Figures) -> [f64; LOADS.len()], digits: usize| {
            let values: Vec<f64> = (0..LOADS.len()).map(|index| mean(&|f| value(f)[index])).collect();
            cells(&values, digits)
        };
        println!(
            "| {name} | {:.0} | {} | {} | {} | {} | {:.0} | {:.0} |",
            mean(&|f| f.burst_pages),
            means(&|f| f.reads, 2),
            means(&|f| f.cold_reads, 2),
            means(&|f| f.hint_reads, 2),
            means(&|f| f.written, 2),
            mean(&|f| f.stash),
            mean(&|f| f.refused),
        );
    }
    Ok(())
}
