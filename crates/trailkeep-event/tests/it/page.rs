//! The format's page says what the code does.

use trailkeep_event::{Field, FieldKind};

const PAGE: &str = include_str!("../../../../docs/format/event.md");

fn kind(field: Field) -> &'static str {
    match field.kind() {
        FieldKind::Id => "id",
        FieldKind::Text => "text",
        FieldKind::Enum(_) => "enum",
        FieldKind::Int(..) => "int",
        FieldKind::Bool => "bool",
        FieldKind::Object => "object",
        FieldKind::Json => "json",
        FieldKind::Headers => "headers",
        FieldKind::Time => "time",
    }
}

fn limit(field: Field) -> String {
    match field.kind() {
        FieldKind::Id | FieldKind::Text => format!("{} B", field.bytes_max()),
        FieldKind::Int(min, max) => format!("{min}..{max}"),
        FieldKind::Enum(words) => words.join(" "),
        _ => "-".to_owned(),
    }
}

#[test]
fn the_page_lists_every_field() {
    for field in Field::in_row() {
        let section = field.section().map_or("-", trailkeep_event::Section::name);
        let row = format!(
            "| {} | `{}` | {section} | {} | {} |",
            field.number(),
            field.name(),
            kind(field),
            limit(field)
        );
        assert!(PAGE.lines().any(|line| line == row), "docs/format/event.md lacks\n{row}");
    }
}
