//! What a row holds is found, however it is asked for.

use bytes::Bytes;
use proptest::prelude::*;
use trailkeep_event::{Field, FieldKind, Fields, Row, ValueRef, action_key};
use trailkeep_index::{Edge, IndexBuilder, IndexReader, Wanted};
use trailkeep_testkit::{EventMaker, any_row, row_of};

const UUID: &str = "550e8400-e29b-41d4-a716-446655440000";

fn index<'a>(values: impl IntoIterator<Item = (Field, ValueRef<'a>)>) -> IndexReader {
    let mut builder = IndexBuilder::new();
    for (field, value) in values {
        builder.value(field, value);
    }
    builder.end_page();
    IndexReader::open(Bytes::from(builder.finish())).unwrap()
}

/// What stands beside a part of a text: an edge is closed where that is known.
fn edge(beside: Option<char>) -> Edge {
    let open = beside.is_some_and(|c| c.is_ascii_alphanumeric() || !c.is_ascii() || c == '-');
    if open { Edge::Open } else { Edge::Closed }
}

/// Every part of the text is found, by what is known of its edges and by less.
fn check_parts(
    index: &IndexReader,
    text: &str,
    from: usize,
    to: usize,
) -> Result<(), TestCaseError> {
    let part: String = text.chars().skip(from).take(to.saturating_sub(from)).collect();
    let before = from.checked_sub(1).and_then(|at| text.chars().nth(at));
    let (left, right) = (edge(before), edge(text.chars().nth(to)));
    for left in [left, Edge::Open] {
        for right in [right, Edge::Open] {
            for part in [part.clone(), part.to_uppercase(), part.to_lowercase()] {
                // Some characters in upper case are others in lower case.
                let lower =
                    |text: &str| text.chars().flat_map(char::to_lowercase).collect::<String>();
                if lower(&text.chars().skip(from).take(to.saturating_sub(from)).collect::<String>())
                    != lower(&part)
                {
                    continue;
                }
                let wanted = Wanted::piece(&part, left, right);
                prop_assert!(
                    index.may_hold(0, &wanted),
                    "{:?} in {:?}: {:?} {:?}",
                    part,
                    text,
                    left,
                    right
                );
            }
        }
    }
    Ok(())
}

/// Texts with long and short words, numbers, and what is a UUID or nearly one.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "[a-cA-C0-2]{1,12}",
        2 => "[-_./ ]{1,2}",
        1 => "[a-f0-9]{8}",
        1 => "0{3,7}[0-9a-f]{1,12}",
        1 => "[a-f0-9]{4}",
        1 => "[\u{e9}\u{c9}\u{4e2d}\u{212a}\u{130}\u{1f600}]{1,5}",
        2 => Just(UUID.to_owned()),
        1 => Just("-e29b-41d4-".to_owned()),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

#[test]
fn what_is_not_there_is_not_found() {
    let index = index([
        (Field::Path, ValueRef::Text("/api/v1/customers/cus_39110e262f")),
        (Field::CorrelationId, ValueRef::Text(UUID)),
        (Field::Status, ValueRef::Int(503)),
        (Field::Action, ValueRef::Text("license.suspended")),
        (Field::ResourceId, ValueRef::Text("lic_17")),
        (Field::ActorId, ValueRef::Text("inv_00000013f2")),
        (Field::Metadata, ValueRef::Json(r#"{"plan":"gold \u0001tier","seats":[12,true]}"#)),
        (Field::ErrorStack, ValueRef::Text("panicked")),
        (Field::RequestBody, ValueRef::Json(r#"{"secretly":1}"#)),
    ]);
    let open = |text: &str| Wanted::piece(text, Edge::Open, Edge::Open);
    let closed = |text: &str| Wanted::piece(text, Edge::Closed, Edge::Closed);
    let other = UUID.replace('5', "6");
    let cases = [
        (Wanted::always(), true),
        (Wanted::any([]), false),
        (Wanted::whole("503"), true),
        (Wanted::whole("5xx"), true),
        (Wanted::whole("404"), false),
        (Wanted::whole("4xx"), false),
        (Wanted::whole("licensesuspended"), true),
        (Wanted::whole("licensecreated"), false),
        (Wanted::whole("LIC_17"), true),
        (Wanted::whole("lic_18"), false),
        (Wanted::whole(UUID), true),
        (Wanted::whole(&other), false),
        (open(UUID), true),
        (open(&other), false),
        (open("cus_39110e262f"), true),
        (open("cus_39110e26"), true),
        (open("cus_49110e262f"), false),
        (open("inv_00000013f2"), true),
        (open("inv_00000013f3"), false),
        (open("inv_00000013"), true),
        (open("inv_000000140"), false),
        (Wanted::whole("inv_00000013f2"), true),
        (Wanted::whole("inv_00000013f3"), false),
        (open("/customers/"), true),
        (open("/products/"), false),
        (closed("gold \u{1}tier"), true),
        (closed("gold u0001tier"), false),
        (closed("12"), true),
        (closed("13"), false),
        (closed("seats"), true),
        (open(" panicked "), false),
        (open(" secretly "), false),
        (Wanted::all([open("/customers/"), Wanted::whole("404")]), false),
        (Wanted::any([open("/customers/"), Wanted::whole("404")]), true),
        (Wanted::any([Wanted::always(), Wanted::whole("404")]), true),
    ];
    for (number, (wanted, found)) in cases.iter().enumerate() {
        assert_eq!(index.may_hold(0, wanted), *found, "case {number}: {wanted:?}");
    }
}

#[test]
fn what_says_nothing_is_always_there() {
    let cases = ["", "short", "deadbeef", "550e8400-e29b", "e29b-41d4", "-41d4-", " - "];
    for text in cases {
        assert_eq!(Wanted::piece(text, Edge::Open, Edge::Open), Wanted::always(), "{text}");
    }
}

#[test]
fn a_page_with_too_many_items_may_hold_anything() {
    let words: Vec<String> = (0..150_000).map(|number| format!("{number:06}")).collect();
    let index = index([(Field::Reason, ValueRef::Text(&words.join(" ")))]);
    assert!(index.may_hold(0, &Wanted::whole("nothing")));
}

#[test]
fn pages_are_told_apart() {
    let rows: Vec<Row> = EventMaker::new(3).take(4000).map(|line| row_of(&line)).collect();
    let mut builder = IndexBuilder::new();
    for page in rows.chunks(500) {
        for row in page {
            builder.row(&row.view().unpack());
        }
        builder.end_page();
    }
    let index = IndexReader::open(Bytes::from(builder.finish())).unwrap();
    let mut n_others = 0;
    for (number, row) in rows.iter().enumerate() {
        let id = row.text(Field::CorrelationId).unwrap();
        let pages: Vec<usize> = index.pages(&Wanted::whole(id)).collect();
        assert!(pages.contains(&(number / 500)));
        n_others += pages.len() - 1;
    }
    // One in 256 of 28,000.
    assert!(n_others < 180, "{n_others}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_part_of_a_text_is_found(text in any_text(), from in 0_usize..40, n_chars in 0_usize..40) {
        let index = index([(Field::ErrorMessage, ValueRef::Text(&text))]);
        check_parts(&index, &text, from.min(text.chars().count()), from + n_chars)?;
        check_parts(&index, &text, 0, text.chars().count())?;
    }

    #[test]
    fn every_value_is_found(text in any_text()) {
        let index = index([(Field::ActorId, ValueRef::Text(&text)), (Field::Action, ValueRef::Text(&text))]);
        prop_assert!(index.may_hold(0, &Wanted::whole(&text)));
        prop_assert!(index.may_hold(0, &Wanted::whole(&action_key(&text))));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_row_is_found(rows in prop::collection::vec(any_row(), 1..6)) {
        let mut builder = IndexBuilder::new();
        for row in &rows {
            builder.row(row);
        }
        builder.end_page();
        let index = IndexReader::open(Bytes::from(builder.finish())).unwrap();
        for row in &rows {
            for field in Field::in_row() {
                match (row.get(field), field.kind()) {
                    (Some(ValueRef::Text(text)), _) if field == Field::Action => {
                        prop_assert!(index.may_hold(0, &Wanted::whole(&action_key(text))));
                        check_parts(&index, text, 2, 9)?;
                    }
                    (Some(ValueRef::Text(text)), FieldKind::Id | FieldKind::Enum(_)) => {
                        prop_assert!(index.may_hold(0, &Wanted::whole(text)), "{}", text);
                        check_parts(&index, text, 2, 9)?;
                    }
                    (Some(ValueRef::Text(text)), _) if field != Field::ErrorStack => {
                        check_parts(&index, text, 1, 14)?;
                    }
                    (Some(ValueRef::Int(status)), _) if field == Field::Status => {
                        prop_assert!(index.may_hold(0, &Wanted::whole(&status.to_string())));
                        let class = format!("{}xx", status / 100);
                        prop_assert!(index.may_hold(0, &Wanted::whole(&class)));
                    }
                    _ => {}
                }
            }
        }
    }
}
