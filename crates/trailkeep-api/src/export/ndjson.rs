//! Entries as JSON, one a line.

use trailkeep_event::{EntryRef, Field, Fields, write_entry_json};

/// The fields that stand in objects of their own.
const GROUPS: [&str; 2] = ["error", "block"];

/// Appends an entry as lists show it.
pub(super) fn write_line(entry: EntryRef<'_>, out: &mut Vec<u8>) {
    write_entry_json(entry, out);
    out.push(b'\n');
}

/// Appends some fields of an entry, each where lists show it.
pub(super) fn write_line_of(entry: EntryRef<'_>, fields: &[Field], out: &mut Vec<u8>) {
    let start = out.len();
    let group_of = |field: Field| GROUPS.into_iter().find(|group| in_group(field, group).is_some());
    for field in fields.iter().copied().filter(|field| group_of(*field).is_none()) {
        if field != Field::ClockSkew || entry.stamp.clock_skew {
            entry.write_member(field, out);
        }
    }
    for group in GROUPS {
        write_group(entry, fields, group, out);
    }
    close(start, out);
    out.push(b'\n');
}

fn write_group(entry: EntryRef<'_>, fields: &[Field], group: &str, out: &mut Vec<u8>) {
    let mut members = Vec::new();
    let mut member = Vec::new();
    for field in fields {
        let Some(name) = in_group(*field, group) else { continue };
        member.clear();
        entry.write_member(*field, &mut member);
        // A member is `,"name":value`; here it has a shorter name.
        let value = member.get(field.name().len().saturating_add(2)..).unwrap_or_default();
        if !value.is_empty() {
            members.extend_from_slice(b",\"");
            members.extend_from_slice(name.as_bytes());
            members.extend_from_slice(value);
        }
    }
    if !members.is_empty() {
        close(0, &mut members);
        out.extend_from_slice(format!(",\"{group}\":").as_bytes());
        out.extend_from_slice(&members);
    }
}

/// Returns a field's name inside the group, where it is there.
fn in_group(field: Field, group: &str) -> Option<&'static str> {
    field.name().strip_prefix(group)?.strip_prefix('_')
}

/// Makes an object of members that each begin with a comma.
fn close(start: usize, out: &mut Vec<u8>) {
    match out.get_mut(start) {
        Some(comma) => *comma = b'{',
        None => out.push(b'{'),
    }
    out.push(b'}');
}
