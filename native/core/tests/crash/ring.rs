//! Blocks of the log are written again only when the tail that left them behind is durable.

use crate::rig::{Rig, Setup};
use crate::workloads::bytes;
use hn4_core::device::testing::{Event, Trace};
use hn4_core::format::Geometry;
use hn4_core::format::layout as l;
use hn4_core::superblocks;
use hn4_core::testing::Rng;
use hn4_core::vfs::Vfs;
use std::collections::HashMap;
use std::sync::atomic::Ordering;

/// Where the log ends and begins, counted on over the ring's end.
struct Walk<'a> {
    geometry: &'a Geometry,
    head: u64,
    tail: u64,
    /// The newest checkpoint block's generation and tail: written, under a flush, durable.
    written: (u64, u64),
    flushing: HashMap<u64, (u64, u64)>,
    durable: (u64, u64),
    begun: bool,
}

impl Walk<'_> {
    fn take(&mut self, event: &Event) -> Result<(), String> {
        match event {
            Event::WriteBegin { at, data, .. } => {
                let places = [0, 1].map(|slot| self.geometry.checkpoint_blocks(slot)).concat();
                if places.contains(at) {
                    let block = l::Checkpoint::decode(data).ok_or("a short checkpoint block")?;
                    self.written = self.written.max((block.generation, block.tail));
                } else if let Some(record) =
                    l::LogRecord::decode(data).filter(|record| u64::from(record.magic) == l::RECORD_MAGIC)
                {
                    self.record(at.0 - self.geometry.ring_block(0).0, u64::from(record.blocks))?;
                }
            }
            Event::FlushBegin { id } => {
                self.flushing.insert(*id, self.written);
            }
            Event::End { id, ok: true } => {
                self.durable = self.durable.max(self.flushing.remove(id).unwrap_or_default());
            }
            _ => {}
        }
        Ok(())
    }

    fn record(&mut self, position: u64, blocks: u64) -> Result<(), String> {
        let ring = self.geometry.ring_blocks();
        if !std::mem::replace(&mut self.begun, true) {
            (self.head, self.tail, self.durable.1) = (position, position, position);
        }
        let (_, tail) = self.durable;
        self.tail += (tail + ring - self.tail % ring) % ring;
        if position != self.head % ring {
            return Err(format!("a record at {position}, the log ends at {}", self.head % ring));
        }
        self.head += blocks;
        if self.head - self.tail > ring {
            return Err(format!("a record at {position} over what replay from {tail} needs"));
        }
        Ok(())
    }
}

/// Returns how often the log went round.
fn walk(trace: &Trace, geometry: &Geometry) -> Result<u64, String> {
    let (written, durable, flushing) = ((0, 0), (0, 0), HashMap::new());
    let mut walk = Walk { geometry, head: 0, tail: 0, written, flushing, durable, begun: false };
    trace.events.iter().try_for_each(|event| walk.take(event))?;
    Ok(walk.head / geometry.ring_blocks())
}

#[test]
fn log_blocks_are_free_only_when_the_new_tail_is_durable() {
    let mut setup = Setup::new(16_384);
    setup.format.log_blocks = Some(256);
    let rig = Rig::new(&setup);
    let geometry = superblocks::read(&*rig.memory).unwrap().geometry;
    rig.device.take_trace();
    let mut lane = rig.lane("");
    let mut rng = Rng::new(3);
    for i in 0..900 {
        let path = format!("/f{}", i % 40);
        if lane.exists(&path) {
            lane.unlink(&path).unwrap();
        }
        lane.create(&path).unwrap();
        let size = rng.below(3000);
        lane.write(&path, 0, &bytes(&mut rng, size + 1)).unwrap();
        lane.fsync(&path).unwrap();
    }
    let checkpoints = rig.fs.volume.stats().checkpoints.load(Ordering::Relaxed);
    let turns = walk(&rig.device.take_trace(), &geometry).unwrap();
    assert!(turns > 1 && checkpoints > 5, "the log went round {turns} times, {checkpoints} checkpoints");
    rig.fs.shutdown().unwrap();
}
