//! One run: operations, and moments at which the volume must hold together.

use super::volumes::Kind;
use super::world::World;
use hn4_core::vfs::Vfs;
use std::sync::Arc;

pub fn run(seed: u64, steps: u64, kind: Kind) {
    let mut world = World::new(seed, kind);
    for _ in 0..steps {
        step(&mut world);
        if world.rng.chance(6, 100) {
            moment(&mut world);
        }
    }
    world.compare_all();
    empty(world);
}

fn step(world: &mut World) {
    match world.rng.below(100) {
        0..10 => world.create(),
        10..14 => world.mkdir(),
        14..17 => world.symlink(),
        17..19 => world.tmpfile(),
        19..22 => world.link(),
        22..26 => world.lookup(),
        26..33 => world.unlink(),
        33..35 => world.rmdir(),
        35..42 => world.rename(),
        42..45 => world.setattr(),
        45..47 => world.setflags(),
        47..53 => world.xattr(),
        53..71 => world.write(),
        71..75 => world.append(),
        75..81 => world.truncate(),
        81..87 => world.fallocate(),
        87..90 => world.copy_range(),
        90..93 => world.read(),
        93..95 => world.seek(),
        95..97 => world.crowd(),
        _ => {
            if world.files.len() > 1 {
                let at = 1 + world.rng.below(world.files.len() as u64 - 1) as usize;
                world.log(format!("forget {}", world.files[at].real));
                world.forget(at);
            }
        }
    }
}

fn moment(world: &mut World) {
    match world.rng.below(9) {
        0 | 1 => {
            let file = world.any();
            world.log(format!("fsync {}", file.real));
            world.fs.fsync(file.real, false).unwrap_or_else(|error| world.fail(&format!("fsync: {error}")));
        }
        2 | 3 => sync(world),
        4 => {
            // At any moment: the log must lead to a sound volume.
            world.log("power cut, only looked at".into());
            checked(world, &world.device.snapshot(), "after a power cut");
        }
        5 => {
            sync(world);
            world.log("power cut after syncfs".into());
            let device = Arc::new(world.device.snapshot());
            reopen(world, device);
        }
        6 => {
            world.log("close, open".into());
            let device = world.device.clone();
            reopen(world, device);
        }
        7 => {
            sync(world);
            read_only(world);
        }
        _ => world.compare_all(),
    }
}

fn checked(
    world: &World,
    device: &hn4_core::device::testing::MemDevice,
    when: &str,
) -> hn4_core::testing::Report {
    hn4_core::testing::check_volume(device)
        .unwrap_or_else(|problems| world.fail(&format!("{when}:\n  {}", problems.join("\n  "))))
}

/// Everything durable, nothing delayed: the counts must be exact.
fn sync(world: &mut World) {
    world.log("syncfs".into());
    if let Err(error) = world.fs.syncfs() {
        world.fail(&format!("syncfs: {error}"));
    }
    let report = checked(world, &world.device.snapshot(), "after syncfs");
    let figures = world.fs.statfs().expect("statfs works");
    // Deletions may go on in the background between the two looks.
    let again = checked(world, &world.device.snapshot(), "after syncfs");
    let space = &world.fs.volume.space;
    if report == again && (figures.bfree != report.free_blocks() || space.delayed() != 0) {
        // A deletion in progress is not in the log yet: sync once more before judging.
        world.fs.syncfs().expect("syncfs works");
        let report = checked(world, &world.device.snapshot(), "after syncfs");
        let figures = world.fs.statfs().expect("statfs works");
        if figures.bfree != report.free_blocks() {
            world.fail(&format!(
                "bfree {} (live {}, delayed {}), the volume says {} (live {})",
                figures.bfree,
                world.fs.volume.space.live(),
                world.fs.volume.space.delayed(),
                report.free_blocks(),
                report.live_blocks
            ));
        }
    }
}

/// The old session ends; what nobody names and nobody holds any more is gone.
fn reopen(world: &mut World, device: Arc<hn4_core::device::testing::MemDevice>) {
    world.forget_all();
    if let Err(error) = world.fs.shutdown() {
        world.fail(&format!("close: {error}"));
    }
    checked(world, &world.device, "after a close");
    world.device = device;
    world.fs = world.kind.open(&world.device, false);
    world.compare_all();
}

fn read_only(world: &mut World) {
    world.log("read-only look".into());
    let image = Arc::new(world.device.snapshot());
    let other = world.kind.open(&image, true);
    let held = std::mem::replace(&mut world.fs, other);
    let files = std::mem::take(&mut world.files);
    world.files = vec![files[0]];
    world.compare_all();
    if world.fs.unlink(1, b"n1").map_err(|error| error.errno()) != Err(libc::EROFS) {
        world.fail("a read-only volume takes changes");
    }
    world.fs.shutdown().expect("a read-only volume closes");
    world.fs = held;
    world.files = files;
}

/// Deletes everything: all space and all files must come back.
fn empty(mut world: World) {
    world.log("delete all".into());
    let held: Vec<u64> = world.files.iter().map(|file| file.real).collect();
    for ino in held {
        let _ = world.fs.setflags(ino, 0);
    }
    world.forget_all();
    remove_below(&world, 1);
    let names = world.fs.listxattr(1).expect("listxattr works");
    for name in names.split(|b| *b == 0).filter(|name| !name.is_empty()) {
        world.fs.removexattr(1, name).expect("the root's attributes go");
    }
    world.fs.syncfs().expect("syncfs works");
    world.fs.shutdown().unwrap_or_else(|error| world.fail(&format!("close: {error}")));
    let report = checked(&world, &world.device, "emptied");
    if (report.files, report.units) != (3, 0) || report.live_blocks > 0 {
        world.fail(&format!("an emptied volume holds {report:?}"));
    }
}

fn remove_below(world: &World, dir: u64) {
    let mut names = Vec::new();
    world
        .fs
        .readdir(dir, 0, false, &mut |entry| {
            if entry.name != b"." && entry.name != b".." {
                names.push((entry.name.to_vec(), entry.kind == libc::DT_DIR));
            }
            true
        })
        .expect("readdir works");
    let _ = world.fs.setflags(dir, 0);
    for (name, is_dir) in names {
        let ino = world.fs.lookup(dir, &name).expect("lookup works").ino;
        let _ = world.fs.setflags(ino, 0);
        if is_dir {
            remove_below(world, ino);
        }
        let removed = if is_dir { world.fs.rmdir(dir, &name) } else { world.fs.unlink(dir, &name) };
        removed.unwrap_or_else(|error| {
            world.fail(&format!("remove {}: {error}", String::from_utf8_lossy(&name)))
        });
        world.fs.forget(ino, 1);
    }
}
