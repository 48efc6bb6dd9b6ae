//! Nothing is left: a full cortex, a full volume.

use super::{bytes, some_size};
use crate::lane::Lane;
use crate::rig::Rig;
use hn4_core::device::testing::Rng;
use hn4_core::vfs::Vfs;

/// Creates files until the table of anchors is as full as asked for.
pub fn fill_cortex(rig: &Rig, lane: &mut Lane, percent: u64) -> u64 {
    let mut count = 0;
    loop {
        let stat = rig.fs.statfs().unwrap();
        if (stat.files - stat.ffree) * 100 >= stat.files * percent {
            return count;
        }
        lane.create(&format!("/f{count}")).unwrap();
        count += 1;
    }
}

/// Files made and removed in a table that is 95 % full: most inserts move others out of the way.
pub fn cortex(rig: &mut Rig, rng: &mut Rng) -> Vec<Lane> {
    let mut lane = rig.lane("");
    let count = fill_cortex(rig, &mut lane, 95);
    rig.start_here(&mut [&mut lane]);
    for i in 0..40u64 {
        let old = format!("/f{}", rng.below(count));
        if lane.exists(&old) {
            lane.unlink(&old).unwrap();
        }
        // The reaper runs with the commit: now there is room for the next.
        if i % 2 == 0 {
            lane.syncfs().unwrap();
        }
        let new = format!("/n{i}");
        match lane.create(&new) {
            Ok(()) if rng.chance(1, 2) => lane.fsync(&new).unwrap(),
            Ok(()) => {}
            Err(error) => assert!(Lane::is_full(&error), "{error}"),
        }
    }
    vec![lane]
}

/// Written until nothing is left, then overwritten, truncated, removed and written again.
pub fn full_volume(rig: &mut Rig, rng: &mut Rng) -> Vec<Lane> {
    let mut lane = rig.lane("");
    lane.create("/big").unwrap();
    let mut at = 0;
    while let Ok(()) = lane.write("/big", at, &bytes(rng, 200_000)) {
        at += 200_000;
    }
    lane.fsync("/big").unwrap();
    rig.start_here(&mut [&mut lane]);
    let allow_full = |done: hn4_core::base::Result<()>| {
        if let Err(error) = done {
            assert!(Lane::is_full(&error), "{error}");
        }
    };
    for _ in 0..70 {
        let path = format!("/f{}", rng.below(12));
        let size = some_size(rng);
        match (rng.below(6), lane.exists(&path)) {
            (_, false) => allow_full(lane.create(&path)),
            (0, _) => lane.unlink(&path).unwrap(),
            (1, _) => {
                let end = lane.content("/big").size;
                lane.truncate("/big", end - rng.below(50_000)).unwrap();
            }
            (2, _) => {
                let within = lane.content("/big").size - 50_000;
                lane.write("/big", rng.below(within), &bytes(rng, size)).unwrap();
            }
            (3, _) => lane.fsync(&path).unwrap(),
            _ => allow_full(lane.append(&path, &bytes(rng, size))),
        }
    }
    lane.syncfs().unwrap();
    vec![lane]
}
