//! A filter on many rows at once, term by term.

use std::collections::BTreeMap;

use proptest::prelude::*;
use trailkeep_event::{Entry, Field, Fields, ValueRef};
use trailkeep_filter::{Bits, Filter, Select, TermRef};

use crate::properties::{any_entry, query};
use crate::rows::{entry, filter};

/// Answers a term by its values, each asked for once, as a reader of dictionaries does.
struct Columns<'a> {
    rows: &'a [Entry],
    /// How many rows each term was asked about.
    asked: Vec<(usize, usize)>,
}

impl Select for Columns<'_> {
    type Error = ();

    fn n_rows(&self) -> usize {
        self.rows.len()
    }

    fn term(&mut self, term: TermRef<'_>, among: &Bits) -> Result<Bits, ()> {
        assert!(!among.is_empty(), "a term is asked about nothing");
        self.asked.push((term.number(), among.count()));
        let mut found = Bits::none(self.rows.len());
        for field in term.fields() {
            let mut known: BTreeMap<String, bool> = BTreeMap::new();
            found.or(&Bits::from_fn(self.rows.len(), |row| {
                self.rows[row].get(field).is_some_and(|value| {
                    *known.entry(format!("{value:?}")).or_insert_with(|| term.holds(value))
                })
            }));
        }
        // Rows that were not asked about may hold anything.
        let mut others = Bits::all(self.rows.len());
        others.and_not(among);
        found.or(&others);
        Ok(found)
    }
}

/// The members of a row's metadata, each in a column of its own.
fn holds_by_members(term: TermRef<'_>, entry: &Entry) -> bool {
    term.fields().into_iter().any(|field| match entry.get(field) {
        Some(ValueRef::Json(json)) if field == Field::Metadata => {
            let members: BTreeMap<String, serde_json::Value> = serde_json::from_str(json).unwrap();
            if members.is_empty() {
                return term.holds(ValueRef::Json("{}"));
            }
            members.iter().any(|(key, value)| term.holds_member(key, &value.to_string()))
        }
        value => value.is_some_and(|value| term.holds(value)),
    })
}

#[test]
fn an_expensive_term_is_asked_only_about_what_is_left() {
    /// A filter, the rows that it finds, and the terms with how many rows each is asked about.
    type Case<'a> = (&'a str, &'a [usize], &'a [(usize, usize)]);
    let rows: Vec<Entry> =
        (0..10).map(|status| entry(&format!("{{\"status\":{status}}}"))).collect();
    let cases: [Case<'_>; 5] = [
        ("word status:3..5", &[], &[(0, 10), (1, 3)]),
        ("license OR status:3..5", &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], &[(0, 10), (1, 7)]),
        ("word status:700", &[], &[(0, 10)]),
        ("status:<2 (word OR -status:1) license", &[0], &[(0, 10), (1, 2), (2, 2), (3, 1)]),
        ("", &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], &[]),
    ];
    for (text, found, asked) in cases {
        let filter = filter(text);
        let mut columns = Columns { rows: &rows, asked: Vec::new() };
        let bits = filter.select(&mut columns).unwrap();
        assert_eq!(bits.iter().collect::<Vec<_>>(), found, "{text}");
        assert_eq!(columns.asked, asked, "{text}");
    }
}

#[test]
fn terms_have_the_numbers_that_they_are_asked_by() {
    let filter = filter("metadata.a.b:x OR (status:5 -before.c:*) actor:me");
    let terms = filter.terms();
    assert!(terms.iter().enumerate().all(|(number, term)| term.number() == number));
    let members: Vec<_> = terms.iter().filter_map(|term| term.member()).collect();
    assert_eq!(members.len(), 2);
    assert!(members.contains(&(Field::Metadata, &["a".to_owned(), "b".to_owned()][..])));
    let fields: Vec<_> = terms.iter().flat_map(|term| term.fields()).collect();
    assert!(fields.contains(&Field::ActorLabel) && fields.contains(&Field::Status));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_same_as_row_by_row(
        query in query(), rows in prop::collection::vec(any_entry(), 0..70)
    ) {
        let filter = Filter::parse(&query.text()).unwrap();
        let expected = Bits::from_fn(rows.len(), |row| filter.matches(&rows[row]));
        let mut columns = Columns { rows: &rows, asked: Vec::new() };
        prop_assert_eq!(filter.select(&mut columns), Ok(expected), "{}", query.text());
        for term in filter.terms() {
            for row in &rows {
                prop_assert_eq!(holds_by_members(term, row), term.matches(row), "{:?}", term);
            }
        }
    }
}
