//! Databases: pages written in place between fsyncs.

use super::bytes;
use crate::lane::Lane;
use crate::rig::Rig;
use hn4_core::base::Result;
use hn4_core::testing::Rng;

const PAGE: u64 = 4096;

fn make_database(lane: &mut Lane, rng: &mut Rng) -> Result<()> {
    lane.create("/db")?;
    lane.write("/db", 0, &bytes(rng, 16 * PAGE))?;
    lane.fsync("/db")
}

/// Old pages to a journal, fsync, new pages in place, fsync, then the journal ends: by truncation,
/// by its removal, or by a zeroed header.
pub fn rollback_journal(_rig: &mut Rig, lane: &mut Lane, rng: &mut Rng) -> Result<()> {
    make_database(lane, rng)?;
    for _ in 0..18 {
        if !lane.exists("/db-journal") {
            lane.create("/db-journal")?;
        }
        let pages: Vec<u64> = (0..1 + rng.below(4)).map(|_| rng.below(18)).collect();
        lane.write("/db-journal", 0, &bytes(rng, 512))?;
        for (i, page) in pages.iter().enumerate() {
            let old = *lane.content("/db").block(*page);
            lane.write("/db-journal", 512 + i as u64 * (PAGE + 8), &old)?;
            lane.write("/db-journal", 512 + i as u64 * (PAGE + 8) + PAGE, &bytes(rng, 8))?;
        }
        lane.fsync("/db-journal")?;
        lane.write("/db-journal", 0, &bytes(rng, 12))?;
        lane.fsync("/db-journal")?;
        for page in pages {
            lane.write("/db", page * PAGE, &bytes(rng, PAGE))?;
        }
        lane.fsync("/db")?;
        match rng.below(3) {
            0 => lane.truncate("/db-journal", 0)?,
            1 => {
                lane.unlink("/db-journal")?;
                lane.fsync("")?;
                continue;
            }
            _ => lane.write("/db-journal", 0, &[0; 28])?,
        }
        lane.fsync("/db-journal")?;
    }
    Ok(())
}

/// Frames appended to a log, fsync, checkpointed into the database, fsync, the log starts over.
pub fn write_ahead_log(_rig: &mut Rig, lane: &mut Lane, rng: &mut Rng) -> Result<()> {
    make_database(lane, rng)?;
    lane.create("/db-wal")?;
    for _ in 0..5 {
        let mut frames: Vec<u64> = Vec::new();
        lane.write("/db-wal", 0, &bytes(rng, 32))?;
        for _ in 0..5 {
            for _ in 0..1 + rng.below(3) {
                let at = 32 + frames.len() as u64 * (PAGE + 24);
                lane.write("/db-wal", at, &bytes(rng, 24 + PAGE))?;
                frames.push(rng.below(20));
            }
            lane.fsync("/db-wal")?;
        }
        frames.sort_unstable();
        frames.dedup();
        for page in frames {
            lane.write("/db", page * PAGE, &bytes(rng, PAGE))?;
        }
        lane.fsync("/db")?;
        if rng.chance(1, 3) {
            lane.truncate("/db-wal", 0)?;
        }
    }
    Ok(())
}
