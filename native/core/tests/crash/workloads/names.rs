//! Names and attributes: trees, links, extended attributes.

use super::{bytes, some_size};
use crate::lane::Lane;
use crate::rig::Rig;
use hn4_core::base::Result;
use hn4_core::testing::Rng;

/// Directories made, moved with what is in them, removed.
pub fn trees(_rig: &mut Rig, lane: &mut Lane, rng: &mut Rng) -> Result<()> {
    let mut count = 0;
    for round in 0..90 {
        let dirs: Vec<String> = directories(lane);
        let dir = &dirs[rng.below(dirs.len() as u64) as usize];
        count += 1;
        match rng.below(10) {
            0..=3 => lane.mkdir(&format!("{dir}/d{count}"))?,
            4..=5 => lane.create(&format!("{dir}/f{count}"))?,
            6 => {
                let length = 10 + rng.below(50);
                lane.symlink(&format!("{dir}/s{count}"), &bytes(rng, length))?;
            }
            7 if !dir.is_empty() => {
                let to = &dirs[rng.below(dirs.len() as u64) as usize];
                if to != dir && !to.starts_with(&format!("{dir}/")) {
                    lane.rename(dir, &format!("{to}/m{count}"))?;
                }
            }
            8 if !dir.is_empty() => remove_tree(lane, dir)?,
            _ if round % 3 == 0 => lane.syncfs()?,
            _ => lane.fsync(dir)?,
        }
    }
    Ok(())
}

fn directories(lane: &Lane) -> Vec<String> {
    let state = lane.state();
    let is_dir = |node| state.nodes[node].mode & libc::S_IFMT == libc::S_IFDIR;
    state.names.iter().filter(|(_, node)| is_dir(*node)).map(|(name, _)| name.to_string()).collect()
}

/// Removes a directory and everything in it, the deepest first.
pub fn remove_tree(lane: &mut Lane, dir: &str) -> Result<()> {
    let below = format!("{dir}/");
    let inside = |name: &str| name == dir || name.starts_with(&below);
    let names: Vec<String> = lane.state().names.keys().filter(|n| inside(n)).map(|n| n.to_string()).collect();
    for name in names.iter().rev() {
        let node = lane.state().names[name.as_str()];
        let is_dir = lane.state().nodes[&node].mode & libc::S_IFMT == libc::S_IFDIR;
        if is_dir { lane.rmdir(name)? } else { lane.unlink(name)? }
    }
    Ok(())
}

/// Hard links made, moved over each other, removed, in two directories.
pub fn links(_rig: &mut Rig, lane: &mut Lane, rng: &mut Rng) -> Result<()> {
    lane.mkdir("/a")?;
    lane.mkdir("/b")?;
    for _ in 0..110 {
        let path = |rng: &mut Rng| format!("/{}/{}", ["a", "b"][rng.below(2) as usize], rng.below(8));
        let (one, two) = (path(rng), path(rng));
        match (lane.exists(&one), lane.exists(&two)) {
            (false, _) => {
                lane.create(&one)?;
                if rng.chance(1, 2) {
                    let size = some_size(rng);
                    lane.write(&one, 0, &bytes(rng, size))?;
                }
            }
            (true, false) => lane.link(&one, &two)?,
            (true, true) => match rng.below(4) {
                0 => lane.unlink(&one)?,
                1 | 2 if lane.ino(&one) != lane.ino(&two) => lane.rename(&one, &two)?,
                _ => lane.fsync(&one)?,
            },
        }
    }
    Ok(())
}

/// Names of all kinds change while only files and directories that do not change themselves are synced.
pub fn synced_by_others(_rig: &mut Rig, lane: &mut Lane, rng: &mut Rng) -> Result<()> {
    lane.mkdir("/d")?;
    lane.create("/d/f")?;
    lane.create("/clean")?;
    lane.mkdir("/quiet")?;
    lane.syncfs()?;
    let mut dir = "/d".to_string();
    for round in 0..60 {
        let name = format!("/n{}", rng.below(6));
        match (rng.below(6), lane.exists(&name)) {
            (0, _) => {
                let moved = format!("/d{round}");
                lane.rename(&dir, &moved)?;
                dir = moved;
            }
            (1, true) => lane.unlink(&name)?,
            (2, true) => lane.rename(&name, &format!("{dir}/m{}", rng.below(3)))?,
            (3, true) => lane.chmod(&name, 0o600 + rng.below(64) as u32)?,
            (_, true) => lane.set_xattr(&name, "user.round", &bytes(rng, 8))?,
            (4, false) => lane.symlink(&name, &bytes(rng, 20))?,
            (_, false) => lane.create(&name)?,
        }
        if rng.chance(1, 2) {
            let unchanged = [format!("{dir}/f"), "/clean".into(), "/quiet".into()];
            lane.fsync(&unchanged[rng.below(3) as usize])?;
        }
    }
    Ok(())
}

/// Extended attributes of many sizes, set, replaced and removed on a few files.
pub fn xattrs(_rig: &mut Rig, lane: &mut Lane, rng: &mut Rng) -> Result<()> {
    for i in 0..4 {
        lane.create(&format!("/f{i}"))?;
        lane.write(&format!("/f{i}"), 0, &bytes(rng, 5000))?;
    }
    for round in 0..90u64 {
        let path = format!("/f{}", rng.below(4));
        let name = format!("user.n{}", rng.below(4));
        let node = lane.state().names[path.as_str()];
        let has = lane.state().nodes[&node].xattrs.contains_key(name.as_bytes());
        match rng.below(5) {
            0 if has => lane.remove_xattr(&path, &name)?,
            1 => lane.fsync(&path)?,
            2 if round % 7 == 0 => {
                lane.unlink(&path)?;
                lane.create(&path)?;
            }
            _ => {
                let length = [3, 60, 250, 1500, 6000][rng.below(5) as usize];
                lane.set_xattr(&path, &name, &bytes(rng, length))?;
            }
        }
    }
    Ok(())
}
