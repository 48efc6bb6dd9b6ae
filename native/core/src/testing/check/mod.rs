//! Checks a whole volume against docs/format.md, from the bytes on the device: for tests. It shares
//! no code with the engine's volume, only the modules of the format itself, and writes nothing.

mod blocks;
mod files;
mod image;
mod shape;
mod tree;

use crate::base::{Code, Error, Result};
use crate::device::Device;
use crate::format::{BlockCodec, DescriptorTable, Geometry, Window};
use crate::testing::codec_of;
use blocks::{Blocks, Held};
use files::Files;
use image::Image;
use std::sync::Arc;

/// What a sound volume holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Slots in use.
    pub files: u64,
    pub live_blocks: u64,
    /// Extension units in use.
    pub units: u64,
    pub window_blocks: u64,
    pub reserve_blocks: u64,
    /// Closed: nothing to replay.
    pub clean: bool,
    /// Log records replayed in memory.
    pub replayed: u64,
    /// A last record whose data had not arrived: its transaction never happened.
    pub dropped: Option<u64>,
    /// Live blocks at shell 0 of the anchor's equation, at shell 1, in the overwrite area, and at shell 0
    /// of a segment.
    pub at_home: u64,
    pub at_shell: u64,
    pub in_area: u64,
    pub in_segment: u64,
    pub segments: u64,
}

impl Report {
    /// What `statfs` must show as `f_bfree` when nothing is delayed.
    pub fn free_blocks(&self) -> u64 {
        self.window_blocks - self.live_blocks
    }
}

/// Problems found so far; more than this many are not worth reading.
const PROBLEMS_MAX: usize = 50;

/// What every part of the check works with.
struct Context<'a> {
    device: &'a dyn Device,
    geometry: Geometry,
    codec: Arc<dyn BlockCodec>,
    window: Window,
    problems: Vec<String>,
    report: Report,
}

impl Context<'_> {
    /// Reads a written block and turns it into its plain bytes. Error: it cannot be read, or is not as its
    /// descriptor says.
    fn read_block(&self, held: &Held, buf: &mut [u8]) -> Result<()> {
        let descriptor = &held.descriptor;
        self.device.read(self.geometry.data_block(held.data.0), buf)?;
        let loaded = self.codec.load(&descriptor.place(), &[descriptor.stamp], buf);
        loaded.map_err(|fault| Error::new(Code::DataDamaged, format!("{:?}", fault.kind)))
    }
    fn problem(&mut self, text: String) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(text);
        }
    }
    fn demand(&mut self, holds: bool, text: impl FnOnce() -> String) {
        if !holds {
            self.problem(text());
        }
    }
    /// The value, or one problem more.
    fn take<T>(&mut self, result: Result<T>, what: &str) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem(format!("{what}: {error}"));
                None
            }
        }
    }
}

/// Checks everything. Errors: each rule broken, in words (at most 50).
pub fn check_volume(device: &dyn Device) -> std::result::Result<Report, Vec<String>> {
    let stop = |error: crate::base::Error| vec![error.to_string()];
    let opened = crate::superblocks::read_for(device, &DescriptorTable::ALL).map_err(stop)?;
    let geometry = opened.geometry.clone();
    let window = Window::new(
        crate::base::BlockNumber(geometry.window_start),
        geometry.window_blocks,
        geometry.area_blocks,
    )
    .map_err(stop)?;
    let report = Report {
        window_blocks: geometry.window_blocks,
        reserve_blocks: geometry.reserve_blocks,
        ..Report::default()
    };
    let codec = codec_of(&geometry);
    let mut context = Context { device, geometry, codec, window, problems: Vec::new(), report };
    let image = Image::load(&mut context).map_err(stop)?;
    let blocks = Blocks::load(&mut context, &image);
    let files = Files::load(&mut context, &image);
    for file in files.by_number.values() {
        shape::check(&mut context, file, blocks.of(file.number()));
    }
    for (owner, held) in &blocks.by_owner {
        context.demand(files.by_number.contains_key(owner), || {
            format!("{} live blocks belong to file {owner}, which has no anchor", held.len())
        });
    }
    tree::check(&mut context, &files, &blocks);
    let counters = image.counters;
    let found = (context.report.live_blocks, context.report.files, context.report.units);
    context.demand(found == (counters.live_blocks, counters.files, counters.units), || {
        format!(
            "counters: live_blocks {}, files {}, units {}; found {found:?}",
            counters.live_blocks, counters.files, counters.units
        )
    });
    let highest = files.by_number.keys().next_back().copied().unwrap_or(0);
    context.demand(highest < counters.next_number, || {
        format!("file {highest} exists, next_number is {}", counters.next_number)
    });
    if context.problems.is_empty() { Ok(context.report) } else { Err(context.problems) }
}
