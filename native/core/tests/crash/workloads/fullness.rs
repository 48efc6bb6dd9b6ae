//! Nothing is left: a full cortex, a full volume.

use super::{bytes, some_size};
use crate::lane::Lane;
use crate::rig::Rig;
use hn4_core::base::Result;
use hn4_core::format::Region;
use hn4_core::format::layout::SLOTS_PER_PAGE;
use hn4_core::testing::Rng;
use hn4_core::vfs::Vfs;

/// Creates files until the table of anchors (without the stash) is as full as asked for.
pub fn fill_cortex(rig: &Rig, lane: &mut Lane, percent: u64) -> Result<u64> {
    let mut count = 0;
    let slots = rig.fs.volume.geometry.map.pages_of(Region::Cortex) * SLOTS_PER_PAGE;
    loop {
        let stat = rig.fs.statfs()?;
        if (stat.files - stat.ffree) * 100 >= slots * percent {
            return Ok(count);
        }
        lane.create(&format!("/f{count}"))?;
        count += 1;
    }
}

/// Files made and removed in a table that is 95 % full: most inserts move others out of the way.
pub fn cortex(rig: &mut Rig, lane: &mut Lane, rng: &mut Rng) -> Result<()> {
    let count = fill_cortex(rig, lane, 95)?;
    rig.start_here(lane)?;
    for i in 0..40u64 {
        let old = format!("/f{}", rng.below(count));
        if lane.exists(&old) {
            lane.unlink(&old)?;
        }
        // The reaper runs with the commit: now there is room for the next.
        if i % 2 == 0 {
            lane.syncfs()?;
        }
        let new = format!("/n{i}");
        match lane.create(&new) {
            Ok(()) if rng.chance(1, 2) => lane.fsync(&new)?,
            Err(error) if !Lane::is_full(&error) => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Written until nothing is left, then overwritten, truncated, removed and written again.
pub fn full_volume(rig: &mut Rig, lane: &mut Lane, rng: &mut Rng) -> Result<()> {
    lane.create("/big")?;
    let mut at = 0;
    loop {
        match lane.write("/big", at, &bytes(rng, 200_000)) {
            Ok(()) => at += 200_000,
            Err(error) if Lane::is_full(&error) => break,
            Err(error) => return Err(error),
        }
    }
    lane.fsync("/big")?;
    rig.start_here(lane)?;
    let allow_full = |done: Result<()>| match done {
        Err(error) if !Lane::is_full(&error) => Err(error),
        _ => Ok(()),
    };
    for _ in 0..70 {
        let path = format!("/f{}", rng.below(12));
        let size = some_size(rng);
        match (rng.below(6), lane.exists(&path)) {
            (_, false) => allow_full(lane.create(&path))?,
            (0, _) => lane.unlink(&path)?,
            (1, _) => {
                let end = lane.content("/big").size;
                lane.truncate("/big", end - rng.below(50_000))?;
            }
            (2, _) => {
                let within = lane.content("/big").size - 50_000;
                lane.write("/big", rng.below(within), &bytes(rng, size))?;
            }
            (3, _) => lane.fsync(&path)?,
            _ => allow_full(lane.append(&path, &bytes(rng, size)))?,
        }
    }
    lane.syncfs()?;
    Ok(())
}
