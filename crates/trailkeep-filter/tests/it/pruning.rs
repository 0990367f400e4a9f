//! What a filter says about its matches as a whole.

use trailkeep_event::{Field, Micros};
use trailkeep_filter::{Filter, TimeRange};

use crate::rows::{entry, filter};

fn time(text: &str) -> Micros {
    Micros::parse(text).unwrap()
}

#[test]
fn times() {
    let span = |from, to| TimeRange { from, to };
    let (start, end) = (time("2026-01-01T00:00:00Z"), time("2026-01-03T00:00:00Z"));
    let (first, third) = (Some(start), Some(end));
    let cases = [
        ("", span(None, None)),
        ("status:500", span(None, None)),
        ("occurred:2026-01-01..2026-01-02", span(first, third)),
        ("occurred:>=2026-01-01 x occurred:<2026-01-03", span(first, third)),
        ("occurred:2026-01-01 OR occurred:2026-01-02", span(first, third)),
        ("occurred:(2026-01-02 OR 2026-01-01)", span(first, third)),
        ("occurred:2026-01-01 OR x", span(None, None)),
        ("occurred:(2026-01-01 OR *)", span(None, None)),
        ("-occurred:2026-01-01", span(None, None)),
        ("created:2026-01-01", span(None, None)),
        ("occurred:>=2026-01-03 occurred:<2026-01-01", span(third, first)),
        ("occurred:>2026-01-01T00:00:00Z", span(Some(start.plus(1)), None)),
        ("occurred:<=2026-01-01T00:00:00Z", span(None, Some(start.plus(1)))),
    ];
    for (text, expected) in cases {
        assert_eq!(filter(text).times(), expected, "{text}");
    }
    assert!(span(first, third).contains(start));
    assert!(!span(first, third).contains(end));
}

#[test]
fn accounts() {
    let cases: [(&str, Option<&[&str]>); 11] = [
        ("", None),
        ("status:500", None),
        ("account:a", Some(&["a"])),
        ("account:a status:500", Some(&["a"])),
        ("account:(b OR a)", Some(&["a", "b"])),
        ("account:a OR account:b", Some(&["a", "b"])),
        ("account:(a OR b) account_id:(b OR c)", Some(&["b"])),
        ("account:a account:b", Some(&[])),
        ("account:a OR status:500", None),
        ("-account:a", None),
        ("account:a*", None),
    ];
    for (text, expected) in cases {
        let found = filter(text).accounts();
        let found: Option<Vec<&str>> =
            found.as_ref().map(|set| set.iter().map(String::as_str).collect());
        assert_eq!(found.as_deref(), expected, "{text}");
    }
}

#[test]
fn exact_terms() {
    let read = filter(
        "ip:1.2.3.4 path:/x* -method:GET category:auth action:a (key:k OR key:l) before:b \
         error_message:=M reason:r session_id:(a OR b)",
    );
    let found: Vec<(Field, &str)> = read.exact().collect();
    let expected = [(Field::Ip, "1.2.3.4"), (Field::Category, "auth"), (Field::ErrorMessage, "M")];
    assert_eq!(found, expected);
    assert_eq!(filter("ip:x").exact().collect::<Vec<_>>(), [(Field::Ip, "x")]);
    assert_eq!(filter("ip:x OR ip:y").exact().count(), 0);
}

#[test]
fn fields_are_those_that_are_read() {
    let read = filter("status:1 -metadata.a:b (user:c OR headers.d:e) status:2");
    let expected =
        [Field::Status, Field::ActorId, Field::ActorLabel, Field::Headers, Field::Metadata];
    assert_eq!(read.fields(), expected);
    assert!(filter("").fields().is_empty());
    let id = filter("01980000-0000-7abc-8def-0123456789ab");
    assert!(id.fields().contains(&Field::Id));
    assert!(!filter("abc").fields().contains(&Field::Id));
    assert!(filter("xyz").fields().contains(&Field::Metadata));
}

#[test]
fn filters_are_combined() {
    let both =
        Filter::account("acme").and(Filter::between(Some(time("2026-01-01T00:00:00Z")), None));
    let all = both.and(filter("status:500 OR method:GET")).and(Filter::everything());
    assert_eq!(
        all.canonical(),
        "account_id:acme occurred_at:>=2026-01-01T00:00:00.000Z (status:500 OR method:GET)"
    );
    assert_eq!(filter(&all.canonical()), all);
    assert!(all.matches(&entry(r#"{"method":"GET"}"#)));
    assert!(!all.matches(&entry(r#"{"method":"GET","account_id":"other"}"#)));
    assert_eq!(Filter::between(None, None), Filter::everything());
    assert_eq!(Filter::everything().canonical(), "");
}
