//! Small files written whole: editors, git, mail, logs.

use super::{bytes, some_size};
use crate::lane::Lane;
use crate::rig::Rig;
use hn4_core::base::Result;
use hn4_core::testing::Rng;

pub fn save(lane: &mut Lane, rng: &mut Rng, path: &str, sync: bool) -> Result<()> {
    let temporary = format!("{path}.tmp");
    lane.create(&temporary)?;
    let size = some_size(rng);
    let data = bytes(rng, size);
    for part in data.chunks(10_000) {
        lane.append(&temporary, part)?;
    }
    if sync {
        lane.fsync(&temporary)?;
    }
    lane.rename(&temporary, path)
}

/// Write a temporary file, fsync, rename over the old one.
pub fn save_with_fsync(_rig: &mut Rig, lane: &mut Lane, rng: &mut Rng) -> Result<()> {
    for _ in 0..30 {
        let path = format!("/text-{}", rng.below(4));
        save(lane, rng, &path, true)?;
        if rng.chance(1, 3) {
            lane.fsync("")?;
        }
    }
    Ok(())
}

/// The same without fsync; another file is synced now and then.
pub fn save_without_fsync(_rig: &mut Rig, lane: &mut Lane, rng: &mut Rng) -> Result<()> {
    lane.create("/other")?;
    for i in 0..30u64 {
        let path = format!("/text-{}", rng.below(4));
        save(lane, rng, &path, false)?;
        if rng.chance(1, 3) {
            lane.append("/other", &bytes(rng, i + 1))?;
            lane.fsync("/other")?;
        }
    }
    lane.syncfs()?;
    Ok(())
}

/// Objects written to temporary names and renamed, an index and a ref behind lock files.
pub fn git(_rig: &mut Rig, lane: &mut Lane, rng: &mut Rng) -> Result<()> {
    for dir in ["/objects", "/refs", "/refs/heads"] {
        lane.mkdir(dir)?;
    }
    for commit in 0..6 {
        for object in 0..5 {
            let fan = format!("/objects/{:02x}", rng.below(5));
            if !lane.exists(&fan) {
                lane.mkdir(&fan)?;
            }
            let temporary = format!("{fan}/tmp_obj");
            lane.create(&temporary)?;
            let size = some_size(rng) / 4 + 1;
            lane.write(&temporary, 0, &bytes(rng, size))?;
            if object == 4 {
                lane.fsync(&temporary)?;
            }
            lane.chmod(&temporary, 0o444)?;
            lane.rename(&temporary, &format!("{fan}/{commit}-{object}"))?;
        }
        for name in ["/index", "/refs/heads/main"] {
            let lock = format!("{name}.lock");
            lane.create(&lock)?;
            lane.write(&lock, 0, &bytes(rng, 41))?;
            if name != "/index" {
                lane.fsync(&lock)?;
            }
            lane.rename(&lock, name)?;
        }
    }
    Ok(())
}

/// Delivery to tmp, fsync, rename to new, reading moves to cur, expiry.
pub fn mail_spool(_rig: &mut Rig, lane: &mut Lane, rng: &mut Rng) -> Result<()> {
    for dir in ["/tmp", "/new", "/cur"] {
        lane.mkdir(dir)?;
    }
    let mut new: Vec<u64> = Vec::new();
    let mut read: Vec<u64> = Vec::new();
    for number in 0..30u64 {
        let path = format!("/tmp/{number}");
        lane.create(&path)?;
        let size = some_size(rng);
        lane.write(&path, 0, &bytes(rng, size))?;
        lane.fsync(&path)?;
        lane.rename(&path, &format!("/new/{number}"))?;
        if rng.chance(1, 2) {
            lane.fsync("/new")?;
        }
        new.push(number);
        if rng.chance(1, 3) {
            let number = new.swap_remove(rng.below(new.len() as u64) as usize);
            lane.rename(&format!("/new/{number}"), &format!("/cur/{number}"))?;
            read.push(number);
        }
        if rng.chance(1, 4) && !read.is_empty() {
            let number = read.swap_remove(rng.below(read.len() as u64) as usize);
            lane.unlink(&format!("/cur/{number}"))?;
        }
    }
    Ok(())
}

/// Lines appended, each synced; the log is rotated.
pub fn append_log(_rig: &mut Rig, lane: &mut Lane, rng: &mut Rng) -> Result<()> {
    lane.create("/log")?;
    for _ in 0..70 {
        let length = 20 + rng.below(300);
        lane.append("/log", &bytes(rng, length))?;
        if rng.chance(4, 5) {
            lane.fsync("/log")?;
        }
        if lane.content("/log").size > 9000 {
            lane.rename("/log", "/log.1")?;
            lane.create("/log")?;
        }
    }
    Ok(())
}
