//! Entries as comma-separated values (RFC 4180), safe to open in a spreadsheet.

use trailkeep_event::{EntryRef, Field, Fields, ValueRef};

const LINE_END: &[u8] = b"\r\n";
/// What a spreadsheet takes for the start of a formula, or strips before it looks for one.
const FORMULA_STARTS: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\n'];

/// Appends the header record: the names of the fields.
pub(super) fn write_head(fields: &[Field], out: &mut Vec<u8>) {
    write_cells(fields, out, |field, out| out.extend_from_slice(field.name().as_bytes()));
}

/// Appends an entry's record.
pub(super) fn write_record(entry: EntryRef<'_>, fields: &[Field], out: &mut Vec<u8>) {
    write_cells(fields, out, |field, out| {
        if let Some(value) = entry.get(field) {
            write_cell(value, out);
        }
    });
}

fn write_cells(fields: &[Field], out: &mut Vec<u8>, write: impl Fn(Field, &mut Vec<u8>)) {
    for (index, field) in fields.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(*field, out);
    }
    out.extend_from_slice(LINE_END);
}

/// Appends a cell. An absent value is nothing, an empty text is `""`.
fn write_cell(value: ValueRef<'_>, out: &mut Vec<u8>) {
    match value {
        ValueRef::Text(text) => write_text(text, out),
        // JSON does not start as a formula does, but for a negative number, which is one.
        ValueRef::Json(text) => write_quoted("", text, out),
        ValueRef::Int(int) => out.extend_from_slice(int.to_string().as_bytes()),
        ValueRef::Bool(truth) => out.extend_from_slice(if truth { b"true" } else { b"false" }),
        ValueRef::Time(at) => out.extend_from_slice(at.to_string().as_bytes()),
        ValueRef::Id(id) => out.extend_from_slice(id.to_string().as_bytes()),
    }
}

/// Appends a text. What a spreadsheet would run has an apostrophe before it.
fn write_text(text: &str, out: &mut Vec<u8>) {
    let guard = if text.starts_with(FORMULA_STARTS) { "'" } else { "" };
    let plain = |byte: u8| !matches!(byte, b',' | b'"' | b'\r' | b'\n');
    if !text.is_empty() && text.bytes().all(plain) {
        out.extend_from_slice(guard.as_bytes());
        out.extend_from_slice(text.as_bytes());
    } else {
        write_quoted(guard, text, out);
    }
}

fn write_quoted(guard: &str, text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(guard.as_bytes());
    for (index, piece) in text.split('"').enumerate() {
        if index > 0 {
            out.extend_from_slice(b"\"\"");
        }
        out.extend_from_slice(piece.as_bytes());
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cell(value: ValueRef<'_>) -> String {
        let mut out = Vec::new();
        write_cell(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    /// R199
    #[test]
    fn cells() {
        let texts = [
            ("", r#""""#),
            ("plain", "plain"),
            (" padded ", " padded "),
            ("a,b", r#""a,b""#),
            ("say \"so\"", r#""say ""so""""#),
            ("two\nlines", "\"two\nlines\""),
            ("=1+1", "'=1+1"),
            ("+49 30", "'+49 30"),
            ("-5", "'-5"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("\r=x", "\"'\r=x\""),
            ("=HYPERLINK(\"x\",\"y\")", r#""'=HYPERLINK(""x"",""y"")""#),
            ("a=b", "a=b"),
            ("'x", "'x"),
        ];
        for (text, expected) in texts {
            assert_eq!(cell(ValueRef::Text(text)), expected, "{text:?}");
        }
        assert_eq!(cell(ValueRef::Int(-5)), "-5");
        assert_eq!(cell(ValueRef::Bool(true)), "true");
        assert_eq!(cell(ValueRef::Json("-5")), r#""-5""#);
        assert_eq!(cell(ValueRef::Json(r#"{"a":"=1"}"#)), r#""{""a"":""=1""}""#);
    }

    proptest! {
        /// Whatever a text is, a CSV reader has it back, and no cell of it is a formula.
        #[test]
        fn texts_come_back(texts in proptest::collection::vec("[-=+@,'\"\r\n\t a\u{e9}]{0,12}", 1..6)) {
            let mut line = Vec::new();
            for (index, text) in texts.iter().enumerate() {
                if index > 0 {
                    line.push(b',');
                }
                write_text(text, &mut line);
            }
            line.extend_from_slice(LINE_END);
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&line[..]);
            let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
            prop_assert_eq!(records.len(), 1);
            for (cell, text) in records[0].iter().zip(&texts) {
                prop_assert!(!cell.starts_with(FORMULA_STARTS));
                let bare = cell.strip_prefix('\'').filter(|bare| bare.starts_with(FORMULA_STARTS));
                prop_assert_eq!(bare.filter(|bare| bare == text).unwrap_or(cell), text);
            }
            prop_assert_eq!(records[0].len(), texts.len());
        }
    }
}
