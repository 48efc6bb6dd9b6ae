//! The thin whole: format, open, use, close, open again.

use hn4_core::testing::{FormatOptions, formatted, loud, noise, open};
use hn4_core::vfs::{Caller, FileSystem, SetAttr, Vfs};
use std::sync::Arc;

const ROOT: u64 = 1;

fn names(fs: &FileSystem, dir: u64) -> Vec<String> {
    let mut names = Vec::new();
    fs.readdir(dir, 0, false, &mut |entry| {
        names.push(String::from_utf8_lossy(entry.name).into_owned());
        true
    })
    .unwrap();
    names.sort();
    names
}

#[test]
fn files_survive_a_clean_close_and_a_replay() {
    let device = formatted(&FormatOptions::new(16_384));
    let who = Caller::default();
    let fs = open(device.clone(), loud());
    let dir = fs.mkdir(ROOT, b"dir", 0o755, &who).unwrap().ino;
    let mut inos = Vec::new();
    for i in 0..500u64 {
        let name = format!("file-{i}");
        let attr = fs.mknod(dir, name.as_bytes(), libc::S_IFREG | 0o644, 0, &who).unwrap();
        let data = noise(i, (i as usize * 97) % 20_000);
        if !data.is_empty() {
            fs.write(attr.ino, 0, &data, false).unwrap();
        }
        inos.push(attr.ino);
    }
    fs.symlink(ROOT, b"short", b"dir/file-1", &who).unwrap();
    fs.symlink(ROOT, b"long", &[b'x'; 300], &who).unwrap();
    fs.rename(dir, b"file-7", ROOT, b"moved", 0).unwrap();
    fs.unlink(dir, b"file-8").unwrap();
    fs.fsync(inos[3], false).unwrap();
    fs.syncfs().unwrap();
    let crash = device.snapshot();
    fs.shutdown().unwrap();
    for image in [device, Arc::new(crash)] {
        let fs = open(image, loud());
        let dir = fs.lookup(ROOT, b"dir").unwrap().ino;
        assert_eq!(names(&fs, dir).len(), 500);
        for i in 0..500u64 {
            if i == 8 {
                assert_eq!(fs.lookup(dir, b"file-8").unwrap_err().errno(), libc::ENOENT);
                continue;
            }
            let name = format!("file-{i}");
            let attr =
                if i == 7 { fs.lookup(ROOT, b"moved") } else { fs.lookup(dir, name.as_bytes()) }.unwrap();
            let data = noise(i, (i as usize * 97) % 20_000);
            assert_eq!(attr.size, data.len() as u64, "file {i}");
            let mut buf = vec![0; 20_000];
            let n = fs.read(attr.ino, 0, &mut buf).unwrap();
            assert!(buf[..n] == data[..], "file {i}");
        }
        let long = fs.lookup(ROOT, b"long").unwrap().ino;
        assert_eq!(fs.readlink(long).unwrap(), vec![b'x'; 300]);
        let short = fs.lookup(ROOT, b"short").unwrap().ino;
        assert_eq!(fs.readlink(short).unwrap(), b"dir/file-1");
        let size = SetAttr { size: Some(5), ..SetAttr::default() };
        let file = fs.lookup(dir, b"file-100").unwrap().ino;
        fs.setattr(file, &size, &who).unwrap();
        assert_eq!(fs.getattr(file).unwrap().size, 5);
        fs.shutdown().unwrap();
    }
}
