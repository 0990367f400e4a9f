//! Golden files: bytes that no release may change.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use trailkeep_event::{
    Batch, BatchWriter, EventLimits, Field, Fields, IdKey, Micros, Position, Row, RowBuilder,
    RowRef, Section, read_event, write_section,
};

const CREATED_AT: Micros = Micros(1_767_225_600_123_456);

const DECIDE: &str = "the bytes of schema version 1 are no longer what they were.\n\
    If a release has been made with them: put the old way back, and add a version beside it \
    (docs/format/event.md).\n\
    If not: write the reason in docs/adr, then replace the golden file by hand with the text \
    above.";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/v1")
}

/// Returns the events, in the order of their files' names.
fn inputs() -> Vec<(String, String)> {
    let mut inputs: Vec<(String, String)> = fs::read_dir(folder())
        .expect("the golden files are there")
        .map(|entry| entry.expect("the folder can be listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a plain name");
            (name.to_owned(), fs::read_to_string(&path).expect("the file can be read"))
        })
        .collect();
    inputs.sort();
    inputs
}

fn input(name: &str) -> (String, String) {
    inputs().into_iter().find(|input| input.0 == name).expect("the golden file is there")
}

fn row(event: &str) -> Row {
    read_event(event.as_bytes(), &EventLimits::STANDARD, &mut RowBuilder::default())
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Compares text with a golden file.
fn check(file: &str, found: &str) {
    let expected = fs::read_to_string(folder().join(file)).unwrap_or_default();
    assert!(expected == found, "{file} should be\n{expected}\nand is\n{found}\n{DECIDE}");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes it");
        text
    })
}

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |c: char| u8::try_from(c.to_digit(16).expect("a digit")).expect("below 16");
    let digits: Vec<u8> = hex.chars().map(digit).collect();
    digits.chunks_exact(2).map(|pair| (pair[0] << 4) | pair[1]).collect()
}

/// Returns what is compared of an event: its row, and its sections.
fn describe(row: &Row) -> String {
    let mut text = format!("row {}\n", hex(row.as_bytes()));
    for section in Section::ALL {
        let mut out = Vec::new();
        if write_section(row, section, &mut out) {
            let json = String::from_utf8(out).expect("canonical JSON is UTF-8");
            writeln!(text, "{} {json}", section.name()).expect("a string takes it");
        }
    }
    text
}

#[test]
fn rows_and_sections_of_version_1() {
    let inputs = inputs();
    assert!(inputs.len() >= 8, "golden files are missing");
    for (name, event) in inputs {
        check(&format!("{name}.expected"), &describe(&row(&event)));
    }
}

#[test]
fn golden_rows_are_still_read() {
    for (name, event) in inputs() {
        let expected = fs::read_to_string(folder().join(format!("{name}.expected")))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let line = expected.lines().next().and_then(|line| line.strip_prefix("row "));
        let bytes = bytes(line.expect("the row comes first"));
        let read = RowRef::parse(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(read.to_row(), row(&event), "{name}");
    }
}

#[test]
fn one_golden_event_has_every_field() {
    let (_name, event) = input("everything");
    let row = row(&event);
    for field in Field::ALL.iter().filter(|field| field.is_sent()) {
        assert!(row.get(*field).is_some(), "{} is absent", field.name());
    }
}

#[test]
fn the_batch_of_version_2() {
    let mut writer = BatchWriter::new();
    for name in ["minimal", "blocked", "unicode"] {
        let (_name, event) = input(name);
        let row = row(&event);
        writer.push(row.view());
    }
    let found = writer.finish(CREATED_AT).expect("a batch");
    check("batch.expected", &format!("batch {}\n", hex(found.as_bytes())));
    let batch = Batch::parse(found.as_bytes().into()).expect("a batch");
    assert_eq!(batch.created_at(), CREATED_AT);
}

#[test]
fn the_identifiers_of_version_1() {
    let positions = ["p0-0-0", "p3-9-4", "p7-1000000-12345", "p15-281474976710655-4194303"];
    let keys = [[0; 16], [7; 16], *b"0123456789abcdef"];
    let mut found = String::new();
    for key in keys {
        for position in positions {
            let position = Position::parse(position).expect("a position");
            let id = IdKey::new(key).id(CREATED_AT, position);
            assert_eq!(IdKey::new(key).position(id), Some(position));
            writeln!(found, "{} {CREATED_AT} {position} {id}", hex(&key))
                .expect("a string takes it");
        }
    }
    check("ids.expected", &found);
}
