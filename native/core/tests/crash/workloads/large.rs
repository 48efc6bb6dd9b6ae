//! Larger files: truncation, holes, background write-back, the overwrite area.

use super::{bytes, some_size};
use crate::lane::Lane;
use crate::rig::Rig;
use hn4_core::base::Result;
use hn4_core::testing::Rng;

const BLOCK: u64 = 4096;

/// Files that grow, shrink, and grow again.
pub fn truncates(_rig: &mut Rig, lane: &mut Lane, rng: &mut Rng) -> Result<()> {
    for i in 0..3 {
        lane.create(&format!("/f{i}"))?;
    }
    for _ in 0..110 {
        let path = format!("/f{}", rng.below(3));
        let size = lane.content(&path).size;
        match rng.below(6) {
            0 => lane.truncate(&path, rng.below(size + 1))?,
            1 => lane.truncate(&path, size + rng.below(10_000))?,
            2 => lane.truncate(&path, 0)?,
            3 => lane.fsync(&path)?,
            4 => {
                let length = some_size(rng);
                lane.append(&path, &bytes(rng, length))?;
            }
            _ => {
                let length = some_size(rng);
                lane.write(&path, rng.below(size + 1), &bytes(rng, length))?;
            }
        }
    }
    Ok(())
}

/// Holes: written far apart, preallocated, punched, zeroed.
pub fn sparse(_rig: &mut Rig, lane: &mut Lane, rng: &mut Rng) -> Result<()> {
    for i in 0..3 {
        lane.create(&format!("/f{i}"))?;
    }
    for _ in 0..90 {
        let path = format!("/f{}", rng.below(3));
        let offset = rng.below(100) * BLOCK + rng.below(2) * rng.below(BLOCK);
        let length = some_size(rng);
        match rng.below(8) {
            0 => lane.fallocate(&path, 0, offset, length)?,
            1 => lane.fallocate(&path, 1, offset, length)?,
            2 => lane.fallocate(&path, 1 | 2, offset, length * 2)?,
            3 => lane.fallocate(&path, 16 | 1, offset, length)?,
            4 => lane.truncate(&path, offset)?,
            5 => lane.fsync(&path)?,
            _ => lane.write(&path, offset, &bytes(rng, length))?,
        }
    }
    Ok(())
}

/// Files of megabytes, written and overwritten with little syncing: most of it goes out in the
/// background.
pub fn large_files(_rig: &mut Rig, lane: &mut Lane, rng: &mut Rng) -> Result<()> {
    lane.create("/big")?;
    lane.create("/small")?;
    for i in 0..10u64 {
        let data = bytes(rng, 400 * 1024);
        lane.write("/big", i * data.len() as u64 / (1 + rng.below(3)), &data)?;
        if rng.chance(1, 4) {
            lane.append("/small", &bytes(rng, 100))?;
            lane.fsync("/small")?;
        }
        if i == 5 {
            lane.fsync("/big")?;
        }
    }
    lane.unlink("/big")?;
    lane.create("/big")?;
    lane.write("/big", 0, &bytes(rng, 700 * 1024))?;
    lane.syncfs()?;
    Ok(())
}

/// A full volume overwritten here and there: homes and shells are taken, so blocks go to the overwrite
/// area until it is copied home.
pub fn overwrite_area(rig: &mut Rig, lane: &mut Lane, rng: &mut Rng) -> Result<()> {
    let stat = hn4_core::vfs::Vfs::statfs(&*rig.fs)?;
    let blocks = stat.bavail * 97 / 100;
    let files = 4;
    for i in 0..files {
        let path = format!("/f{i}");
        lane.create(&path)?;
        for at in (0..blocks / files).step_by(64) {
            lane.write(&path, at * BLOCK, &bytes(rng, 64.min(blocks / files - at) * BLOCK))?;
        }
        lane.fsync(&path)?;
    }
    rig.start_here(lane)?;
    for _ in 0..24 {
        let path = format!("/f{}", rng.below(files));
        for _ in 0..14 {
            let at = rng.below(blocks / files);
            lane.write(&path, at * BLOCK, &bytes(rng, BLOCK))?;
        }
        lane.fsync(&path)?;
    }
    Ok(())
}
