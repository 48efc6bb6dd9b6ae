//! Writes down everything that reaches a device.

use super::counting::{CountingDevice, Counts};
use super::event::Event;
use super::trace::Trace;
use crate::base::{BlockNumber, Result};
use crate::device::{Device, Outside};
use parking_lot::Mutex;
use std::sync::Arc;

/// Passes everything on and records writes, discards and flushes with their data. It grows with
/// every write: for tests that end.
pub struct RecordingDevice {
    inner: CountingDevice,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    trace: Trace,
    next_id: u64,
}

impl RecordingDevice {
    pub fn new(inner: Arc<dyn Device>) -> RecordingDevice {
        RecordingDevice { inner: CountingDevice::new(inner), log: Mutex::default() }
    }

    /// Notes something that the test wants to find again in the trace.
    pub fn marker(&self, text: impl Into<String>) {
        self.log.lock().trace.events.push(Event::Marker(text.into()));
    }

    /// A copy of the events so far (their data is shared).
    pub fn trace(&self) -> Trace {
        self.log.lock().trace.clone()
    }

    /// The events so far; the next trace starts empty. Call it when nothing is under way.
    pub fn take_trace(&self) -> Trace {
        std::mem::take(&mut self.log.lock().trace)
    }

    /// Calls and bytes since the beginning.
    pub fn counts(&self) -> Counts {
        self.inner.counts()
    }

    fn recorded(&self, begin: impl FnOnce(u64) -> Event, act: impl FnOnce() -> Result<()>) -> Result<()> {
        let id = {
            let mut log = self.log.lock();
            log.next_id += 1;
            let id = log.next_id;
            log.trace.events.push(begin(id));
            id
        };
        let result = act();
        self.log.lock().trace.events.push(Event::End { id, ok: result.is_ok() });
        result
    }
}

impl Device for RecordingDevice {
    fn block_count(&self) -> u64 {
        self.inner.block_count()
    }
    fn read(&self, at: BlockNumber, buf: &mut [u8]) -> Result<()> {
        self.inner.read(at, buf)
    }
    fn write(&self, at: BlockNumber, buf: &[u8]) -> Result<()> {
        self.write_vectored(at, &[buf])
    }
    fn write_vectored(&self, at: BlockNumber, bufs: &[&[u8]]) -> Result<()> {
        // Checked before it is recorded, for a trace is replayed without asking again.
        crate::device::bounds::check_all(self.block_count(), at, bufs)?;
        let data: Arc<[u8]> = bufs.concat().into();
        self.recorded(|id| Event::WriteBegin { id, at, data }, || self.inner.write_vectored(at, bufs))
    }
    fn flush(&self) -> Result<()> {
        self.recorded(|id| Event::FlushBegin { id }, || self.inner.flush())
    }
    fn discard(&self, at: BlockNumber, count: u64) -> Result<()> {
        crate::device::bounds::check_blocks(self.block_count(), at, count)?;
        self.recorded(|id| Event::DiscardBegin { id, at, count }, || self.inner.discard(at, count))
    }
    fn read_only(&self) -> bool {
        self.inner.read_only()
    }
    fn outside(&self, thorough: bool) -> Result<Outside> {
        self.inner.outside(thorough)
    }
}
