//! Numbers for people.

use std::time::Duration;

/// Returns a count as a floating-point number, exact to 53 bits.
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "a figure has few digits")]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

/// Returns a length as a number that is counted with.
pub(crate) fn long(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

/// Returns how many events a second were done.
pub(crate) fn per_second(n_events: u64, took: Duration) -> f64 {
    float(n_events) / took.as_secs_f64().max(1e-9)
}

/// Returns how many microseconds one event took.
pub(crate) fn micros_each(n_events: u64, took: Duration) -> f64 {
    took.as_secs_f64() * 1e6 / float(n_events.max(1))
}

/// Returns a duration in milliseconds.
pub(crate) fn millis(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}

/// Returns bytes in MiB.
pub(crate) fn mebibytes(bytes: u64) -> f64 {
    float(bytes) / 1_048_576.0
}

/// Writes a number with as many digits as a reader can use.
pub(crate) fn show(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 1000.0 => 0,
        size if size >= 100.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_computed_and_shown() {
        assert_eq!(show(per_second(3000, Duration::from_millis(500))), "6000");
        assert_eq!(show(micros_each(2000, Duration::from_millis(5))), "2.50");
        assert_eq!(show(mebibytes(1 << 19)), "0.500");
        assert_eq!(show(123.45), "123.5");
    }
}
