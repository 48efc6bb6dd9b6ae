//! Numbers of system files where the disk should not have them. Where one is locked twice the test hangs.

use crate::base::Code;
use crate::device::testing::MemDevice;
use crate::format::{Kind, Slot, layout};
use crate::testing::{FormatOptions, demand_sound, forge_slot, formatted, try_open};
use crate::vfs::{Caller, FileSystem, Vfs};
use crate::volume::{OpenOptions, Purpose, Reporter};
use parking_lot::Mutex;
use std::sync::Arc;

const REG: u32 = libc::S_IFREG | 0o644;
const SYSTEM: [u64; 3] = [layout::INO_ROOT, layout::INO_ORPHANS, layout::INO_PUBLIC_IDS];

type Lines = Arc<Mutex<Vec<String>>>;

fn listening(memory: &Arc<MemDevice>, read_only: bool) -> (crate::base::Result<FileSystem>, Lines) {
    let lines = Lines::default();
    let heard = lines.clone();
    let reporter = Reporter::new(move |line| heard.lock().push(line.to_string()));
    let options = OpenOptions { sequential: true, read_only, reporter, ..OpenOptions::default() };
    (try_open(memory.clone(), options).map(|(fs, _)| fs), lines)
}

/// With the lines of the opening.
fn open(memory: &Arc<MemDevice>, read_only: bool) -> (crate::base::Result<FileSystem>, Vec<String>) {
    let (opened, lines) = listening(memory, read_only);
    let said = lines.lock().clone();
    (opened, said)
}

fn writable(memory: &Arc<MemDevice>) -> (FileSystem, Vec<String>) {
    let (fs, lines) = open(memory, false);
    (fs.unwrap(), lines)
}

/// Enters a name for a system file, as a hostile hand would.
fn plant(fs: &FileSystem, dir: u64, name: &[u8], number: u64) {
    let volume = &fs.volume;
    let (dir, file) = (volume.inode(dir, 0).unwrap(), volume.inode(number, 0).unwrap());
    volume
        .change(|tx| {
            let mut names = dir.lock();
            volume.insert_entry(tx, &mut names, name, &file, Purpose::System)?;
            volume.mark(tx, &mut names);
            Ok(())
        })
        .unwrap();
}

#[test]
fn an_orphan_entry_that_names_a_system_file_is_left_alone_and_said() {
    let memory = formatted(&FormatOptions::new(4096));
    let (fs, _) = writable(&memory);
    for number in SYSTEM {
        plant(&fs, layout::INO_ORPHANS, format!("{number:016x}").as_bytes(), number);
    }
    let kept = fs.mknod(1, b"kept", REG, 0, &Caller::default()).unwrap().ino;
    // An entry that leads to a file under another's name.
    let inode = fs.volume.by_ino(kept).unwrap();
    let orphans = fs.volume.inode(layout::INO_ORPHANS, 0).unwrap();
    fs.volume
        .change(|tx| {
            let mut names = orphans.lock();
            fs.volume.insert_entry(tx, &mut names, b"00000000000000ff", &inode, Purpose::System)
        })
        .unwrap();
    fs.shutdown().unwrap();
    let (fs, lines) = writable(&memory);
    for number in SYSTEM.into_iter().chain([kept]) {
        let said = format!("names file {number}:");
        assert!(lines.iter().any(|line| line.contains(&said)), "{said} {lines:?}");
    }
    let gone = fs.mknod(1, b"gone", REG, 0, &Caller::default()).unwrap().ino;
    fs.unlink(1, b"gone").unwrap();
    fs.forget(gone, 1);
    fs.syncfs().unwrap();
    fs.lookup(1, b"kept").unwrap();
    fs.shutdown().unwrap();
    writable(&memory).0.shutdown().unwrap();
}

#[test]
fn a_file_without_a_name_and_without_an_orphan_entry_goes_and_stops_nothing() {
    let memory = formatted(&FormatOptions::new(4096));
    let (fs, _) = writable(&memory);
    let ino = fs.mknod(1, b"file", REG, 0, &Caller::default()).unwrap().ino;
    let inode = fs.volume.by_ino(ino).unwrap();
    fs.volume
        .change(|tx| {
            let mut file = inode.lock();
            file.slot.attributes.nlink = 0;
            file.slot.anchor.public_id = [7; 16];
            fs.volume.mark(tx, &mut file);
            Ok(())
        })
        .unwrap();
    drop(inode);
    fs.shutdown().unwrap();
    let (fs, lines) = listening(&memory, false);
    let fs = fs.unwrap();
    let files = fs.volume.cortex.used();
    fs.unlink(1, b"file").unwrap();
    fs.syncfs().unwrap();
    fs.syncfs().unwrap();
    assert_eq!(fs.volume.cortex.used(), files - 1, "the case did not happen: it is not deleted");
    fs.shutdown().unwrap();
    let said = lines.lock().clone();
    assert!(said.len() == 1 && said[0].contains("its entry among the orphans"), "{said:?}");
    let (fs, lines) = writable(&memory);
    assert!(lines.is_empty(), "{lines:?}");
    assert_eq!(fs.lookup(1, b"file").unwrap_err().code, Code::NotFound);
    fs.shutdown().unwrap();
}

#[test]
fn an_orphan_entry_that_is_there_already_is_said_and_stops_nothing() {
    let memory = formatted(&FormatOptions::new(4096));
    let (fs, lines) = listening(&memory, false);
    let fs = fs.unwrap();
    let ino = fs.mknod(1, b"file", REG, 0, &Caller::default()).unwrap().ino;
    plant(&fs, layout::INO_ORPHANS, format!("{ino:016x}").as_bytes(), ino);
    // In use, so that it waits among the orphans.
    fs.unlink(1, b"file").unwrap();
    fs.syncfs().unwrap();
    let said = lines.lock().clone();
    assert!(said.len() == 1 && said[0].contains("its entry among the orphans"), "{said:?}");
    fs.forget(ino, 1);
    fs.shutdown().unwrap();
    demand_sound(&*memory, "at the end");
}

#[test]
fn an_orphan_entry_leads_to_the_file_of_its_seed_alone() {
    for forged in [false, true] {
        let memory = formatted(&FormatOptions::new(4096));
        let (fs, _) = writable(&memory);
        let ino = fs.mknod(1, b"file", REG, 0, &Caller::default()).unwrap().ino;
        let inode = fs.volume.by_ino(ino).unwrap();
        plant(&fs, layout::INO_ORPHANS, format!("{ino:016x}").as_bytes(), ino);
        fs.volume
            .change(|tx| {
                let mut file = inode.lock();
                file.slot.attributes.nlink = 0;
                fs.volume.mark(tx, &mut file);
                Ok(())
            })
            .unwrap();
        drop(inode);
        fs.shutdown().unwrap();
        if forged {
            forge_slot(&memory, ino, |slot| slot.anchor.random ^= 1);
        }
        let (fs, lines) = listening(&memory, false);
        let fs = fs.unwrap();
        let files = fs.volume.cortex.used();
        fs.syncfs().unwrap();
        fs.shutdown().unwrap();
        let gone = files - fs.volume.cortex.used();
        let said = lines.lock().iter().any(|line| line.contains("seed_id"));
        assert_eq!((gone, said), (u64::from(!forged), forged), "{:?}", lines.lock());
    }
}

#[test]
fn a_system_file_does_not_come_out_of_a_directory() {
    let memory = formatted(&FormatOptions::new(4096));
    let (fs, _) = writable(&memory);
    let dir = fs.mkdir(1, b"dir", 0o755, &Caller::default()).unwrap().ino;
    let file = fs.mknod(dir, b"file", REG, 0, &Caller::default()).unwrap().ino;
    for number in SYSTEM {
        let name = format!("to-{number}");
        plant(&fs, 1, name.as_bytes(), number);
        let name = name.as_bytes();
        assert_eq!(fs.lookup(1, name).unwrap_err().code, Code::Corrupt);
        assert_eq!(fs.unlink(1, name).unwrap_err().code, Code::Corrupt);
        assert_eq!(fs.rmdir(1, name).unwrap_err().code, Code::Corrupt);
        assert_eq!(fs.rename(1, name, dir, b"x", 0).unwrap_err().code, Code::Corrupt);
        assert_eq!(fs.rename(dir, b"file", 1, name, 0).unwrap_err().code, Code::Corrupt);
    }
    fs.readdir(1, 0, true, &mut |entry| {
        assert!(entry.attr.is_none() || !entry.name.starts_with(b"to-"));
        true
    })
    .unwrap();
    for number in [layout::INO_ORPHANS, layout::INO_PUBLIC_IDS, 4, 15] {
        assert_eq!(fs.getattr(number).unwrap_err().code, Code::Stale);
        // The way up leads nowhere else either.
        let inode = fs.volume.by_ino(dir).unwrap();
        inode.lock().slot.attributes.parent_number = number;
        assert_eq!(fs.lookup(dir, b"..").unwrap_err().code, Code::Corrupt);
        inode.lock().slot.attributes.parent_number = file;
        assert_eq!(fs.lookup(dir, b"..").unwrap_err().code, Code::Corrupt);
    }
    fs.shutdown().unwrap();
}

#[test]
fn a_volume_whose_system_files_are_not_what_they_must_be_does_not_open() {
    for number in SYSTEM {
        let memory = formatted(&FormatOptions::new(4096));
        let (fs, _) = writable(&memory);
        let inode = fs.volume.inode(number, 0).unwrap();
        fs.volume
            .change(|tx| {
                let mut file = inode.lock();
                file.slot.attributes.nlink = 0;
                fs.volume.mark(tx, &mut file);
                Ok(())
            })
            .unwrap();
        fs.shutdown().unwrap();
        let refused = open(&memory, false).0.map(drop).unwrap_err();
        assert_eq!(refused.code, Code::Corrupt);
        assert!(refused.detail().contains(&format!("system file {number}")), "{refused}");
        // Whoever only reads needs the root alone.
        let reads = open(&memory, true).0.map(|fs| fs.shutdown().unwrap());
        assert_eq!(reads.is_ok(), number != layout::INO_ROOT);
    }
}

#[test]
fn a_system_file_is_a_directory_and_has_links_also_without_a_mark_of_going_away() {
    let wrong: [fn(&mut Slot); 2] = [
        |slot| slot.attributes.nlink = 0,
        |slot| slot.anchor.permissions = u32::from(Kind::Fifo.number()) << 12 | 0o644,
    ];
    for number in [layout::INO_ORPHANS, layout::INO_PUBLIC_IDS] {
        for change in wrong {
            let memory = formatted(&FormatOptions::new(4096));
            forge_slot(&memory, number, change);
            let refused = open(&memory, false).0.map(drop).unwrap_err();
            assert!(refused.detail().contains(&format!("system file {number}")), "{refused}");
        }
    }
}
