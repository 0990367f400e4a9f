//! Counts the values of one field.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use trailkeep_event::{Fields, ValueRef};
use trailkeep_segment::{Column, Dictionary, PageHits};

use crate::facets::{Distinct, Facet, FacetValue};
use crate::field_path::FieldPath;
use crate::leaves::{each_leaf, leads_to, may_have};

/// How many values one query counts apart, over all its fields, and how many bytes they have.
const VALUES_MAX: usize = 400_000;
const BYTES_MAX: usize = 64 * 1024 * 1024;

/// Counts the values of one field.
#[derive(Debug)]
pub(crate) struct Tally {
    path: FieldPath,
    /// What the values that count begin with, in lower case.
    prefix: String,
    values: HashMap<Box<str>, u64>,
    room: Room,
    /// How often there were values that there was no room for.
    n_beyond: u64,
    n_missing: u64,
    codes: Option<Codes>,
}

/// What a tally still has room for.
#[derive(Debug)]
struct Room {
    values: usize,
    bytes: usize,
}

/// How often the values of one dictionary were met.
#[derive(Debug)]
struct Codes {
    dictionary: Arc<Dictionary>,
    counts: Vec<u64>,
}

impl Tally {
    /// Starts one of `n_tallies` that share the room.
    pub(crate) fn new(path: &FieldPath, prefix: &str, n_tallies: usize) -> Self {
        let share = |room: usize| room / n_tallies.max(1);
        Self {
            path: path.clone(),
            prefix: prefix.chars().flat_map(char::to_lowercase).collect(),
            values: HashMap::new(),
            room: Room { values: share(VALUES_MAX), bytes: share(BYTES_MAX) },
            n_beyond: 0,
            n_missing: 0,
            codes: None,
        }
    }

    /// Counts the rows of a page whose columns hold what the rows hold.
    pub(crate) fn columns(
        &mut self,
        hits: &mut PageHits<'_>,
    ) -> Result<(), trailkeep_segment::Error> {
        let field = self.path.field();
        match hits.page().column(field)?.clone() {
            Column::Coded(codes, dictionary) => {
                let counts = self.counts_of(&dictionary);
                let mut n_missing = 0;
                for row in hits.rows().iter() {
                    let code = codes.get(row).and_then(|code| usize::try_from(*code).ok());
                    match code.and_then(|code| counts.get_mut(code)) {
                        Some(count) => *count = count.saturating_add(1),
                        None => n_missing += 1,
                    }
                }
                self.n_missing = self.n_missing.saturating_add(n_missing);
            }
            column => {
                for row in hits.rows().iter() {
                    self.count(column.value(field, row), 1);
                }
            }
        }
        Ok(())
    }

    /// Counts the rows of a page one by one.
    pub(crate) fn rows(&mut self, hits: &mut PageHits<'_>) -> Result<(), trailkeep_segment::Error> {
        hits.page().need(&[self.path.field()])?;
        let rows: Vec<usize> = hits.rows().iter().collect();
        for row in rows {
            self.row(&hits.page().row(row)?);
        }
        Ok(())
    }

    pub(crate) fn row(&mut self, row: &impl Fields) {
        self.count(row.get(self.path.field()), 1);
    }

    /// Returns the most frequent values, and what there is beside them.
    pub(crate) fn finish(mut self, limit: usize) -> Facet {
        self.resolve();
        let distinct = u64::try_from(self.values.len()).unwrap_or(u64::MAX);
        let mut values: Vec<FacetValue> = self
            .values
            .into_iter()
            .map(|(value, count)| FacetValue { value: value.into(), count })
            .collect();
        values.sort_unstable_by(|a, b| {
            (Reverse(a.count), &a.value).cmp(&(Reverse(b.count), &b.value))
        });
        let rest = values.split_off(limit.min(values.len()));
        let other = rest.iter().fold(self.n_beyond, |sum, value| sum.saturating_add(value.count));
        Facet {
            path: self.path,
            values,
            other,
            missing: self.n_missing,
            distinct: match self.n_beyond {
                0 => Distinct::Exactly(distinct),
                _ => Distinct::MoreThan(distinct),
            },
        }
    }

    /// Returns the counts for a dictionary; those of another are put with the values first.
    fn counts_of(&mut self, dictionary: &Arc<Dictionary>) -> &mut [u64] {
        if self.codes.as_ref().is_some_and(|codes| !Arc::ptr_eq(&codes.dictionary, dictionary)) {
            self.resolve();
        }
        let new =
            || Codes { dictionary: Arc::clone(dictionary), counts: vec![0; dictionary.len()] };
        &mut self.codes.get_or_insert_with(new).counts
    }

    fn resolve(&mut self) {
        let Some(Codes { dictionary, counts }) = self.codes.take() else { return };
        for (code, count) in (0..).zip(counts).filter(|(_code, count)| *count > 0) {
            self.count(dictionary.value(self.path.field(), code), count);
        }
    }

    /// Counts a value that some rows have.
    fn count(&mut self, value: Option<ValueRef<'_>>, n_rows: u64) {
        match value {
            Some(ValueRef::Text(text)) => self.add(text, n_rows),
            Some(ValueRef::Int(int)) => self.add(&int.to_string(), n_rows),
            Some(ValueRef::Bool(truth)) => self.add(if truth { "true" } else { "false" }, n_rows),
            Some(ValueRef::Json(json)) => self.count_member(json, n_rows),
            // No field that values are counted of has these.
            Some(ValueRef::Time(_) | ValueRef::Id(_)) | None => {
                self.n_missing = self.n_missing.saturating_add(n_rows);
            }
        }
    }

    /// Counts each of the different values of a member once.
    fn count_member(&mut self, json: &str, n_rows: u64) {
        let mut found = BTreeSet::new();
        let path = self.path.member();
        if may_have(json, path) {
            each_leaf(json, &mut |keys, text| {
                if leads_to(path, keys) {
                    found.insert(text);
                }
            });
        }
        if found.is_empty() {
            self.n_missing = self.n_missing.saturating_add(n_rows);
        }
        for text in found {
            self.add(&text, n_rows);
        }
    }

    fn add(&mut self, value: &str, n_rows: u64) {
        if !begins_with(value, &self.prefix) {
            return;
        }
        if let Some(count) = self.values.get_mut(value) {
            *count = count.saturating_add(n_rows);
            return;
        }
        let bytes = self.room.bytes.checked_sub(value.len());
        match (self.room.values.checked_sub(1), bytes) {
            (Some(values), Some(bytes)) => {
                self.room = Room { values, bytes };
                self.values.insert(value.into(), n_rows);
            }
            _ => self.n_beyond = self.n_beyond.saturating_add(n_rows),
        }
    }
}

/// Tells whether a text in lower case begins with a prefix.
fn begins_with(text: &str, prefix: &str) -> bool {
    let mut folded = text.chars().flat_map(char::to_lowercase);
    prefix.chars().all(|c| folded.next() == Some(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailkeep_event::Field;

    #[test]
    fn a_value_without_room_is_stated() {
        let mut tally = Tally::new(&FieldPath::of(Field::ActorId, Vec::new()), "", VALUES_MAX / 2);
        for text in ["b", "a", "b", "c", "a", "b", "c"] {
            tally.count(Some(ValueRef::Text(text)), 10);
        }
        tally.count(None, 4);
        let facet = tally.finish(1);
        let FacetValue { value, count } = &facet.values[0];
        assert_eq!((value.as_str(), *count), ("b", 30));
        assert_eq!((facet.other, facet.missing), (40, 4));
        assert_eq!(facet.distinct, Distinct::MoreThan(2));
    }

    #[test]
    fn a_prefix_is_of_any_case() {
        for (text, prefix, begins) in [
            ("Acme", "ac", true),
            ("ac", "acm", false),
            ("\u{c9}T\u{c9}", "\u{e9}t", true),
            ("", "", true),
        ] {
            assert_eq!(begins_with(text, prefix), begins, "{text} {prefix}");
        }
    }
}
