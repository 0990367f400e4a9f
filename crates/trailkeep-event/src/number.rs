//! Numbers: integers of at most 2^53 - 1 in size, and doubles in their shortest form.

use crate::position::Admission;
use crate::push::{PIECE, push_start};
use crate::{Rejection, RejectionCode};

/// The most digits of an integer.
const DIGITS: usize = 20;

/// Appends an integer.
pub(crate) fn write_int(out: &mut Vec<u8>, value: i64) {
    // Bytes of no meaning follow the digits, so that they are pushed as one piece.
    let mut text = [0_u8; DIGITS + PIECE];
    let mut rest = value.unsigned_abs();
    let mut n_digits = 0_usize;
    for slot in text.iter_mut().take(DIGITS).rev() {
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
    let digits = text.get(DIGITS.saturating_sub(n_digits)..).unwrap_or(&[]);
    push_start(out, digits, n_digits);
}

/// As many digits are always below 2^53.
const SHORT_DIGITS: usize = 15;

/// Parses the digits at the front, where they are an integer of few digits, and returns how many.
#[inline]
pub(crate) fn leading_integer(text: &[u8]) -> Option<(i64, usize)> {
    let (mut value, mut len) = (0_i64, 0_usize);
    // One more than fits, so that more digits are seen.
    for byte in text.iter().take(SHORT_DIGITS.wrapping_add(1)) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        value = value.wrapping_mul(10).wrapping_add(i64::from(digit));
        len = len.wrapping_add(1);
    }
    let zero_leads = len > 1 && text.first() == Some(&b'0');
    ((1..=SHORT_DIGITS).contains(&len) && !zero_leads).then_some((value, len))
}

/// Parses a token that is an integer of few digits without a sign.
#[inline]
pub(crate) fn short_integer(token: &str) -> Option<i64> {
    let (value, len) = leading_integer(token.as_bytes())?;
    (len == token.len()).then_some(value)
}

/// Parses an integer token (no fraction, no exponent) of at most 2^53 - 1 in size.
pub(crate) fn integer(token: &str) -> Option<Admission<i64>> {
    if let Some(value) = short_integer(token) {
        return Some(Ok(value));
    }
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
    if short_integer(token).is_some() {
        // No sign and no leading zero: the token is the canonical form.
        out.extend_from_slice(token.as_bytes());
        return Ok(());
    }
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
