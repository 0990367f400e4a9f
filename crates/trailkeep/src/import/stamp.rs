//! Marks an event with the job and the line that it came from.

use std::ops::Range;

/// A member of the event's object.
struct Member {
    /// The name, without its quotes.
    name: Range<usize>,
    /// The name and the value.
    whole: Range<usize>,
    /// The value.
    value: Range<usize>,
}

/// Appends an event to `out`, with `instance` and `instance_seq` of the job where it has no
/// `source_id` of its own. `event` is a JSON object as a converter writes it.
pub(super) fn stamp(event: &[u8], instance: &str, line: u64, out: &mut Vec<u8>) {
    let members = members(event);
    let part = |range: &Range<usize>| event.get(range.clone()).unwrap_or_default();
    let null = b"null";
    let identified =
        members.iter().any(|m| part(&m.name) == b"source_id" && part(&m.value) != null);
    if identified {
        out.extend_from_slice(event);
        return;
    }
    // The job's name needs no escape: its characters are checked.
    out.extend_from_slice(
        format!("{{\"instance\":\"{instance}\",\"instance_seq\":{line}").as_bytes(),
    );
    for member in &members {
        if matches!(part(&member.name), b"instance" | b"instance_seq" | b"source_id") {
            continue;
        }
        out.push(b',');
        out.extend_from_slice(part(&member.whole));
    }
    out.push(b'}');
}

/// Finds the members of an object that is known to be well formed.
fn members(event: &[u8]) -> Vec<Member> {
    let mut members = Vec::new();
    let mut at = skip_space(event, 1);
    while event.get(at) == Some(&b'"') {
        let name_end = string_end(event, at);
        let colon = skip_space(event, name_end);
        let start = skip_space(event, colon.saturating_add(1));
        let end = value_end(event, start);
        members.push(Member {
            name: at.saturating_add(1)..name_end.saturating_sub(1),
            whole: at..end,
            value: start..end,
        });
        at = skip_space(event, skip_space(event, end).saturating_add(1));
    }
    members
}

fn skip_space(event: &[u8], from: usize) -> usize {
    let rest = event.get(from..).unwrap_or_default();
    let n_spaces = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    from.saturating_add(n_spaces)
}

/// Returns the place behind the string that starts at `from`.
fn string_end(event: &[u8], from: usize) -> usize {
    let mut at = from.saturating_add(1);
    while let Some(byte) = event.get(at) {
        match byte {
            b'"' => return at.saturating_add(1),
            b'\\' => at = at.saturating_add(2),
            _ => at = at.saturating_add(1),
        }
    }
    at
}

/// Returns the place behind the value that starts at `from`.
fn value_end(event: &[u8], from: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = from;
    while let Some(byte) = event.get(at) {
        match byte {
            b'"' => {
                at = string_end(event, at);
                continue;
            }
            b'{' | b'[' => depth = depth.saturating_add(1),
            b'}' | b']' if depth > 0 => depth = depth.saturating_sub(1),
            b',' | b'}' if depth == 0 => break,
            _ => {}
        }
        at = at.saturating_add(1);
    }
    // Space behind the value is no part of it.
    let value = event.get(from..at).unwrap_or_default();
    from.saturating_add(value.trim_ascii_end().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_without_a_source_id_are_marked() {
        for (event, stamped) in [
            (r#"{"a":1}"#, r#"{"instance":"import/j","instance_seq":7,"a":1}"#),
            (r"{}", r#"{"instance":"import/j","instance_seq":7}"#),
            (r#"{"source_id":"x","a":1}"#, r#"{"source_id":"x","a":1}"#),
            (r#"{"a":1,"source_id":""}"#, r#"{"a":1,"source_id":""}"#),
            (
                r#"{"source_id":null,"instance":"me","a":"\"},{","instance_seq":3}"#,
                r#"{"instance":"import/j","instance_seq":7,"a":"\"},{"}"#,
            ),
            (
                r#"{ "a" : {"source_id":"in"} , "b" : [1,"]",{}] , "c":"\\" }"#,
                r#"{"instance":"import/j","instance_seq":7,"a" : {"source_id":"in"},"b" : [1,"]",{}],"c":"\\"}"#,
            ),
        ] {
            let mut out = Vec::new();
            stamp(event.as_bytes(), "import/j", 7, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), stamped);
        }
    }
}
