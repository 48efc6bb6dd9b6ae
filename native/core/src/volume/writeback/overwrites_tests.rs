//! What lies in the overwrite area goes home, also of files that nobody has looked at since the mount.

use crate::testing::{FormatOptions, demand_sound, formatted, try_open};
use crate::vfs::{Caller, FileSystem, Vfs};
use crate::volume::OpenOptions;

const REG: u32 = libc::S_IFREG | 0o644;

fn open(memory: &std::sync::Arc<crate::device::testing::MemDevice>) -> FileSystem {
    try_open(memory.clone(), OpenOptions { sequential: true, ..OpenOptions::default() }).unwrap().0
}

/// Changes a file again and again, each change with a commit of its own, until a block of it lies in the area.
fn until_in_area(fs: &FileSystem, ino: u64, mut change: impl FnMut(u64)) {
    for round in 0..200 {
        change(round);
        fs.fsync(ino, false).unwrap();
        let keys = fs.volume.blocks.overwrites_by_owner();
        let file = fs.volume.by_ino(ino).unwrap();
        if keys.get(&ino).is_some_and(|keys| keys.iter().any(|key| file.is_meta(key.index))) {
            return;
        }
    }
    panic!("the case did not happen: nothing of file {ino} went to the overwrite area");
}

#[test]
fn metadata_of_files_that_are_not_in_memory_goes_home_and_its_old_blocks_are_freed() {
    for dup in [true, false] {
        let memory = formatted(&FormatOptions { dup, ..FormatOptions::new(8192) });
        let fs = open(&memory);
        let who = Caller::default();
        let dir = fs.mkdir(1, b"dir", 0o755, &who).unwrap().ino;
        until_in_area(&fs, dir, |round| {
            fs.mknod(dir, format!("{round:060}").as_bytes(), REG, 0, &who).unwrap();
        });
        let names = |fs: &FileSystem| {
            assert_eq!(fs.lookup(1, b"dir").unwrap().ino, dir);
            let mut count = 0;
            fs.readdir(dir, 0, false, &mut |_| {
                count += 1;
                true
            })
            .unwrap();
            count
        };
        let before = names(&fs);
        fs.shutdown().unwrap();
        drop(fs);
        demand_sound(&*memory, "before");
        let fs = open(&memory);
        let area = |fs: &FileSystem| fs.volume.blocks.has_overwrites(dir);
        assert!(area(&fs), "the case did not happen");
        drop(fs.volume.overwrites_to_memory().unwrap());
        fs.syncfs().unwrap();
        assert!(!area(&fs), "dup {dup}: it is still there");
        fs.shutdown().unwrap();
        drop(fs);
        demand_sound(&*memory, &format!("dup {dup}: after"));
        let fs = open(&memory);
        assert_eq!(names(&fs), before);
        fs.shutdown().unwrap();
    }
}
