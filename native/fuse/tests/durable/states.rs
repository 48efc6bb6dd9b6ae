//! The states that a power cut may leave of a recording, and what the program had said by then.

use crate::recorded::Recording;
use hn4_core::device::testing::MemDevice;
use hn4_core::testing::Rng;
use std::path::Path;

/// States of each cut: all arrived, nothing unflushed arrived, and power cuts.
const SAMPLES: u64 = 4;

/// Looks at about `wanted` states; `look` gets each with the number of events before it. Panics at the
/// first that is wrong, and keeps its image where HN4_CRASH_DIR says: a mount has threads of its own,
/// so a second run leaves other states.
pub fn each(
    name: &str,
    recording: &Recording,
    seed: u64,
    wanted: u64,
    mut look: impl FnMut(usize, MemDevice) -> Result<(), String>,
) -> u64 {
    let cuts = recording.trace.cuts();
    let one_in = (cuts.len() as u64 * SAMPLES / wanted).max(1);
    let mut cursor = recording.trace.cursor(&recording.base);
    let mut rng = Rng::new(seed);
    let mut looked_at = 0;
    for cut in cuts {
        cursor.advance_to(cut);
        for sample in 0..SAMPLES {
            if !rng.chance(1, one_in) {
                continue;
            }
            let image = cursor.sample(sample, rng.next_u64());
            looked_at += 1;
            let saved = image.snapshot();
            if let Err(text) = look(cut, image) {
                if let Some(dir) = std::env::var_os("HN4_CRASH_DIR") {
                    let file = format!("{name}-{seed}-{cut}-{sample}.img");
                    saved.save(&Path::new(&dir).join(file)).expect("HN4_CRASH_DIR");
                }
                panic!("{name}, seed {seed}, cut {cut}, sample {sample}: {text}");
            }
        }
    }
    looked_at
}
