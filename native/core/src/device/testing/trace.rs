//! What happened to a device, event by event, and where a power cut is worth a look.

use super::crash::CrashCursor;
use super::event::Event;
use super::mem::MemDevice;

/// The events so far. A *cut* is a number of events: the power fails after that many.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    pub events: Vec<Event>,
}

impl Trace {
    /// The cuts that differ in what the disk may hold: the start, after each write or discard
    /// began, after each flush or marker, and the end.
    pub fn cuts(&self) -> Vec<usize> {
        let flushes: std::collections::HashSet<u64> = self
            .events
            .iter()
            .filter_map(|event| if let Event::FlushBegin { id } = event { Some(*id) } else { None })
            .collect();
        let worth = |event: &Event| match event {
            Event::WriteBegin { .. } | Event::DiscardBegin { .. } | Event::Marker(_) => true,
            Event::End { id, ok } => *ok && flushes.contains(id),
            Event::FlushBegin { .. } => false,
        };
        let after = self.events.iter().enumerate().filter(|(_, event)| worth(event)).map(|(i, _)| i + 1);
        let mut cuts: Vec<usize> = std::iter::once(0).chain(after).chain([self.events.len()]).collect();
        cuts.dedup();
        cuts
    }

    /// The markers that were said before the cut.
    pub fn markers(&self, cut: usize) -> impl Iterator<Item = &str> {
        self.events[..cut].iter().filter_map(|event| match event {
            Event::Marker(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// Walks the trace over `base`, the device's content when recording began.
    pub fn cursor(&self, base: &MemDevice) -> CrashCursor<'_> {
        CrashCursor::new(&self.events, base)
    }

    /// The device after `cut` events with every write on it: a kill of the process, not of the power.
    pub fn image(&self, base: &MemDevice, cut: usize) -> MemDevice {
        let mut cursor = self.cursor(base);
        cursor.advance_to(cut);
        cursor.everything()
    }

    /// One of the devices that a power cut may leave; the same for the same seed.
    pub fn crash(&self, base: &MemDevice, cut: usize, seed: u64) -> MemDevice {
        let mut cursor = self.cursor(base);
        cursor.advance_to(cut);
        cursor.crash(seed)
    }

    /// Visits `samples` power cuts at every cut worth a look. To replay one that fails, give its cut
    /// and seed to [`Trace::crash`].
    pub fn each_crash(&self, base: &MemDevice, samples: u64, seed: u64, mut visit: impl FnMut(CrashState)) {
        let mut cursor = self.cursor(base);
        for cut in self.cuts() {
            cursor.advance_to(cut);
            for sample in 0..samples {
                let seed = seed.wrapping_add((cut as u64) << 20).wrapping_add(sample);
                visit(CrashState { cut, seed, image: cursor.crash(seed) });
            }
        }
    }
}

/// A device after a power cut.
pub struct CrashState {
    pub cut: usize,
    pub seed: u64,
    pub image: MemDevice,
}
