use std::collections::{BTreeMap, HashSet};

use super::*;
use crate::allocator::tests::fresh;
use crate::base::Code;
use crate::testing::Rng;

const WINDOW: u64 = 20_011;
const AREA: u64 = 256;

/// A file of the model: what a reader knows, and the truth.
struct File {
    equations: Equations,
    far: bool,
    /// Index -> data block.
    blocks: BTreeMap<u64, u64>,
}

/// A volume without bytes: every plan is applied, and every block must be found as a reader would.
struct Volume {
    allocator: Allocator,
    files: BTreeMap<u64, File>,
    used: HashSet<u64>,
    txn: u64,
    stride: u64,
    scale: u16,
    slots: u64,
}

impl Volume {
    fn new(stride: u64, scale: u16) -> Volume {
        let allocator = fresh(WINDOW, AREA);
        Volume {
            allocator,
            files: BTreeMap::new(),
            used: HashSet::new(),
            txn: 1,
            stride,
            scale,
            slots: 1 << 20,
        }
    }

    fn commit(&mut self) {
        self.allocator.prove(self.txn).unwrap();
        self.txn += 1;
        if self.allocator.area_used().unwrap() * 4 >= AREA * 3 {
            self.empty_area();
        }
    }

    fn empty_area(&mut self) {
        for number in self.files.keys().copied().collect::<Vec<_>>() {
            let in_area = |(&index, &data): (&u64, &u64)| (data >= WINDOW).then_some((index, Write::Return));
            let list: Vec<_> = self.files[&number].blocks.iter().filter_map(in_area).collect();
            if !list.is_empty() {
                // A block may stay where it is if there is no room; the next commit tries again.
                let _ = self.place(number, &list, Growth::None);
            }
        }
        self.allocator.prove(self.txn).unwrap();
        self.txn += 1;
    }

    /// Writes indices (ascending): new ones and overwrites.
    fn write(&mut self, number: u64, indices: &[u64], growth: Growth) -> Result<Plan> {
        let window = *self.allocator.window();
        let file = self.files.entry(number).or_insert_with(|| File {
            equations: Equations::empty(&window, number.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            far: false,
            blocks: BTreeMap::new(),
        });
        let kind = |i: &u64| if file.blocks.contains_key(i) { Write::Overwrite } else { Write::New };
        let list: Vec<_> = indices.iter().map(|i| (*i, kind(i))).collect();
        self.place(number, &list, growth)
    }

    fn place(&mut self, number: u64, list: &[(u64, Write)], growth: Growth) -> Result<Plan> {
        let mut bursts: Vec<Burst> = Vec::new();
        for &(index, write) in list {
            match bursts.last_mut() {
                Some(last) if last.end() == index && last.write == write => last.len += 1,
                _ => bursts.push(Burst { first: index, len: 1, write }),
            }
        }
        let file = self.files.get_mut(&number).unwrap();
        let last = file.blocks.last_key_value().map_or(0, |(&i, _)| i + 1);
        let state = FileState {
            holder: Holder { owner: number, copy: 0 },
            equations: &file.equations,
            owned: file.blocks.len() as u64,
            size_blocks: last.max(list.last().unwrap().0 + 1),
            growth,
            stride: self.stride,
            scale: self.scale,
            segment_slots: self.slots,
        };
        let plan = plan(&mut self.allocator, &state, &bursts)?;
        if plan.equation.is_some() {
            file.far = false;
        }
        file.far |= plan.uses_far();
        plan.apply(&mut file.equations, 0);
        let mut placed =
            plan.pieces.iter().flat_map(|p| (0..p.len).map(|i| (p.first + i, p.data.0 + i, p.place)));
        for &(index, write) in list {
            let (at, data, place) = placed.next().unwrap();
            assert_eq!(at, index, "the plan covers the burst in order");
            assert!(self.used.insert(data), "block {data} claimed twice");
            assert_eq!(data >= WINDOW, place == Place::Area);
            assert!(write != Write::New || matches!(place, Place::Home | Place::Segment) || self.slots == 0);
            if let Some(old) = file.blocks.insert(index, data) {
                let run = Run::new(DataNumber(old), 1);
                self.allocator.prepare_free(run).unwrap();
                self.allocator.defer_free(self.txn, run);
                self.used.remove(&old);
            }
        }
        assert!(placed.next().is_none());
        self.check(number);
        Ok(plan)
    }

    /// Every block of a file lies where its equations say.
    fn check(&self, number: u64) {
        let (file, window) = (&self.files[&number], self.allocator.window());
        for (&index, &data) in file.blocks.iter().filter(|&(_, &data)| data < WINDOW) {
            let candidates = (0..1 + u8::from(file.far)).map(|k| file.equations.run(window, index, 0, k, 1));
            let found = candidates.flatten().any(|(candidate, _)| candidate.0 == data);
            assert!(found, "file {number}: index {index} at {data} is not found");
        }
    }

    fn delete(&mut self, number: u64, keep: u64) {
        let file = self.files.get_mut(&number).unwrap();
        for (_, data) in file.blocks.split_off(&keep) {
            let run = Run::new(DataNumber(data), 1);
            self.allocator.prepare_free(run).unwrap();
            self.allocator.defer_free(self.txn, run);
            self.used.remove(&data);
        }
        if file.blocks.is_empty() {
            self.allocator.drop_growth_window(Holder { owner: number, copy: 0 }).unwrap();
            self.files.remove(&number);
        } else {
            file.equations.segments.remove_range(keep, 1 << 48, 0);
        }
    }

    fn used_in_window(&self) -> u64 {
        self.used.iter().filter(|&&data| data < WINDOW).count() as u64
    }

    /// Everything deleted: the whole window is one run again.
    fn empty(&mut self) {
        for number in self.files.keys().copied().collect::<Vec<_>>() {
            self.delete(number, 0);
        }
        self.commit();
        assert_eq!(self.allocator.busy_blocks(Run::new(DataNumber(0), WINDOW + AREA)).unwrap(), 0);
        assert_eq!(
            self.allocator.find_run(WINDOW, WINDOW, 0..WINDOW).unwrap(),
            Some(Run::new(DataNumber(0), WINDOW))
        );
    }
}

/// Random files for a while, and until the volume was full more than ten times; then back to empty.
fn live(seed: u64, stride: u64, scale: u16, limit: u64) {
    let mut rng = Rng::new(seed);
    let mut volume = Volume::new(stride, scale);
    let mut full = 0;
    for step in 0.. {
        let at = format!("seed {seed} V {stride} M {scale} step {step}");
        if step >= 2000 && full > 10 {
            break;
        }
        assert!(step < 20_000, "{at}: {} blocks used: never full", volume.used.len());
        let number = rng.below(40);
        let size =
            volume.files.get(&number).map_or(0, |f| f.blocks.last_key_value().map_or(0, |(&i, _)| i + 1));
        let growth = if rng.below(2) == 0 { Growth::None } else { Growth::File };
        let mut list: Vec<u64> = match rng.below(12) {
            0..=4 => (size..size + 1 + rng.below(200)).collect(),
            5..=7 if size > 0 => (0..1 + rng.below(20)).map(|_| rng.below(size)).collect(),
            8 if size > 0 => {
                let first = rng.below(size);
                (first..(first + 1 + rng.below(150)).min(size)).collect()
            }
            9 if size > 0 => volume.files[&number].blocks.keys().copied().collect(),
            10 => {
                let far = [1_000_000_000, (1 << 47) + 3, size + 50][rng.below(3) as usize];
                (far..far + 1 + rng.below(10)).collect()
            }
            11 if size > 0 => {
                let keep = if rng.below(2) == 0 || size > 1 << 20 { 0 } else { rng.below(size) };
                volume.delete(number, keep);
                continue;
            }
            _ => continue,
        };
        list.sort_unstable();
        list.dedup();
        list.truncate(3000);
        let new = list.iter().filter(|i| volume.files.get(&number).is_none_or(|f| !f.blocks.contains_key(i)));
        if volume.used.len() as u64 + new.count() as u64 > limit {
            full += 1;
            if full % 8 == 0 {
                volume.delete(*volume.files.keys().next().unwrap(), 0);
            }
            continue;
        }
        let before = volume.allocator.busy_blocks(Run::new(DataNumber(0), WINDOW + AREA)).unwrap();
        if let Err(error) = volume.write(number, &list, growth) {
            assert_eq!(error.code, Code::NoSpace, "{at}");
            let after = volume.allocator.busy_blocks(Run::new(DataNumber(0), WINDOW + AREA)).unwrap();
            assert_eq!(after, before, "{at}: claims undone");
            volume.commit();
            if let Err(error) = volume.write(number, &list, growth) {
                let free = WINDOW - volume.used_in_window();
                assert!(free < list.len() as u64, "{at}: {error} with {free} blocks free for {}", list.len());
            }
            if volume.files[&number].blocks.is_empty() {
                volume.files.remove(&number);
            }
        }
        if step % 5 == 0 {
            volume.commit();
        }
    }
    volume.empty();
}

#[test]
fn volumes_fill_and_empty() {
    (1..=4).for_each(|seed| live(seed, 1, 0, WINDOW - AREA));
    (5..=6).for_each(|seed| live(seed, 1, 0, WINDOW + AREA - 50));
}

#[test]
fn volumes_with_other_strides_and_scales_fill_and_empty() {
    for (seed, (stride, scale)) in [(7, 0), (10_007, 0), (1, 4), (3, 2), (1, 10)].into_iter().enumerate() {
        live(10 + seed as u64, stride, scale, WINDOW - AREA);
    }
}
