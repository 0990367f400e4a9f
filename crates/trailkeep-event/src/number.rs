//! Numbers: integers of at most 2^53 - 1 in size, and doubles in their shortest form.

use crate::position::Admission;
use crate::{Rejection, RejectionCode};

/// Appends an integer.
pub(crate) fn write_int(out: &mut Vec<u8>, value: i64) {
    let mut digits = [0_u8; 20];
    let mut rest = value.unsigned_abs();
    let mut n_digits = 0_usize;
    for slot in digits.iter_mut().rev() {
        *slot = b'0'.wrapping_add(u8::try_from(rest.rem_euclid(10)).unwrap_or(0));
        rest = rest.div_euclid(10);
        n_digits = n_digits.saturating_add(1);
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(digits.get(digits.len().saturating_sub(n_digits)..).unwrap_or(&[]));
}

/// Parses an integer token (no fraction, no exponent) of at most 2^53 - 1 in size.
pub(crate) fn integer(token: &str) -> Option<Admission<i64>> {
    if token.contains(['.', 'e', 'E']) {
        return None;
    }
    let value = token.parse::<i64>().ok().filter(|v| v.unsigned_abs() < 1 << 53);
    Some(value.ok_or_else(|| {
        let short: String = token.chars().take(40).collect();
        let detail = format!("{short} is beyond 2^53-1; send it as a string");
        Rejection::new(RejectionCode::NumberTooLarge, detail)
    }))
}

/// Appends a number token in its canonical form: the shortest that reads back as the same double.
pub(crate) fn write_number(out: &mut Vec<u8>, token: &str) -> Admission<()> {
    if let Some(value) = integer(token) {
        write_int(out, value?);
        return Ok(());
    }
    let double: f64 = token.parse().unwrap_or(f64::INFINITY);
    if !double.is_finite() {
        let detail = "the number is beyond a double's range; send it as a string";
        return Err(Rejection::new(RejectionCode::NumberTooLarge, detail));
    }
    // Its canonical form would be an integer beyond 2^53 - 1, which no reader may trust.
    if (9_007_199_254_740_992.0..1e21).contains(&double.abs()) {
        let detail = "the number is written as an integer beyond 2^53-1; send it as a string";
        return Err(Rejection::new(RejectionCode::NumberTooLarge, detail));
    }
    out.extend_from_slice(ryu_js::Buffer::new().format_finite(double).as_bytes());
    Ok(())
}
