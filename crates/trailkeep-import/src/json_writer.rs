//! Writes JSON: a record's values as they were, with too large numbers as strings.

use crate::json::Value;

/// The digits that every integer within 2^53 - 1 has at most.
const SAFE_DIGITS: usize = 15;

/// Appends a value; a number that an event may not hold becomes a string exactly as written.
pub(crate) fn write_value(out: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(token) if fits_event(token) => out.extend_from_slice(token.as_bytes()),
        Value::Number(text) | Value::Text(text) => write_text(out, text),
        Value::List(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_value(out, item);
            }
            out.push(b']');
        }
        Value::Object(members) => {
            out.push(b'{');
            for (index, (name, member)) in members.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_member(out, name, member);
            }
            out.push(b'}');
        }
    }
}

/// Appends `"name":value`.
pub(crate) fn write_member(out: &mut Vec<u8>, name: &str, value: &Value<'_>) {
    write_text(out, name);
    out.push(b':');
    write_value(out, value);
}

/// Appends a string, quotes included.
pub(crate) fn write_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|&byte| byte < 0x20 || matches!(byte, b'"' | b'\\')) {
        let (plain, special) = rest.split_at(at);
        out.extend_from_slice(plain);
        if let Some((&byte, after)) = special.split_first() {
            write_escape(out, byte);
            rest = after;
        }
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

fn write_escape(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        _ => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
    }
}

/// Tells whether an event may hold the number: an integer within 2^53 - 1, or a double whose
/// canonical form is not an integer beyond that.
fn fits_event(token: &str) -> bool {
    if token.contains(['.', 'e', 'E']) {
        token.parse::<f64>().is_ok_and(|double| {
            double.is_finite() && !(9_007_199_254_740_992.0..1e21).contains(&double.abs())
        })
    } else if token.len() <= SAFE_DIGITS {
        true
    } else {
        token.parse::<i64>().is_ok_and(|int| int.unsigned_abs() < 1 << 53)
    }
}
