//! A volume under test: made, recorded, and looked at after a crash.

use crate::lane::{History, Lane};
use hn4_core::base::Result;
use hn4_core::device::Device;
use hn4_core::device::testing::{Discard, MemDevice, RecordingDevice, Trace};
use hn4_core::format::DescriptorTable;
use hn4_core::testing::{FormatOptions, Rng, codec_of, formatted, try_open};
use hn4_core::vfs::{FileSystem, Vfs};
use hn4_core::volume::{OpenOptions, OpenReport};
use std::sync::Arc;

/// A volume to be made.
#[derive(Clone)]
pub struct Setup {
    pub format: FormatOptions,
    /// The same trace for the same seed; else threads and timers as in use.
    pub sequential: bool,
    /// Freed blocks are discarded at once, and read as noise from then on.
    pub discard: bool,
}

impl Setup {
    /// `blocks` blocks, the smallest log, so that checkpoints come often.
    pub fn new(blocks: u64) -> Setup {
        Setup { format: FormatOptions::smallest_log(blocks), sequential: true, discard: false }
    }

    /// Blocks are stored as the test codec stores them.
    pub fn coded(mut self) -> Setup {
        self.format.descriptor_size = DescriptorTable::STAMPED.size;
        self
    }
}

pub fn options(sequential: bool) -> OpenOptions {
    OpenOptions { sequential, codec: Some(codec_of), ..OpenOptions::default() }
}

pub fn open(
    device: Arc<dyn Device>,
    options: OpenOptions,
) -> std::result::Result<(Arc<FileSystem>, OpenReport), String> {
    let (fs, report) = try_open(device, options).map_err(|error| format!("does not open: {error}"))?;
    Ok((Arc::new(fs), report))
}

/// A recorded life of a volume.
pub struct Run {
    pub base: MemDevice,
    pub trace: Trace,
    pub histories: Vec<History>,
}

/// A recorded volume in use.
pub struct Rig {
    pub memory: Arc<MemDevice>,
    pub device: Arc<RecordingDevice>,
    pub fs: Arc<FileSystem>,
    /// The device when recording began.
    pub base: MemDevice,
}

impl Rig {
    pub fn new(setup: &Setup) -> Rig {
        let with = OpenOptions { discard: setup.discard, ..options(setup.sequential) };
        Rig::over(setup, with, |memory| memory)
    }

    /// With a device between the recording one and the memory.
    pub fn over<D: Device + 'static>(
        setup: &Setup,
        options: OpenOptions,
        device: impl FnOnce(Arc<MemDevice>) -> Arc<D>,
    ) -> Rig {
        let memory = Arc::new(formatted(&setup.format).snapshot().discarding(Discard::Junk));
        let base = memory.snapshot();
        let device = Arc::new(RecordingDevice::new(device(memory.clone())));
        let (fs, _) = open(device.clone(), options).unwrap();
        Rig { memory, device, fs, base }
    }

    pub fn lane(&self, root: &str) -> Lane {
        Lane::new(&self.fs, &self.device, root)
    }

    /// Forgets the trace so far: the lane's present state is durable.
    pub fn start_here(&mut self, lane: &mut Lane) -> Result<()> {
        lane.syncfs()?;
        self.restart();
        lane.mark_all();
        Ok(())
    }

    /// The trace begins here. Call when nothing is under way and all is synced.
    pub fn restart(&mut self) {
        self.device.take_trace();
        self.base = self.memory.snapshot();
    }

    /// Closes the volume.
    pub fn finish(self, lanes: Vec<Lane>) -> Run {
        self.fs.shutdown().unwrap();
        let histories = lanes.into_iter().map(|lane| lane.history).collect();
        Run { base: self.base, trace: self.device.take_trace(), histories }
    }
}

/// What a program does in the lane of the root directory. Ends with the first error.
pub type Workload = fn(&mut Rig, &mut Lane, &mut Rng) -> Result<()>;

pub fn record(setup: &Setup, workload: Workload, seed: u64) -> Run {
    let mut rig = Rig::new(setup);
    let mut lane = rig.lane("");
    workload(&mut rig, &mut lane, &mut Rng::new(seed)).unwrap();
    rig.finish(vec![lane])
}
