//! One test per rule of placement, on a window small enough to see through.

use super::*;
use crate::allocator::tests::fresh;
use crate::base::Code;

const WINDOW: u64 = 100_003;
const AREA: u64 = 256;

struct Scene {
    allocator: Allocator,
    equations: Equations,
    owned: u64,
    size: u64,
    growth: Growth,
    copy: u8,
    slots: u64,
}

impl Scene {
    fn new() -> Scene {
        let allocator = fresh(WINDOW, AREA);
        let equations = Equations::empty(allocator.window(), 12_345);
        Scene { allocator, equations, owned: 0, size: 0, growth: Growth::None, copy: 0, slots: 1000 }
    }
    fn holder(&self) -> Holder {
        Holder { owner: 20, copy: self.copy }
    }
    /// Plans a burst and applies the plan.
    fn write(&mut self, bursts: &[(u64, u64, Write)]) -> Result<Plan> {
        let bursts: Vec<Burst> =
            bursts.iter().map(|&(first, len, write)| Burst { first, len, write }).collect();
        self.size = self.size.max(bursts.last().unwrap().end());
        let state = FileState {
            holder: self.holder(),
            equations: &self.equations,
            owned: self.owned,
            size_blocks: self.size,
            growth: self.growth,
            stride: 1,
            scale: 0,
            segment_slots: self.slots,
        };
        let plan = plan(&mut self.allocator, &state, &bursts)?;
        plan.apply(&mut self.equations, self.copy);
        self.owned += bursts.iter().filter(|b| b.write == Write::New).map(|b| b.len).sum::<u64>();
        Ok(plan)
    }
    /// The pieces of a plan: (first, len, data, place).
    fn pieces(&mut self, first: u64, len: u64, write: Write) -> Vec<(u64, u64, u64, Place)> {
        let plan = self.write(&[(first, len, write)]).unwrap();
        plan.pieces.iter().map(|p| (p.first, p.len, p.data.0, p.place)).collect()
    }
    fn claim(&mut self, start: u64, len: u64) {
        self.allocator.claim(Run::new(DataNumber(start), len)).unwrap();
    }
    fn release(&mut self, start: u64, len: u64) {
        self.allocator.release(Run::new(DataNumber(start), len)).unwrap();
    }
    fn far(&self, index: u64) -> u64 {
        self.equations.run(self.allocator.window(), index, self.copy, 1, 1).unwrap().0.0
    }
}

#[test]
fn a_new_file_lands_on_the_first_run_with_room_for_the_burst() {
    let mut s = Scene::new();
    s.claim(0, 10);
    s.claim(40, 10);
    assert_eq!(s.pieces(1_000_000_000, 100, Write::New), [(1_000_000_000, 100, 50, Place::Home)]);
    assert_eq!(s.allocator.growth_window(s.holder()), None, "created and closed at once");
}

#[test]
fn holes_near_the_start_are_part_of_the_room() {
    let mut s = Scene::new();
    s.claim(0, 10);
    s.claim(40, 10);
    let plan = s.write(&[(0, 20, Write::New), (25, 10, Write::New), (1 << 47, 1, Write::New)]).unwrap();
    let at: Vec<_> = plan.pieces.iter().take(2).map(|p| p.data.0).collect();
    assert_eq!(at, [50, 75]);
}

#[test]
fn new_data_goes_home_then_behind_its_segment_and_never_to_a_shell() {
    let mut s = Scene::new();
    s.pieces(0, 10, Write::New);
    s.claim(15, 5);
    assert_eq!(s.pieces(10, 10, Write::New), [(10, 5, 10, Place::Home), (15, 5, 20, Place::Segment)]);
    assert_eq!(s.pieces(20, 10, Write::New), [(20, 10, 25, Place::Segment)], "the segment goes on");
    assert_eq!(s.equations.segments.len(), 1);
    s.claim(35, WINDOW - 35);
    assert_eq!(s.write(&[(30, 1, Write::New)]).unwrap_err().code, Code::NoSpace);
    s.release(90_000, 1);
    assert_eq!(s.pieces(30, 1, Write::New), [(30, 1, 90_000, Place::Segment)], "the last block");
}

#[test]
fn a_full_extension_region_sends_new_data_to_shell_1() {
    let mut s = Scene::new();
    s.slots = 0;
    s.pieces(0, 10, Write::New);
    s.claim(10, 5);
    let far = s.far(10);
    assert_eq!(s.pieces(10, 3, Write::New), [(10, 3, far, Place::Far)]);
    s.claim(far + 3, 1);
    assert_eq!(s.write(&[(13, 1, Write::New)]).unwrap_err().code, Code::ExtensionFull);
}

#[test]
fn short_overwrites_try_home_shell_1_area_and_segment_in_this_order() {
    let mut s = Scene::new();
    s.pieces(0, 1000, Write::New);
    let far = s.far(100);
    s.claim(far + 5, 100);
    assert_eq!(
        s.pieces(100, 8, Write::Overwrite),
        [(100, 5, far, Place::Far), (105, 3, WINDOW, Place::Area)]
    );
    s.release(100, 5); // its old home, freed and proven
    assert_eq!(
        s.pieces(100, 6, Write::Overwrite),
        [(100, 5, 100, Place::Home), (105, 1, WINDOW + 3, Place::Area)]
    );
    s.claim(WINDOW + 4, AREA - 4);
    let run = s.pieces(105, 2, Write::Overwrite);
    assert_eq!(run, [(105, 2, 1000, Place::Segment)]);
    s.slots = 0;
    assert_eq!(s.write(&[(107, 1, Write::Overwrite)]).unwrap_err().code, Code::ExtensionFull);
}

#[test]
fn displaced_overwrites_prefer_long_runs_to_homes_left_for_a_while() {
    let mut s = Scene::new();
    s.pieces(0, 2000, Write::New);
    s.claim(2000, WINDOW + AREA - 2000);
    for home in (0..50).map(|i| 3000 + 3 * i) {
        s.release(home, 1);
    }
    s.release(50_000, 64);
    assert_eq!(s.pieces(10, 1, Write::Overwrite), [(10, 1, 50_000, Place::Segment)]);
    assert_eq!(s.pieces(12, 1, Write::Overwrite), [(12, 1, 3000, Place::Segment)], "no run of 64 is left");
}

#[test]
fn long_overwrites_get_a_segment_if_a_run_of_64_is_free() {
    let mut s = Scene::new();
    s.pieces(0, 1000, Write::New);
    assert_eq!(s.pieces(100, 200, Write::Overwrite), [(100, 200, 1000, Place::Segment)]);
    s.release(100, 200);
    assert_eq!(s.pieces(110, 63, Write::Overwrite)[0].3, Place::Far);
    let mut s = Scene::new();
    s.pieces(0, 1000, Write::New);
    s.claim(1000, WINDOW - 1000);
    for block in (1..11).map(|i| i * 5000) {
        s.release(block, 63);
    }
    assert!(s.pieces(100, 64, Write::Overwrite).iter().all(|p| p.3 != Place::Segment), "no run of 64");
}

#[test]
fn a_file_replaced_as_a_whole_gets_a_new_origin_and_loses_its_segments() {
    let mut s = Scene::new();
    s.pieces(0, 10, Write::New);
    s.claim(10, 5);
    s.pieces(10, 20, Write::New);
    assert_eq!((s.equations.segments.len(), s.owned), (1, 30));
    let plan = s.write(&[(0, 30, Write::Overwrite)]).unwrap();
    assert_eq!(plan.pieces, [Piece { first: 0, len: 30, data: DataNumber(35), place: Place::Home }]);
    assert!(plan.equation.is_some_and(|e| e.gravity == DataNumber(35)) && s.equations.segments.is_empty());
    // Without room for all of it in the window, the ordinary rules hold: here the area.
    s.claim(65, WINDOW - 65);
    let plan = s.write(&[(0, 30, Write::Overwrite)]).unwrap();
    assert!(plan.equation.is_none() && plan.area_blocks() == 30);
}

#[test]
fn growing_files_reserve_behind_their_end() {
    let mut s = Scene::new();
    s.growth = Growth::File;
    s.pieces(0, 10, Write::New);
    let cap = WINDOW / 32;
    assert_eq!(s.allocator.growth_window(s.holder()), Some(Run::new(DataNumber(10), 2048)), "8 MiB");
    assert_eq!(s.allocator.find_one().unwrap(), Some(DataNumber(2058)), "others keep away");
    s.pieces(10, 500, Write::New);
    assert_eq!(
        s.allocator.growth_window(s.holder()),
        Some(Run::new(DataNumber(510), 1548)),
        "more than half is left"
    );
    s.pieces(510, 1000, Write::New);
    assert_eq!(s.allocator.growth_window(s.holder()), Some(Run::new(DataNumber(1510), 2048)));
    s.pieces(1510, 2500, Write::New);
    assert_eq!(
        s.allocator.growth_window(s.holder()),
        Some(Run::new(DataNumber(4010), cap)),
        "its size, at most 1/32"
    );
    // Someone sits behind the growth window: the next segment brings its own.
    s.claim(4010 + cap, 1);
    s.pieces(4010, cap, Write::New);
    assert_eq!(s.allocator.growth_window(s.holder()), None);
    let next = 4010 + cap + 1;
    assert_eq!(s.pieces(4010 + cap, 1, Write::New), [(4010 + cap, 1, next, Place::Segment)]);
    assert_eq!(s.allocator.growth_window(s.holder()), Some(Run::new(DataNumber(next + 1), cap)));
}

#[test]
fn small_directories_reserve_their_own_size() {
    let mut s = Scene::new();
    s.growth = Growth::Directory;
    s.pieces(0, 3, Write::New);
    assert_eq!(s.allocator.growth_window(s.holder()), Some(Run::new(DataNumber(3), 3)));
}

#[test]
fn homes_inside_a_foreign_growth_window_are_the_last_resort() {
    let mut s = Scene::new();
    s.pieces(0, 10, Write::New);
    let other = Holder { owner: 99, copy: 0 };
    s.allocator.reserve(other, Run::new(DataNumber(10), 100)).unwrap();
    assert_eq!(s.pieces(10, 1, Write::New), [(10, 1, 110, Place::Segment)]);
    s.claim(111, WINDOW - 111);
    s.slots = 0;
    // Index 11 continues the segment at 111, which is taken; its home 11 is reserved; no segment may be made.
    assert_eq!(s.pieces(11, 1, Write::New), [(11, 1, 11, Place::Home)]);
    assert_eq!(s.allocator.growth_window(other), None);
}

#[test]
fn copy_1_lies_in_the_other_half_where_there_is_room() {
    let mut s = Scene::new();
    s.pieces(0, 3, Write::New);
    s.copy = 1;
    s.owned = 0;
    let half = WINDOW / 2;
    assert_eq!(s.pieces(0, 3, Write::New), [(0, 3, half, Place::Home)]);
    assert_eq!(
        (s.equations.anchor.unwrap().gravity, s.equations.gravity_1),
        (DataNumber(0), Some(DataNumber(half)))
    );
    s.claim(half + 3, WINDOW - half - 3);
    assert_eq!(s.pieces(3, 2, Write::New), [(3, 2, 3, Place::Segment)]);
    assert!(s.equations.segments.lookup(3, 0).is_none() && s.equations.segments.lookup(3, 1).is_some());
}

#[test]
fn blocks_that_leave_the_area_go_home_and_never_back() {
    let mut s = Scene::new();
    s.pieces(0, 100, Write::New);
    let far = s.far(50);
    s.claim(far, 1);
    assert_eq!(s.pieces(50, 1, Write::Overwrite)[0].3, Place::Area);
    s.release(50, 1);
    assert_eq!(s.pieces(50, 1, Write::Return), [(50, 1, 50, Place::Home)]);
    assert_eq!(s.pieces(50, 1, Write::Return)[0].3, Place::Segment);
}
