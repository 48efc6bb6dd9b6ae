//! Many threads at once.

use crate::support::Mount;
use hn4_core::testing::noise;
use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::thread;

const THREADS: usize = 8;

#[test]
fn threads_in_their_own_directories_do_not_meet() {
    let Some(mount) = Mount::new() else { return };
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let home = mount.path(format!("t{thread}"));
            scope.spawn(move || {
                fs::create_dir(&home).expect("mkdir");
                for index in 0..200 {
                    let (path, moved) = (home.join(format!("a{index}")), home.join(format!("b{index}")));
                    let data = noise(index, 1 + index as usize * 97);
                    fs::write(&path, &data).expect("write");
                    fs::rename(&path, &moved).expect("rename");
                    assert!(fs::read(&moved).expect("read") == data);
                    if index % 2 == 0 {
                        fs::remove_file(&moved).expect("unlink");
                    }
                }
                assert_eq!(fs::read_dir(&home).expect("list").count(), 100);
            });
        }
    });
    assert_eq!(fs::metadata(&mount.root).expect("root").nlink(), 2 + THREADS as u64);
    mount.finish();
}

#[test]
fn a_name_that_threads_fight_over_is_made_by_one() {
    let Some(mount) = Mount::new() else { return };
    let made: usize = thread::scope(|scope| {
        let runs: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    let mut made = 0;
                    for _ in 0..300 {
                        if fs::File::create_new(mount.path("x")).is_ok() {
                            made += 1;
                            fs::remove_file(mount.path("x")).expect("only the maker removes");
                        }
                    }
                    made
                })
            })
            .collect();
        runs.into_iter().map(|run| run.join().expect("a thread")).sum()
    });
    assert!(made > 0);
    assert_eq!(fs::read_dir(&mount.root).expect("list").count(), 0);
    mount.finish();
}

#[test]
fn pieces_of_one_file_written_by_threads_all_arrive() {
    let Some(mount) = Mount::new() else { return };
    const PIECE: usize = 300_007;
    let file = fs::File::create(mount.path("f")).expect("create");
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let file = &file;
            scope.spawn(move || {
                let data = noise(thread as u64, PIECE);
                file.write_all_at(&data, (thread * PIECE) as u64).expect("write");
            });
        }
    });
    let data = fs::read(mount.path("f")).expect("read");
    assert_eq!(data.len(), THREADS * PIECE);
    for (thread, piece) in data.chunks(PIECE).enumerate() {
        assert!(piece == noise(thread as u64, PIECE), "piece {thread}");
    }
    drop(file);
    mount.finish();
}
