//! Milliseconds with decimals, read as whole microseconds.

use crate::field::INT_MAX;
use crate::number::leading_integer;
use crate::position::Admission;
use crate::{Rejection, RejectionCode as Code};

/// Turns a token like `12.345` into whole microseconds; what is finer is dropped.
pub(super) fn micros_of_millis(token: &str) -> Admission<i64> {
    let out_of_range = || {
        let detail = format!("a duration is between 0 and {INT_MAX} us");
        Rejection::new(Code::OutOfRange, detail)
    };
    if let Some(micros) = usual_micros(token) {
        return Ok(micros);
    }
    if token.starts_with('-') {
        return Err(out_of_range());
    }
    let (plain, exponent) = token.split_once(['e', 'E']).unwrap_or((token, "0"));
    let exponent: i64 = exponent.parse().unwrap_or(i64::MAX);
    let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
    // Decimal digits only: shift the point by the exponent and by the three places to
    // microseconds, so that 0.1 + 0.2 style surprises of doubles cannot happen.
    let digits: String = [whole, fraction].concat();
    let whole_len = i64::try_from(whole.len()).unwrap_or(i64::MAX);
    let point = whole_len.saturating_add(exponent).saturating_add(3);
    let significant = digits.trim_start_matches('0');
    let leading = digits.len().saturating_sub(significant.len());
    let n_kept = point.saturating_sub(i64::try_from(leading).unwrap_or(i64::MAX));
    if significant.is_empty() || n_kept <= 0 {
        return Ok(0);
    }
    let n_kept = usize::try_from(n_kept).ok().filter(|n| *n <= 16).ok_or_else(out_of_range)?;
    let kept: String = significant.chars().chain(std::iter::repeat('0')).take(n_kept).collect();
    let micros: i64 = kept.parse().map_err(|_error| out_of_range())?;
    if micros <= INT_MAX { Ok(micros) } else { Err(out_of_range()) }
}

/// Reads a token without a sign and an exponent whose whole part is short; where it is another,
/// or out of range, tells nothing.
fn usual_micros(token: &str) -> Option<i64> {
    let (mut micros, len) = leading_integer(token.as_bytes())?;
    let fraction = match token.as_bytes().get(len..)? {
        [b'.', fraction @ ..] if fraction.iter().all(u8::is_ascii_digit) => fraction,
        [] => &[],
        _ => return None,
    };
    for place in 0..3 {
        let digit = fraction.get(place).map_or(0, |digit| digit.wrapping_sub(b'0'));
        micros = micros.checked_mul(10)?.checked_add(i64::from(digit))?;
    }
    (micros <= INT_MAX).then_some(micros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_usual_way_and_the_exact_way_agree(
            token in "(0|[1-9][0-9]{0,17})(\\.[0-9]{1,8})?",
        ) {
            // An exponent of nothing takes the exact way.
            let exact = micros_of_millis(&format!("{token}e0"));
            prop_assert_eq!(micros_of_millis(&token), exact);
        }
    }
}
