//! Single cases that a random sample might miss.

use crate::oracle::{Progress, check};
use crate::rig::{Rig, Run, Setup, open, options, record};
use crate::states::{Plan, explore};
use crate::watch::within;
use crate::workloads::{bytes, cases, fill_cortex};
use hn4_core::base::{AlignedBuf, BLOCK_SIZE, BlockNumber};
use hn4_core::device::Device;
use hn4_core::device::testing::{Event, MemDevice, RecordingDevice};
use hn4_core::format::Geometry;
use hn4_core::superblocks;
use hn4_core::testing::{Rng, Tree, check_volume, flip, read_only_tree, read_tree};
use hn4_core::vfs::{Caller, FileSystem, Vfs};
use std::collections::HashMap;
use std::sync::Arc;

fn geometry(device: &dyn Device) -> Geometry {
    superblocks::read(device).unwrap().geometry
}

/// Looks at all states of a run, `samples` power cuts at each point, with `HN4_LONG`, else at some 200 of them.
fn all_states(name: &str, run: &Run, samples: u64) {
    let all = run.trace.cuts().len() as u64 * (samples + 2);
    let one_in = if std::env::var_os("HN4_LONG").is_some() { 1 } else { (all / 200).max(1) };
    let figures =
        explore(name, run, &Plan { samples, one_in, deep_one_in: 10, read_one_in: 20, seed: 1 }, None);
    assert!(figures.failures.is_empty(), "{}", figures.failures.join("\n"));
}

/// Device blocks of a write, if the event begins one.
fn written(event: &Event) -> Option<(BlockNumber, &Arc<[u8]>)> {
    match event {
        Event::WriteBegin { at, data, .. } => Some((*at, data)),
        _ => None,
    }
}

/// The blocks of the data window that a trace wrote, each with how often.
fn data_writes(run: &[Event], geometry: &Geometry) -> HashMap<u64, usize> {
    let mut writes = HashMap::new();
    for (at, data) in run.iter().filter_map(written) {
        for i in 0..(data.len() / BLOCK_SIZE) as u64 {
            if let Some(number) = geometry.data_number(at.plus(i)) {
                *writes.entry(number).or_default() += 1;
            }
        }
    }
    writes
}

#[test]
fn a_block_freed_and_reused_across_three_commits_with_the_last_record_torn() {
    let mut rig = Rig::new(&Setup::new(4096));
    let mut lane = rig.lane("");
    let mut rng = Rng::new(1);
    lane.create("/kept").unwrap();
    lane.write("/kept", 0, &bytes(&mut rng, 4096)).unwrap();
    lane.create("/first").unwrap();
    lane.write("/first", 0, &bytes(&mut rng, 8192)).unwrap();
    rig.start_here(&mut lane).unwrap();
    let geometry = geometry(&*rig.memory);
    // Freed by the first commit, proven by the second, written again for the third.
    lane.unlink("/first").unwrap();
    lane.fsync("").unwrap();
    lane.create("/between").unwrap();
    lane.fsync("/between").unwrap();
    lane.syncfs().unwrap();
    lane.create("/proof").unwrap();
    lane.fsync("/proof").unwrap();
    lane.create("/last").unwrap();
    lane.write("/last", 0, &bytes(&mut rng, 12_288)).unwrap();
    lane.fsync("/last").unwrap();
    let old: Vec<u64> = blocks_in_use(&rig.base, &geometry);
    let events = rig.device.trace().events;
    let reused = data_writes(&events, &geometry).keys().any(|number| old.contains(number));
    assert!(reused, "the case did not happen: no block in use at the start was written again");
    all_states("reused", &rig.finish(vec![lane]), 12);
}

/// A transaction that is not proven may still be dropped, and the one before it needs the blocks it freed.
#[test]
fn blocks_that_an_unproven_commit_freed_are_not_written() {
    let rig = Rig::new(&Setup::new(4096));
    let mut lane = rig.lane("");
    let geometry = geometry(&*rig.memory);
    lane.create("/old").unwrap();
    lane.write("/old", 0, &[1; 40_960]).unwrap();
    lane.fsync("/old").unwrap();
    lane.create("/proof").unwrap();
    lane.fsync("/proof").unwrap();
    rig.device.take_trace();
    let old = data_blocks_of(&rig.memory, &geometry, 1);
    assert_eq!(old.len(), 10);
    lane.truncate("/old", 0).unwrap();
    lane.fsync("/old").unwrap();
    lane.create("/new").unwrap();
    lane.write("/new", 0, &[2; 40_960]).unwrap();
    lane.fsync("/new").unwrap();
    let written = data_writes(&rig.device.take_trace().events, &geometry);
    assert!(old.iter().all(|number| !written.contains_key(number)), "freed by a commit that was not proven");
    rig.fs.shutdown().unwrap();
}

/// The data blocks that begin with two bytes of this value.
fn data_blocks_of(device: &MemDevice, geometry: &Geometry, byte: u8) -> Vec<u64> {
    let mut block = AlignedBuf::zeroed(1);
    let all = 0..geometry.data_blocks();
    all.filter(|number| {
        device.read(geometry.data_block(*number), &mut block).unwrap();
        block[..2] == [byte; 2]
    })
    .collect()
}

/// Data blocks in use, as the free map at home says.
fn blocks_in_use(device: &MemDevice, geometry: &Geometry) -> Vec<u64> {
    // The map at home is old: a recovery of a copy brings it up to date.
    let copy = Arc::new(device.snapshot());
    open(copy.clone(), options(true)).unwrap().0.shutdown().unwrap();
    let mut used = Vec::new();
    for number in 0..geometry.data_blocks() {
        let (page, bit) = geometry.free_bit(number);
        let mut image = AlignedBuf::zeroed(1);
        copy.read(geometry.page_block(0, page).unwrap(), &mut image).unwrap();
        if image[bit / 8] >> (bit % 8) & 1 == 1 {
            used.push(number);
        }
    }
    used
}

/// A volume killed behind two synced files; the data blocks of the second one's commit.
fn two_files(prove: bool) -> (MemDevice, Vec<u64>, Geometry) {
    let rig = Rig::new(&Setup::new(4096));
    let mut lane = rig.lane("");
    lane.create("/first").unwrap();
    lane.write("/first", 0, &[1; 20_000]).unwrap();
    lane.fsync("/first").unwrap();
    rig.device.take_trace();
    lane.create("/second").unwrap();
    lane.write("/second", 0, &[2; 20_000]).unwrap();
    lane.fsync("/second").unwrap();
    let geometry = geometry(&*rig.memory);
    let blocks = data_blocks_of(&rig.memory, &geometry, 2);
    assert_eq!(blocks.len(), 5);
    if prove {
        lane.create("/third").unwrap();
        lane.fsync("/third").unwrap();
    }
    let image = rig.memory.snapshot();
    rig.fs.shutdown().unwrap();
    (image, blocks, geometry)
}

#[test]
fn a_data_block_that_rots_in_the_last_unproven_commit_is_dropped_and_reported() {
    let (image, blocks, geometry) = two_files(false);
    flip(&image, geometry.data_block(blocks[2]), 77);
    let (fs, report) = open(Arc::new(image), options(true)).unwrap();
    assert!(report.dropped.is_some(), "{report:?}");
    let tree = read_tree(&fs).unwrap();
    assert_eq!(tree.keys().collect::<Vec<_>>(), ["", "/first"]);
    assert!(tree["/first"].content.iter().all(|byte| *byte == 1) && tree["/first"].attr.size == 20_000);
    fs.shutdown().unwrap();
}

#[test]
fn a_data_block_that_rots_in_a_proven_commit_is_kept_and_reads_as_an_error() {
    let (image, blocks, geometry) = two_files(true);
    flip(&image, geometry.data_block(blocks[2]), 77);
    let (fs, report) = open(Arc::new(image), options(true)).unwrap();
    assert_eq!(report.dropped, None);
    let second = fs.lookup(1, b"second").unwrap();
    assert_eq!(second.size, 20_000);
    let mut block = vec![0; BLOCK_SIZE];
    for index in 0..5u64 {
        let done = fs.read(second.ino, index * BLOCK_SIZE as u64, &mut block);
        match index {
            2 => assert_eq!(done.unwrap_err().errno(), libc::EIO),
            _ => assert!(block[..done.unwrap()].iter().all(|byte| *byte == 2)),
        }
    }
    fs.lookup(1, b"third").unwrap();
    fs.shutdown().unwrap();
}

#[test]
fn a_bad_record_followed_by_a_valid_one_is_damage_not_the_end() {
    let rig = Rig::new(&Setup::new(4096));
    let mut lane = rig.lane("");
    let geometry = geometry(&*rig.memory);
    let mut records = Vec::new();
    for name in ["/a", "/b", "/c"] {
        rig.device.take_trace();
        lane.create(name).unwrap();
        lane.fsync(name).unwrap();
        let in_log = |at: &BlockNumber| {
            (geometry.ring_block(0).0..geometry.ring_block(0).0 + geometry.ring_blocks()).contains(&at.0)
        };
        records
            .extend(rig.device.take_trace().events.iter().filter_map(written).map(|(at, _)| at).find(in_log));
    }
    let image = rig.memory.snapshot();
    rig.fs.shutdown().unwrap();
    assert_eq!(records.len(), 3);
    for bad in [0, 1] {
        let damaged = image.snapshot();
        flip(&damaged, records[bad], 4 * 8 * 200);
        let failed = open(Arc::new(damaged.snapshot()), options(true)).map(drop).unwrap_err();
        assert!(failed.contains("damaged"), "{failed}");
        assert!(read_only_tree(damaged).is_err());
    }
    // The last one is the end, not damage.
    flip(&image, records[2], 4 * 8 * 200);
    let tree = read_only_tree(image).unwrap();
    assert_eq!(tree.keys().collect::<Vec<_>>(), ["", "/a", "/b"]);
}

/// The events of a run that write pages of a metadata copy home.
fn home_writes(run: &Run, copy: usize) -> Vec<usize> {
    let geometry = geometry(&run.base);
    let start = if copy == 0 { geometry.map.copy_a } else { geometry.map.copy_b.unwrap() };
    let inside = |at: BlockNumber| (start.0..start.0 + geometry.copy_pages()).contains(&at.0);
    let events = run.trace.events.iter().enumerate();
    events.filter(|(_, event)| written(event).is_some_and(|(at, _)| inside(at))).map(|(i, _)| i).collect()
}

/// Tears every page of one copy that a checkpoint was writing, in several ways.
fn torn_pages(copy: usize) {
    let case = cases().into_iter().find(|case| case.name == "mixed").unwrap();
    let run = record(&case.setup, case.run, 3);
    let writes = home_writes(&run, copy);
    assert!(writes.len() > 5, "only {} home writes", writes.len());
    let mut progress = Progress::default();
    let mut behind = 0;
    let mut cursor = run.trace.cursor(&run.base);
    for event in writes {
        run.trace.events[behind..=event].iter().for_each(|event| progress.take(event));
        behind = event + 1;
        cursor.advance_to(event);
        let (at, data) = written(&run.trace.events[event]).unwrap();
        for sectors in [1, 3, 7] {
            let image = cursor.everything();
            for (i, page) in data.chunks(BLOCK_SIZE).enumerate() {
                let mut torn = AlignedBuf::zeroed(1);
                image.read(at.plus(i as u64), &mut torn).unwrap();
                torn[..sectors * 512].copy_from_slice(&page[..sectors * 512]);
                image.write(at.plus(i as u64), &torn).unwrap();
            }
            let tree = read_only_tree(image.snapshot()).unwrap();
            check(&run.histories[0], &progress, &tree).unwrap();
            let image = Arc::new(image);
            open(image.clone(), options(true)).unwrap().0.shutdown().unwrap();
            check_volume(&*image).unwrap();
        }
    }
}

#[test]
fn torn_pages_in_copy_a() {
    torn_pages(0);
}

#[test]
fn torn_pages_in_copy_b() {
    torn_pages(1);
}

#[test]
fn a_crash_during_replay_and_one_during_the_replay_after_it() {
    let case = cases().into_iter().find(|case| case.name == "git").unwrap();
    let run = record(&case.setup, case.run, 5);
    // A commit is under way, with much behind it in the log.
    let flushes =
        run.trace.events.iter().enumerate().filter(|(_, event)| matches!(event, Event::FlushBegin { .. }));
    let cut = flushes.map(|(i, _)| i).nth(20).unwrap();
    let mut rng = Rng::new(9);
    for _ in 0..3 {
        let image = run.trace.crash(&run.base, cut, rng.next_u64());
        let tree = read_only_tree(image.snapshot()).unwrap();
        recover_again(&image, &tree, 2, &mut rng);
    }
}

/// Crashes a recovery at each of its writes and flushes, and those recoveries `depth` - 1 times more.
fn recover_again(image: &MemDevice, tree: &Tree, depth: u32, rng: &mut Rng) {
    let memory = Arc::new(image.snapshot());
    let device = Arc::new(RecordingDevice::new(memory));
    let (fs, _) = open(device.clone(), options(true)).unwrap();
    let trace = device.take_trace();
    assert_eq!(*tree, read_tree(&fs).unwrap());
    fs.shutdown().unwrap();
    let mut cursor = trace.cursor(image);
    for cut in trace.cuts() {
        cursor.advance_to(cut);
        let again = cursor.crash(rng.next_u64());
        assert_eq!(*tree, read_only_tree(again.snapshot()).unwrap(), "cut {cut}");
        if depth > 1 {
            recover_again(&again, tree, depth - 1, rng);
        }
    }
}

/// The part of a run from its first home write to the checkpoint block behind its last, at most `most`
/// events long.
fn around_checkpoint(run: Run, most: usize) -> Run {
    let writes = home_writes(&run, 0);
    // The first ones belong to the mount.
    let first = *writes.iter().find(|event| **event > run.trace.events.len() / 4).unwrap_or(&writes[0]);
    cut_out(run, first.saturating_sub(4), most)
}

/// The events from `first` on, over what the events before made durable.
fn cut_out(run: Run, first: usize, most: usize) -> Run {
    let mut events: Vec<Event> = Vec::new();
    let mut base = run.trace.cursor(&run.base);
    base.advance_to(first);
    // Only a moment without unflushed writes makes a base.
    let mut start = first;
    while base.volatile_count() > 0 {
        start += 1;
        base.advance_to(start);
    }
    events
        .extend(run.trace.events[..start].iter().filter(|event| matches!(event, Event::Marker(_))).cloned());
    let end = (start + most).min(run.trace.events.len());
    events.extend_from_slice(&run.trace.events[start..end]);
    let base = base.everything();
    Run { base, trace: hn4_core::device::testing::Trace { events }, histories: run.histories }
}

#[test]
fn a_crash_during_a_checkpoint() {
    let case = cases().into_iter().find(|case| case.name == "mixed").unwrap();
    let run = around_checkpoint(record(&case.setup, case.run, 4), 120);
    assert!(home_writes(&run, 0).len() > 1 && home_writes(&run, 1).len() > 1);
    all_states("checkpoint", &run, 4);
}

#[test]
fn a_crash_while_the_overwrite_area_is_copied_home() {
    let case = cases().into_iter().find(|case| case.name == "area").unwrap();
    let mut rig = Rig::new(&case.setup);
    let mut lane = rig.lane("");
    (case.run)(&mut rig, &mut lane, &mut Rng::new(1)).unwrap();
    let placed = rig.fs.volume.stats().in_area.load(std::sync::atomic::Ordering::Relaxed);
    let geometry = geometry(&*rig.memory);
    assert!(placed > geometry.area_blocks * 3 / 4, "only {placed} blocks went to the area");
    let run = rig.finish(vec![lane]);
    let in_area = |event: &Event| {
        let number = written(event).and_then(|(at, _)| geometry.data_number(at));
        number.is_some_and(|number| number >= geometry.window_blocks)
    };
    // Behind the write that made it three quarters full it is copied home.
    let area: Vec<usize> =
        run.trace.events.iter().enumerate().filter(|(_, e)| in_area(e)).map(|(i, _)| i).collect();
    all_states("area-home", &cut_out(run, area[area.len() * 2 / 3], 300), 2);
}

#[test]
fn a_crash_while_the_reaper_frees_a_large_file() {
    let setup = Setup::new(49_152);
    let mut rig = Rig::new(&setup);
    let mut lane = rig.lane("");
    lane.create("/holey").unwrap();
    // Preallocated behind the end: sparse files, freed by looking each block up, 32,768 at a time.
    lane.fallocate("/holey", 1, 0, 20_000 * 4096).unwrap();
    lane.fallocate("/holey", 1, 30_000 * 4096, 14_000 * 4096).unwrap();
    rig.start_here(&mut lane).unwrap();
    lane.unlink("/holey").unwrap();
    lane.syncfs().unwrap();
    lane.create("/next").unwrap();
    lane.fsync("/next").unwrap();
    let used = |rig: &Rig| rig.fs.statfs().map(|stat| stat.blocks - stat.bfree).unwrap();
    let mut slices = 0;
    while used(&rig) > 100 {
        assert!(slices < 60, "{} blocks are in use", used(&rig));
        lane.create(&format!("/{slices}")).unwrap();
        lane.fsync(&format!("/{slices}")).unwrap();
        slices += 1;
    }
    assert!(slices > 0);
    all_states("reaper", &rig.finish(vec![lane]), 2);
}

#[test]
fn a_kick_chain_cut_anywhere() {
    let mut case = cases().into_iter().find(|case| case.name == "cortex").unwrap();
    case.setup.format.log_blocks = Some(256);
    let mut rig = Rig::new(&case.setup);
    let mut lane = rig.lane("");
    let count = fill_cortex(&rig, &mut lane, 95).unwrap();
    assert!(count > 290, "{count}");
    rig.start_here(&mut lane).unwrap();
    let mut slots = Vec::new();
    for i in 0..16 {
        rig.device.marker("kick");
        let before = rig.device.trace().events.len();
        lane.create(&format!("/kicked{i}")).unwrap();
        lane.fsync(&format!("/kicked{i}")).unwrap();
        slots.push(
            rig.device.trace().events[before..]
                .iter()
                .filter_map(written)
                .map(|(_, data)| slots_in(data))
                .max()
                .unwrap(),
        );
    }
    // The file and its directory take two slots; more means that others moved.
    assert!(slots.iter().any(|count| *count > 2), "nothing was kicked: {slots:?}");
    all_states("kicks", &rig.finish(vec![lane]), 6);
}

/// SLOT items of a log record (0 for other blocks).
fn slots_in(data: &[u8]) -> usize {
    use hn4_core::format::layout as l;
    let Some(header) = l::LogRecord::decode(data).filter(|header| u64::from(header.magic) == l::RECORD_MAGIC)
    else {
        return 0;
    };
    let (mut at, mut count) = (l::LogRecord::SIZE, 0);
    while at < header.length as usize {
        let kind = u16::from_le_bytes(data[at..at + 2].try_into().unwrap());
        count += usize::from(kind == l::ITEM_TYPE_SLOT);
        at += u32::from_le_bytes(data[at + 4..at + 8].try_into().unwrap()) as usize;
    }
    count
}

#[test]
fn a_full_log_under_load() {
    within(120, "a full log", || {
        let mut setup = Setup::new(16_384);
        setup.sequential = false;
        let rig = Rig::new(&setup);
        std::thread::scope(|scope| {
            for thread in 0..4u64 {
                let fs = rig.fs.clone();
                scope.spawn(move || load(&fs, thread));
            }
        });
        let checkpoints = rig.fs.volume.stats().checkpoints.load(std::sync::atomic::Ordering::Relaxed);
        assert!(checkpoints > 5, "only {checkpoints} checkpoints");
        rig.fs.shutdown().unwrap();
        check_volume(&*rig.memory).unwrap();
    });
}

fn load(fs: &FileSystem, thread: u64) {
    let who = Caller::default();
    for i in 0..600u64 {
        let name = format!("{thread}-{}", i % 50);
        let _ = fs.unlink(1, name.as_bytes());
        let ino = fs.mknod(1, name.as_bytes(), libc::S_IFREG | 0o600, 0, &who).unwrap().ino;
        fs.write(ino, 0, &vec![i as u8; (i * 97 % 30_000) as usize + 1], false).unwrap();
        fs.fsync(ino, false).unwrap();
        fs.forget(ino, 1);
    }
}
