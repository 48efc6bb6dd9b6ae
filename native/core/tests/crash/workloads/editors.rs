//! Small files written whole: editors, git, mail, logs.

use super::{bytes, some_size};
use crate::lane::Lane;
use crate::rig::Rig;
use hn4_core::device::testing::Rng;

fn save(lane: &mut Lane, rng: &mut Rng, path: &str, sync: bool) {
    let temporary = format!("{path}.tmp");
    lane.create(&temporary).unwrap();
    let size = some_size(rng);
    let data = bytes(rng, size);
    for part in data.chunks(10_000) {
        lane.append(&temporary, part).unwrap();
    }
    if sync {
        lane.fsync(&temporary).unwrap();
    }
    lane.rename(&temporary, path).unwrap();
}

/// Write a temporary file, fsync, rename over the old one.
pub fn save_with_fsync(rig: &mut Rig, rng: &mut Rng) -> Vec<Lane> {
    let mut lane = rig.lane("");
    for _ in 0..30 {
        let path = format!("/text-{}", rng.below(4));
        save(&mut lane, rng, &path, true);
        if rng.chance(1, 3) {
            lane.fsync("").unwrap();
        }
    }
    vec![lane]
}

/// The same without fsync; another file is synced now and then.
pub fn save_without_fsync(rig: &mut Rig, rng: &mut Rng) -> Vec<Lane> {
    let mut lane = rig.lane("");
    lane.create("/other").unwrap();
    for i in 0..30u64 {
        let path = format!("/text-{}", rng.below(4));
        save(&mut lane, rng, &path, false);
        if rng.chance(1, 3) {
            lane.append("/other", &bytes(rng, i + 1)).unwrap();
            lane.fsync("/other").unwrap();
        }
    }
    lane.syncfs().unwrap();
    vec![lane]
}

/// Objects written to temporary names and renamed, an index and a ref behind lock files.
pub fn git(rig: &mut Rig, rng: &mut Rng) -> Vec<Lane> {
    let mut lane = rig.lane("");
    for dir in ["/objects", "/refs", "/refs/heads"] {
        lane.mkdir(dir).unwrap();
    }
    for commit in 0..6 {
        for object in 0..5 {
            let fan = format!("/objects/{:02x}", rng.below(5));
            if !lane.exists(&fan) {
                lane.mkdir(&fan).unwrap();
            }
            let temporary = format!("{fan}/tmp_obj");
            lane.create(&temporary).unwrap();
            let size = some_size(rng) / 4 + 1;
            lane.write(&temporary, 0, &bytes(rng, size)).unwrap();
            if object == 4 {
                lane.fsync(&temporary).unwrap();
            }
            lane.chmod(&temporary, 0o444).unwrap();
            lane.rename(&temporary, &format!("{fan}/{commit}-{object}")).unwrap();
        }
        for name in ["/index", "/refs/heads/main"] {
            let lock = format!("{name}.lock");
            lane.create(&lock).unwrap();
            lane.write(&lock, 0, &bytes(rng, 41)).unwrap();
            if name != "/index" {
                lane.fsync(&lock).unwrap();
            }
            lane.rename(&lock, name).unwrap();
        }
    }
    vec![lane]
}

/// Delivery to tmp, fsync, rename to new, reading moves to cur, expiry.
pub fn mail_spool(rig: &mut Rig, rng: &mut Rng) -> Vec<Lane> {
    let mut lane = rig.lane("");
    for dir in ["/tmp", "/new", "/cur"] {
        lane.mkdir(dir).unwrap();
    }
    let mut new: Vec<u64> = Vec::new();
    let mut read: Vec<u64> = Vec::new();
    for number in 0..30u64 {
        let path = format!("/tmp/{number}");
        lane.create(&path).unwrap();
        let size = some_size(rng);
        lane.write(&path, 0, &bytes(rng, size)).unwrap();
        lane.fsync(&path).unwrap();
        lane.rename(&path, &format!("/new/{number}")).unwrap();
        if rng.chance(1, 2) {
            lane.fsync("/new").unwrap();
        }
        new.push(number);
        if rng.chance(1, 3) {
            let number = new.swap_remove(rng.below(new.len() as u64) as usize);
            lane.rename(&format!("/new/{number}"), &format!("/cur/{number}")).unwrap();
            read.push(number);
        }
        if rng.chance(1, 4) && !read.is_empty() {
            let number = read.swap_remove(rng.below(read.len() as u64) as usize);
            lane.unlink(&format!("/cur/{number}")).unwrap();
        }
    }
    vec![lane]
}

/// Lines appended, each synced; the log is rotated.
pub fn append_log(rig: &mut Rig, rng: &mut Rng) -> Vec<Lane> {
    let mut lane = rig.lane("");
    lane.create("/log").unwrap();
    for _ in 0..70 {
        let length = 20 + rng.below(300);
        lane.append("/log", &bytes(rng, length)).unwrap();
        if rng.chance(4, 5) {
            lane.fsync("/log").unwrap();
        }
        if lane.content("/log").size > 9000 {
            lane.rename("/log", "/log.1").unwrap();
            lane.create("/log").unwrap();
        }
    }
    vec![lane]
}
