//! A row as its section bytes: what `_sections` holds for a row that the columns do not give
//! back.

use memchr::memchr2;
use trailkeep_event::{
    Field, FieldKind, Fields, Micros, Row, RowBuilder, RowRef, Section, ValueRef, write_section,
};

/// Appends the section bytes of a row: for each present section its number (1 byte), its length
/// (4 bytes, big-endian) and its canonical bytes.
pub fn write_sections(fields: &impl Fields, out: &mut Vec<u8>) {
    let mut body = Vec::new();
    for section in Section::ALL {
        body.clear();
        if write_section(fields, section, &mut body) {
            out.push(section.number());
            out.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes());
            out.extend_from_slice(&body);
        }
    }
}

/// Rebuilds a row from its section bytes; `None` where they are not section bytes of a row.
///
/// Reads only what [`write_sections`] writes: canonical JSON without spaces.
pub fn read_sections(mut bytes: &[u8]) -> Option<Row> {
    let mut builder = RowBuilder::default();
    while let Some((number, rest)) = bytes.split_first() {
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (body, rest) = rest.split_at_checked(length)?;
        let section = Section::ALL.into_iter().find(|section| section.number() == *number)?;
        let inside = |field: Field| field.section() == Some(section);
        read_members(std::str::from_utf8(body).ok()?, &inside, &mut builder)?;
        bytes = rest;
    }
    let row = builder.finish();
    RowRef::parse(row.as_bytes()).is_ok().then_some(row)
}

/// Reads the members of a canonical object as fields, each of which must be allowed and come once.
pub(crate) fn read_members(
    text: &str,
    allowed: &dyn Fn(Field) -> bool,
    builder: &mut RowBuilder,
) -> Option<()> {
    let mut rest = text.strip_prefix('{')?;
    loop {
        let (name, after) = rest.split_at_checked(value_len(rest)?)?;
        let after = after.strip_prefix(':')?;
        let (value, after) = after.split_at_checked(value_len(after)?)?;
        let field = Field::from_name(name.strip_prefix('"')?.strip_suffix('"')?)?;
        if !allowed(field) || builder.has(field) {
            return None;
        }
        read_value(field, value, builder)?;
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return (after == "}").then_some(()),
        }
    }
}

fn read_value(field: Field, json: &str, builder: &mut RowBuilder) -> Option<()> {
    match field.kind() {
        FieldKind::Id | FieldKind::Text | FieldKind::Enum(_) => {
            let text: String = serde_json::from_str(json).ok()?;
            builder.set(field, ValueRef::Text(&text));
        }
        FieldKind::Int(..) => builder.set(field, ValueRef::Int(json.parse().ok()?)),
        FieldKind::Bool => builder.set(field, ValueRef::Bool(json.parse().ok()?)),
        FieldKind::Time => {
            let text: String = serde_json::from_str(json).ok()?;
            builder.set(field, ValueRef::Time(Micros::parse(&text).ok()?));
        }
        FieldKind::Object | FieldKind::Json | FieldKind::Headers => {
            builder.set(field, ValueRef::Json(json));
        }
    }
    Some(())
}

/// Returns the length of the JSON value that a canonical text starts with.
pub(crate) fn value_len(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0_usize, 0_usize);
    loop {
        let byte = *bytes.get(at)?;
        match byte {
            // A closing bracket at depth 0 belongs to what holds a number or word.
            b'}' | b']' | b',' if depth == 0 => return Some(at),
            b'"' => at = string_end(bytes, at.checked_add(1)?)?,
            _ => at = at.checked_add(1)?,
        }
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        if depth == 0 && matches!(byte, b'"' | b'}' | b']') {
            return Some(at);
        }
    }
}

/// Returns the place after the quote that ends a string.
fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        at = at.checked_add(memchr2(b'"', b'\\', bytes.get(at..)?)?)?;
        if bytes.get(at) == Some(&b'"') {
            return at.checked_add(1);
        }
        at = at.checked_add(2)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn hostile_bytes_never_panic(number in 0_u8..9, body: Vec<u8>, text in "[{}\\[\\]\",:a\\\\]{0,40}") {
            for body in [&body[..], text.as_bytes()] {
                let mut bytes = vec![number];
                bytes.extend_from_slice(&u32::try_from(body.len()).unwrap().to_be_bytes());
                bytes.extend_from_slice(body);
                let _row = read_sections(&bytes);
            }
        }
    }
}
