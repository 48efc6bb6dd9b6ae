//! Nanoseconds of the `Vfs` and (seconds, nanoseconds) of the wire.

use hn4_core::vfs::api::TimeNs;

const PER_SECOND: i64 = 1_000_000_000;

/// Seconds (negative before 1970) and nanoseconds (0 to 999,999,999).
pub fn seconds(time: TimeNs) -> (i64, u32) {
    (time.div_euclid(PER_SECOND), time.rem_euclid(PER_SECOND) as u32)
}

/// The other way; times outside the years 1678 to 2262 become the nearest one inside.
pub fn nanoseconds(sec: i64, nsec: u32) -> TimeNs {
    let exact = i128::from(sec) * i128::from(PER_SECOND) + i128::from(nsec);
    exact.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as TimeNs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_1970_keep_their_nanoseconds() {
        assert_eq!(seconds(-1), (-1, 999_999_999));
        assert_eq!(nanoseconds(-1, 999_999_999), -1);
        for time in [0, 1, -1_500_000_000, i64::MAX, i64::MIN] {
            let (sec, nsec) = seconds(time);
            assert_eq!(nanoseconds(sec, nsec), time);
        }
        assert_eq!(nanoseconds(i64::MAX, 0), i64::MAX);
        assert_eq!(nanoseconds(i64::MIN, u32::MAX), i64::MIN);
    }
}
