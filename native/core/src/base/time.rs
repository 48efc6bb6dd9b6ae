//! The clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// Now, ns since 1970.
pub fn now_ns() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_nanos()).unwrap_or(i64::MAX),
    }
}

/// A time as a birth time is stored: seconds since 1970 in 32 bits, and nanoseconds. What does not fit becomes the
/// nearest that does.
pub fn birth_time(ns: i64) -> (u32, u32) {
    const PER_SECOND: i64 = 1_000_000_000;
    match u32::try_from(ns.div_euclid(PER_SECOND)) {
        Ok(seconds) => (seconds, ns.rem_euclid(PER_SECOND) as u32),
        Err(_) if ns < 0 => (0, 0),
        Err(_) => (u32::MAX, 999_999_999),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_birth_outside_its_field_is_the_nearest_inside() {
        for (ns, birth) in [
            (-1, (0, 0)),
            (i64::MIN, (0, 0)),
            (0, (0, 0)),
            (1_000_000_002, (1, 2)),
            (4_294_967_295_999_999_999, (u32::MAX, 999_999_999)),
            (4_294_967_296_000_000_000, (u32::MAX, 999_999_999)),
            (i64::MAX, (u32::MAX, 999_999_999)),
        ] {
            assert_eq!(birth_time(ns), birth, "{ns}");
        }
    }
}
