//! One of everything the format knows, so that every seed has it.

use crate::world::World;
use hn4_core::base::Result;
use hn4_core::vfs::{FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE, FALLOC_ZERO_RANGE, Vfs};

const BLOCK: u64 = 4096;
const DIRECTORY: u32 = libc::S_IFDIR | 0o755;

pub fn fill(world: &mut World, small: bool) -> Result<()> {
    for name in ["/a", "/b", "/c", "/empty", "/flat"] {
        world.make(name.as_bytes(), DIRECTORY, 0, None)?;
    }
    deep(world)?;
    names(world, if small { 300 } else { 1000 })?;
    for size in [0, 1, 28, 29, 4095, 4096, 4097, 70_000, if small { 100_000 } else { 3_000_000 }] {
        world.file_of(format!("/a/size-{size}").as_bytes(), size)?;
    }
    sparse(world)?;
    preallocated(world)?;
    others(world)?;
    attributes(world)?;
    world.fs.syncfs()?;
    overwritten(world, if small { 12 } else { 40 })?;
    orphans(world)
}

fn deep(world: &mut World) -> Result<()> {
    let mut path = b"/deep".to_vec();
    for level in 0..30 {
        world.make(&path, DIRECTORY, 0, None)?;
        world.file_of(&[&path[..], b"/leaf"].concat(), level)?;
        path.extend_from_slice(b"/down");
    }
    Ok(())
}

fn names(world: &mut World, count: u64) -> Result<()> {
    for i in 0..count {
        let length = world.rng.below(40);
        world.file_of(format!("/flat/entry {i}").as_bytes(), length)?;
    }
    for (i, byte) in [b'x', 0xff, 0x01, b'%'].into_iter().enumerate() {
        let name = [&b"/b/"[..], &vec![byte; 255 - i]].concat();
        world.file_of(&name, 10)?;
    }
    world.file_of("/b/größe 漢字".as_bytes(), 5000)
}

/// Presence nodes of every height, and sizes that end in a hole.
fn sparse(world: &mut World) -> Result<()> {
    let far = [100, 70_000, 1 << 26, (1 << 40) + 5, (1 << 47) - 1];
    for (i, index) in far.into_iter().enumerate() {
        let Some(ino) = world.file(format!("/c/sparse-{i}").as_bytes())? else { continue };
        world.write(ino, index * BLOCK, 3000)?;
        world.write(ino, 5 * BLOCK + 7, 9000)?;
        world.write(ino, index / 2 * BLOCK + 100, 5000)?;
        if i % 2 == 0 && index < 1 << 40 {
            world.truncate(ino, (index + 1000) * BLOCK + 1)?;
        }
    }
    if let Some(ino) = world.file(b"/c/only-a-hole")? {
        world.truncate(ino, 1 << 33)?;
    }
    Ok(())
}

fn preallocated(world: &mut World) -> Result<()> {
    let Some(ino) = world.file(b"/c/preallocated")? else { return Ok(()) };
    world.fallocate(ino, 0, 0, 40 * BLOCK)?;
    world.write(ino, 10 * BLOCK, 6 * BLOCK)?;
    let Some(ino) = world.file(b"/c/punched")? else { return Ok(()) };
    world.write(ino, 0, 60 * BLOCK)?;
    world.fs.syncfs()?;
    world.fallocate(ino, FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE, 9 * BLOCK + 100, 20 * BLOCK)?;
    for (name, end) in [("/a/inline-punched", 8192), ("/a/inline-punched-and-grown", 200_000)] {
        world.file_of(name.as_bytes(), 20)?;
        world.fs.syncfs()?;
        let inline = world.ino(name.as_bytes());
        if end > 8192 {
            world.write(inline, 100_000, 100)?;
        }
        world.fallocate(inline, FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE, 0, end)?;
    }
    world.fallocate(ino, FALLOC_ZERO_RANGE | FALLOC_KEEP_SIZE, 50 * BLOCK, 2 * BLOCK + 9)
}

fn others(world: &mut World) -> Result<()> {
    for length in [1, 28, 29, 300, 4095] {
        let target = vec![b't'; length];
        world.make(format!("/a/link-{length}").as_bytes(), libc::S_IFLNK, 0, Some(&target))?;
    }
    let device = libc::makedev(259, 65_537) as u32;
    for (name, kind, rdev) in [
        ("fifo", libc::S_IFIFO, 0),
        ("socket", libc::S_IFSOCK, 0),
        ("character", libc::S_IFCHR, device),
        ("whiteout", libc::S_IFCHR, 0),
        ("block", libc::S_IFBLK, 7 << 8),
    ] {
        world.make(format!("/a/{name}").as_bytes(), kind | 0o600, rdev, None)?;
    }
    for i in 0..5 {
        world.link(b"/a/size-4097", format!("/b/hard-{i}").as_bytes())?;
    }
    world.link(b"/a/fifo", b"/c/fifo too")
}

fn attributes(world: &mut World) -> Result<()> {
    let ino = world.ino(b"/a/size-29");
    for length in [0, 1, 100, 3800, 4096, 20_000] {
        world.set_xattr(ino, format!("user.of {length}").as_bytes(), length)?;
    }
    let largest = world.ino(b"/a/size-28");
    world.set_xattr(largest, b"user.largest", 65_536)?;
    let directory = world.ino(b"/empty");
    world.set_xattr(directory, b"trusted.overlay.opaque", 1)?;
    let link = world.ino(b"/a/link-300");
    world.set_xattr(link, b"trusted.of-a-link", 30)?;
    for path in ["/a/size-1", "/a/link-29", "/a/block", "/flat", "/a/size-70000"] {
        let ino = world.ino(path.as_bytes());
        if !path.contains("link") {
            world.set_attributes(ino)?;
        }
    }
    Ok(())
}

/// Rounds of small overwrites with a commit after each: shells, segments and the overwrite area.
fn overwritten(world: &mut World, rounds: u64) -> Result<()> {
    for (name, blocks) in [("/a/scattered", 50u64), ("/a/shelled", 400)] {
        let Some(ino) = world.file(name.as_bytes())? else { continue };
        world.write(ino, 0, blocks * BLOCK)?;
        world.fs.syncfs()?;
        for _ in 0..rounds {
            for _ in 0..1 + world.rng.below(4) {
                let at = world.rng.below(blocks - 3) * BLOCK;
                let length = 1 + world.rng.below(3 * BLOCK);
                world.write(ino, at, length)?;
            }
            world.fs.syncfs()?;
        }
    }
    Ok(())
}

/// Files without a name that somebody still has open.
fn orphans(world: &mut World) -> Result<()> {
    for i in 0..6 {
        let path = format!("/c/orphan-{i}");
        world.file_of(path.as_bytes(), i * 20_000)?;
        if !world.paths.contains_key(path.as_bytes()) {
            continue;
        }
        let parent = world.ino(b"/c");
        world.fs.lookup(parent, &path.as_bytes()[3..])?;
        world.remove(path.as_bytes())?;
    }
    let parent = world.ino(b"/c");
    let made = world.fs.tmpfile(parent, libc::S_IFREG | 0o600, &Default::default())?;
    world.fs.write(made.ino, 0, &[9; 10_000], false).map(|_| ())
}
