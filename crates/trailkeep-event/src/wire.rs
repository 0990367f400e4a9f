//! The entry as JSON: a flat row, with `error` and `block` as objects.

use crate::section::write_value;
use crate::{EntryRef, Field, Fields};

const OURS: [Field; 4] = [Field::Id, Field::Seq, Field::CreatedAt, Field::ClockSkew];

/// Appends an entry's JSON object. Absent fields are absent; `clock_skew` is there only where
/// it is true.
pub fn write_entry_json(entry: EntryRef<'_>, out: &mut Vec<u8>) {
    out.push(b'{');
    for field in OURS {
        if let Some(value) = entry.get(field) {
            if field == Field::ClockSkew && !entry.stamp.clock_skew {
                continue;
            }
            write_member(out, field.name(), value);
        }
    }
    // The row is walked once; members of the two objects are set aside.
    let mut error = Vec::new();
    let mut block = Vec::new();
    entry.row.for_each(|field, value| {
        if let Some(name) = field.name().strip_prefix("error_") {
            write_member(&mut error, name, value);
        } else if let Some(name) = field.name().strip_prefix("block_") {
            write_member(&mut block, name, value);
        } else {
            write_member(out, field.name(), value);
        }
    });
    for (name, members) in [("error", error), ("block", block)] {
        if !members.is_empty() {
            out.extend_from_slice(b",\"");
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":{");
            out.extend_from_slice(&members);
            out.push(b'}');
        }
    }
    out.push(b'}');
}

fn write_member(out: &mut Vec<u8>, name: &str, value: crate::ValueRef<'_>) {
    if !out.is_empty() && out.last() != Some(&b'{') {
        out.push(b',');
    }
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    write_value(out, value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EventId, EventLimits, Micros, Partition, Position, RowBuilder, Stamp, read_event};

    #[test]
    fn an_entry_is_a_flat_object_with_error_and_block_inside() {
        let event = r#"{"account_id":"a","action":"x","occurred_at":"2026-01-01T00:00:00.000001Z",
            "error":{"code":"E","message":"m","retry_count":0},"block":{"threat_score":5},
            "headers":[["a","b"],["a","c"]]}"#;
        let row = read_event(event.as_bytes(), &EventLimits::STANDARD, &mut RowBuilder::default())
            .unwrap();
        let position = Position { partition: Partition::new(1).unwrap(), frame: 2, ordinal: 3 };
        let stamp = Stamp {
            id: EventId([1; 16]),
            seq: 7,
            created_at: Micros(0),
            clock_skew: false,
            position,
        };
        let mut out = Vec::new();
        write_entry_json(EntryRef { row: row.view(), stamp }, &mut out);
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r#"{"id":"01010101-0101-0101-0101-010101010101","seq":7,"created_at":"1970-01-01T00:00:00.000Z","account_id":"a","occurred_at":"2026-01-01T00:00:00.000001Z","action":"x","category":"api","outcome":"unknown","schema":1,"headers":[["a","b"],["a","c"]],"error":{"code":"E","retry_count":0,"message":"m"},"block":{"threat_score":5}}"#);
    }
}
