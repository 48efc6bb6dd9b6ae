//! How a mount stands, as one plain object, and the lines that it has given out.

use crate::log;
use hn4_core::volume::Volume;
use napi_derive::napi;
use parking_lot::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

/// How a mount stands now. Numbers are exact below 2^53.
#[napi(object)]
pub struct MountState {
    pub read_only: bool,
    /// Why the volume stopped writing; undefined while it has not.
    pub stopped: Option<String>,
    pub log_blocks: f64,
    /// Blocks of the log that hold what is not in its place yet.
    pub log_held: f64,
    /// Blocks written by programs that have no place yet.
    pub delayed_blocks: f64,
    /// Lines about trouble since the mount, and the last one.
    pub lines: f64,
    pub last_line: Option<String>,
    /// When that was, in milliseconds since 1970.
    pub last_line_ms: Option<f64>,
}

/// The lines of one mount: each goes to the log, the last is kept for whoever asks.
#[derive(Default)]
pub struct Lines(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    count: u64,
    last: Option<(String, f64)>,
}

impl Lines {
    /// `about` begins the line in the log, which may hold those of several mounts.
    pub fn line(&self, about: &str, text: &str) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_millis() as f64);
        {
            let mut kept = self.0.lock();
            kept.count += 1;
            kept.last = Some((text.to_string(), now));
        }
        log::line(&format!("{about}{text}"));
    }
}

pub fn state(volume: &Volume, lines: &Lines) -> MountState {
    let condition = volume.condition();
    let kept = lines.0.lock();
    let (last_line, last_line_ms) = kept.last.clone().unzip();
    MountState {
        read_only: volume.options.read_only,
        stopped: condition.stopped.map(|error| match error.detail() {
            "" => error.to_string(),
            why => why.to_string(),
        }),
        log_blocks: condition.log_blocks as f64,
        log_held: condition.log_held as f64,
        delayed_blocks: condition.delayed_blocks as f64,
        lines: kept.count as f64,
        last_line,
        last_line_ms,
    }
}
