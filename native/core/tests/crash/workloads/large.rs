//! Larger files: truncation, holes, background write-back, the overwrite area.

use super::{bytes, some_size};
use crate::lane::Lane;
use crate::rig::Rig;
use hn4_core::device::testing::Rng;

const BLOCK: u64 = 4096;

/// Files that grow, shrink, and grow again.
pub fn truncates(rig: &mut Rig, rng: &mut Rng) -> Vec<Lane> {
    let mut lane = rig.lane("");
    for i in 0..3 {
        lane.create(&format!("/f{i}")).unwrap();
    }
    for _ in 0..110 {
        let path = format!("/f{}", rng.below(3));
        let size = lane.content(&path).size;
        match rng.below(6) {
            0 => lane.truncate(&path, rng.below(size + 1)).unwrap(),
            1 => lane.truncate(&path, size + rng.below(10_000)).unwrap(),
            2 => lane.truncate(&path, 0).unwrap(),
            3 => lane.fsync(&path).unwrap(),
            4 => {
                let length = some_size(rng);
                lane.append(&path, &bytes(rng, length)).unwrap();
            }
            _ => {
                let length = some_size(rng);
                lane.write(&path, rng.below(size + 1), &bytes(rng, length)).unwrap();
            }
        }
    }
    vec![lane]
}

/// Holes: written far apart, preallocated, punched, zeroed.
pub fn sparse(rig: &mut Rig, rng: &mut Rng) -> Vec<Lane> {
    let mut lane = rig.lane("");
    for i in 0..3 {
        lane.create(&format!("/f{i}")).unwrap();
    }
    for _ in 0..90 {
        let path = format!("/f{}", rng.below(3));
        let offset = rng.below(100) * BLOCK + rng.below(2) * rng.below(BLOCK);
        let length = some_size(rng);
        match rng.below(8) {
            0 => lane.fallocate(&path, 0, offset, length).unwrap(),
            1 => lane.fallocate(&path, 1, offset, length).unwrap(),
            2 => lane.fallocate(&path, 1 | 2, offset, length * 2).unwrap(),
            3 => lane.fallocate(&path, 16 | 1, offset, length).unwrap(),
            4 => lane.truncate(&path, offset).unwrap(),
            5 => lane.fsync(&path).unwrap(),
            _ => lane.write(&path, offset, &bytes(rng, length)).unwrap(),
        }
    }
    vec![lane]
}

/// Files of megabytes, written and overwritten with little syncing: most of it goes out in the
/// background.
pub fn large_files(rig: &mut Rig, rng: &mut Rng) -> Vec<Lane> {
    let mut lane = rig.lane("");
    lane.create("/big").unwrap();
    lane.create("/small").unwrap();
    for i in 0..10u64 {
        let data = bytes(rng, 400 * 1024);
        lane.write("/big", i * data.len() as u64 / (1 + rng.below(3)), &data).unwrap();
        if rng.chance(1, 4) {
            lane.append("/small", &bytes(rng, 100)).unwrap();
            lane.fsync("/small").unwrap();
        }
        if i == 5 {
            lane.fsync("/big").unwrap();
        }
    }
    lane.unlink("/big").unwrap();
    lane.create("/big").unwrap();
    lane.write("/big", 0, &bytes(rng, 700 * 1024)).unwrap();
    lane.syncfs().unwrap();
    vec![lane]
}

/// A full volume overwritten here and there: homes and shells are taken, so blocks go to the overwrite
/// area until it is copied home.
pub fn overwrite_area(rig: &mut Rig, rng: &mut Rng) -> Vec<Lane> {
    let mut lane = rig.lane("");
    let stat = hn4_core::vfs::Vfs::statfs(&*rig.fs).unwrap();
    let blocks = stat.bavail * 97 / 100;
    let files = 4;
    for i in 0..files {
        let path = format!("/f{i}");
        lane.create(&path).unwrap();
        for at in (0..blocks / files).step_by(64) {
            lane.write(&path, at * BLOCK, &bytes(rng, 64.min(blocks / files - at) * BLOCK)).unwrap();
        }
        lane.fsync(&path).unwrap();
    }
    rig.start_here(&mut [&mut lane]);
    for _ in 0..24 {
        let path = format!("/f{}", rng.below(files));
        for _ in 0..14 {
            let at = rng.below(blocks / files);
            lane.write(&path, at * BLOCK, &bytes(rng, BLOCK)).unwrap();
        }
        lane.fsync(&path).unwrap();
    }
    vec![lane]
}
