//! Random operations on whatever is there.

use crate::world::World;
use hn4_core::base::Result;
use hn4_core::vfs::{FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE, Vfs};

const DIRECTORIES: [&str; 4] = ["/a", "/b", "/c", "/flat"];

pub fn run(world: &mut World, count: u64) -> Result<()> {
    for step in 0..count {
        one(world, step)?;
    }
    Ok(())
}

fn some_path(world: &mut World, kind: Option<u32>) -> Option<Vec<u8>> {
    let fits = |ino| kind.map_or(!world.is(ino, libc::S_IFDIR), |kind| world.is(ino, kind));
    let mut fitting: Vec<Vec<u8>> =
        world.paths.iter().filter(|&(_, &ino)| fits(ino)).map(|(path, _)| path.clone()).collect();
    if fitting.is_empty() {
        return None;
    }
    Some(fitting.swap_remove(world.rng.below(fitting.len() as u64) as usize))
}

fn new_path(world: &mut World, step: u64) -> Vec<u8> {
    let directory = DIRECTORIES[world.rng.below(4) as usize];
    format!("{directory}/step-{step}").into_bytes()
}

/// Offsets near the start, inside, at the end, and far away.
fn some_offset(world: &mut World, ino: u64) -> u64 {
    let size = world.size(ino).min(1 << 30);
    match world.rng.below(5) {
        0 => 0,
        1 => size,
        2 => size + world.rng.below(100_000),
        _ => world.rng.below(size + 1),
    }
}

/// Below 2^`bits`, small ones more often.
fn some_length(world: &mut World, bits: u64) -> u64 {
    let bits = world.rng.below(bits);
    world.rng.below(1 << bits)
}

fn one(world: &mut World, step: u64) -> Result<()> {
    let choice = world.rng.below(100);
    let regular = some_path(world, Some(libc::S_IFREG)).map(|path| (world.ino(&path), path));
    let Some((ino, path)) = regular else { return Ok(()) };
    match choice {
        0..=24 => {
            let path = new_path(world, step);
            let length = some_length(world, 18);
            world.file_of(&path, length)
        }
        25..=44 => {
            let offset = some_offset(world, ino);
            let length = 1 + some_length(world, 17);
            world.write(ino, offset, length)
        }
        45..=52 => {
            let size = some_offset(world, ino);
            world.truncate(ino, size)
        }
        53..=57 => {
            let (offset, length) = (some_offset(world, ino), 1 + world.rng.below(50_000));
            world.fallocate(ino, FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE, offset, length)
        }
        58..=60 => {
            let (offset, length) = (some_offset(world, ino), 1 + world.rng.below(50_000));
            world.fallocate(ino, 0, offset, length)
        }
        61..=70 => match some_path(world, None) {
            Some(path) => world.remove(&path),
            None => Ok(()),
        },
        71..=76 => {
            let to = match world.rng.chance(50, 100) {
                true => new_path(world, step),
                false => some_path(world, None).unwrap_or_else(|| path.clone()),
            };
            world.rename(&path, &to)
        }
        77..=80 => {
            let to = new_path(world, step);
            world.link(&path, &to)
        }
        81..=86 => {
            let name = format!("user.{}", world.rng.below(3)).into_bytes();
            let length = some_length(world, 15);
            if world.rng.chance(30, 100) {
                world.remove_xattr(ino, &name)
            } else {
                world.set_xattr(ino, &name, length)
            }
        }
        87..=90 => world.set_attributes(ino),
        91..=93 => {
            let path = new_path(world, step);
            world.make(&path, libc::S_IFDIR | 0o2750, 0, None).map(|_| ())
        }
        _ => world.fs.syncfs(),
    }
}
