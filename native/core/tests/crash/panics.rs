//! A panic in the middle of a change: what it left half done is never written, reads go on, and it is said.

use crate::rig::{open, options};
use hn4_core::base::{BLOCK_SIZE, Code};
use hn4_core::device::testing::{CountingDevice, Fault, FaultDevice, Op, When};
use hn4_core::testing::{FormatOptions, check_volume, formatted, read_only_tree, read_tree};
use hn4_core::vfs::{Caller, Vfs};
use hn4_core::volume::{OpenOptions, Reporter};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

#[test]
fn after_a_panic_inside_a_change_nothing_more_is_written_and_reads_go_on() {
    for sequential in [true, false] {
        let memory = formatted(&FormatOptions::new(8192));
        let counting = Arc::new(CountingDevice::new(memory.clone()));
        let device = Arc::new(FaultDevice::new(counting.clone()));
        let who = Caller::default();
        let (fs, _) = open(memory.clone(), options(true)).unwrap();
        let file = fs.mknod(1, b"file", libc::S_IFREG | 0o600, 0, &who).unwrap().ino;
        fs.write(file, 0, &vec![7; 300 * BLOCK_SIZE], false).unwrap();
        fs.shutdown().unwrap();
        drop(fs);
        let synced = read_only_tree(memory.snapshot()).unwrap();

        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let said = lines.clone();
        let reporter = Reporter::new(move |line| said.lock().unwrap().push(line.to_string()));
        let with = OpenOptions { cached_pages: 0, cached_inodes: 0, reporter, ..options(sequential) };
        let (fs, _) = open(device.clone(), with).unwrap();
        let file = fs.lookup(1, b"file").unwrap().ino;
        fs.mknod(1, b"unsynced", libc::S_IFREG | 0o600, 0, &who).unwrap();
        device.add(Op::Read, When::From(0), Fault::Panic);
        let before = counting.counts();
        let ended = catch_unwind(AssertUnwindSafe(|| fs.write(file, 5, b"half a block", false)));
        device.clear();
        assert!(ended.is_err() && device.met() == 1, "the case did not happen: {ended:?}");

        assert_eq!(fs.mknod(1, b"late", libc::S_IFREG, 0, &who).unwrap_err().code, Code::ReadOnly);
        assert_eq!(fs.syncfs().unwrap_err().code, Code::Io);
        let tree = read_tree(&fs).unwrap();
        assert!(tree.contains_key("/unsynced") && tree["/file"].content.len() == 300 * BLOCK_SIZE);
        assert_eq!(fs.shutdown().unwrap_err().code, Code::Io);
        let wrote = counting.counts().since(before);
        assert_eq!((wrote.writes, wrote.flushes), (0, 0), "sequential {sequential}");
        let lines = lines.lock().unwrap();
        assert!(
            lines.len() == 1 && lines[0].contains("read-only") && lines[0].contains("panicked"),
            "{lines:?}"
        );
        drop(fs);

        let (fs, _) = open(memory.clone(), options(true)).unwrap();
        assert!(read_tree(&fs).unwrap() == synced, "what was synced is there, and nothing else");
        fs.shutdown().unwrap();
        check_volume(&*memory).unwrap();
    }
}
