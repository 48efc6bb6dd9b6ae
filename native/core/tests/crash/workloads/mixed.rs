//! Everything at once.

use super::names::remove_tree;
use super::{bytes, some_size};
use crate::lane::Lane;
use crate::rig::Rig;
use hn4_core::base::Result;
use hn4_core::testing::Rng;

/// Random operations on a small tree.
pub fn mixed(_rig: &mut Rig, lane: &mut Lane, rng: &mut Rng) -> Result<()> {
    for dir in ["/a", "/b"] {
        lane.mkdir(dir)?;
    }
    for _ in 0..160 {
        one(lane, rng)?;
    }
    Ok(())
}

/// The same; now and then everything free is discarded.
pub fn mixed_and_trimmed(rig: &mut Rig, lane: &mut Lane, rng: &mut Rng) -> Result<()> {
    for dir in ["/a", "/b"] {
        lane.mkdir(dir)?;
    }
    for step in 0..160 {
        one(lane, rng)?;
        if step % 20 == 19 {
            assert!(rig.fs.volume.trim(0..u64::MAX, 0)? > 0, "the case did not happen: nothing was free");
        }
    }
    Ok(())
}

/// One random operation in directories /a and /b, which exist.
pub fn one(lane: &mut Lane, rng: &mut Rng) -> Result<()> {
    let path = |rng: &mut Rng| format!("/{}/{}", ["a", "b"][rng.below(2) as usize], rng.below(6));
    let (one, two) = (path(rng), path(rng));
    let size = some_size(rng);
    if !lane.exists(&one) {
        lane.create(&one)?;
        return if rng.chance(2, 3) { lane.write(&one, 0, &bytes(rng, size)) } else { Ok(()) };
    }
    let end = lane.content(&one).size;
    match rng.below(16) {
        0 => lane.unlink(&one),
        1 if lane.exists(&two) && lane.ino(&one) == lane.ino(&two) => lane.chmod(&one, 0o600),
        1 | 2 if one != two && (!lane.exists(&two) || lane.ino(&one) != lane.ino(&two)) => {
            lane.rename(&one, &two)
        }
        3 if !lane.exists(&two) => lane.link(&one, &two),
        4 => lane.truncate(&one, rng.below(end + 5000)),
        5 => lane.set_xattr(&one, "user.x", &bytes(rng, size.min(3000))),
        6 => lane.write(&one, end + rng.below(30_000), &bytes(rng, size)),
        7 => lane.fallocate(&one, 1 | 2, rng.below(end + 1), size),
        8 => lane.fallocate(&one, 0, rng.below(end + 20_000), size),
        9 | 10 => lane.fsync(&one),
        11 => lane.chmod(&one, 0o600 + rng.below(64) as u32),
        12 if rng.chance(1, 3) => lane.syncfs(),
        13 if rng.chance(1, 4) => {
            lane.mkdir("/c")?;
            lane.rename(&one, "/c/x")?;
            remove_tree(lane, "/c")
        }
        14 => lane.append(&one, &bytes(rng, size)),
        _ => lane.write(&one, rng.below(end + 1), &bytes(rng, size)),
    }
}
