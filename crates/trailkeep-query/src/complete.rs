//! Completes what somebody types: values of a field, and names of fields.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use trailkeep_event::{Field, Fields, Micros, ValueRef};
use trailkeep_filter::Filter;
use trailkeep_scope::ReadScope;
use trailkeep_segment::{SegmentReader, ShelfView};

use crate::engine::Engine;
use crate::error::Error;
use crate::facets::FacetValue;
use crate::fetch::Source;
use crate::field_path::FieldPath;
use crate::leaves::each_leaf;
use crate::list::Order;
use crate::matcher::Matcher;
use crate::tally::Tally;
use crate::walk::Walk;

/// How many of the newest entries are asked for the keys of their metadata.
const SAMPLE_ROWS: usize = 500;
/// How many different keys are counted.
const KEYS_MAX: usize = 4096;

/// A value that somebody began to type.
#[derive(Clone, Debug)]
pub struct CompleteRequest {
    /// What it is a value of.
    pub field: FieldPath,
    /// What was typed so far, in any case.
    pub prefix: String,
    /// What entries must match that have the value.
    pub filter: Filter,
    /// The earliest time, by which lists sort.
    pub from: Option<Micros>,
    /// The time before which entries must lie.
    pub to: Option<Micros>,
    /// How many values are told.
    pub limit: usize,
}

impl Engine {
    /// Returns the most frequent values that begin with what was typed.
    ///
    /// Costs the field's column for each page that has matches.
    ///
    /// # Errors
    /// Where a segment cannot be read or it takes too long.
    pub fn complete(
        &self,
        scope: &ReadScope,
        request: &CompleteRequest,
    ) -> Result<Vec<FacetValue>, Error> {
        let view = self.shelf.view();
        let window = (request.from, request.to);
        let matcher = Matcher::new(&request.filter, scope, window, view.end());
        let mut tallies = [Tally::new(&request.field, &request.prefix, 1)];
        self.tally(&view, &matcher, &mut tallies)?;
        let [tally] = tallies;
        Ok(tally.finish(request.limit).values)
    }

    /// Returns the names that begin with what was typed, as filters read them: of fields, and of
    /// the members that the metadata of the newest entries in the scope have, the most frequent
    /// first.
    ///
    /// # Errors
    /// Where a segment cannot be read or it takes too long.
    pub fn complete_fields(&self, scope: &ReadScope, prefix: &str) -> Result<Vec<String>, Error> {
        let fields = Field::ALL.iter().map(|field| field.name().to_owned());
        let mut names: Vec<String> = fields.filter(|name| name.starts_with(prefix)).collect();
        let metadata = Field::Metadata.name();
        if prefix.starts_with(metadata) || metadata.starts_with(prefix) {
            let mut members: Vec<(String, u64)> = self.members(scope)?.into_iter().collect();
            members.retain(|(name, _count)| name.starts_with(prefix));
            members.sort_unstable_by(|a, b| (Reverse(a.1), &a.0).cmp(&(Reverse(b.1), &b.0)));
            names.extend(members.into_iter().map(|(name, _count)| name));
        }
        Ok(names)
    }

    /// Returns the names of the members of the newest metadata, each with how often it is there.
    fn members(&self, scope: &ReadScope) -> Result<HashMap<String, u64>, Error> {
        let view = self.shelf.view();
        let matcher = Matcher::new(&Filter::everything(), scope, (None, None), view.end());
        let walk = Walk { order: Order::Descending, last: None, limit: SAMPLE_ROWS };
        let mut members = Members::default();
        let mut rows: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        for (_key, source) in self.first(&view, &matcher, &walk)? {
            match source {
                Source::Tail(entry) => members.add(&entry),
                Source::Segment(number, row) => rows.entry(number).or_default().push(row),
            }
        }
        for (number, rows) in rows {
            let reader = reader_of(&view, number)?;
            if let Some(reader) = reader {
                members.add_rows(&reader, rows).map_err(Error::segment)?;
            }
        }
        Ok(members.0)
    }
}

fn reader_of(view: &ShelfView, number: usize) -> Result<Option<SegmentReader>, Error> {
    let segment = view.sealed.get(number);
    segment.map(|segment| segment.reader()).transpose().map_err(Error::segment)
}

/// The names of members, each with how often it was met.
#[derive(Debug, Default)]
struct Members(HashMap<String, u64>);

impl Members {
    fn add(&mut self, row: &impl Fields) {
        let Some(ValueRef::Json(json)) = row.get(Field::Metadata) else { return };
        each_leaf(json, &mut |keys, _text| {
            let member = keys.iter().map(|key| key.clone().into_owned()).collect();
            let path = FieldPath::of(Field::Metadata, member);
            let is_known = self.0.contains_key(path.name());
            if is_known || self.0.len() < KEYS_MAX {
                let count = self.0.entry(path.name().to_owned()).or_default();
                *count = count.saturating_add(1);
            }
        });
    }

    /// Adds some rows of a segment; reads one column of the pages that they are on.
    fn add_rows(
        &mut self,
        reader: &SegmentReader,
        mut rows: Vec<u32>,
    ) -> Result<(), trailkeep_segment::Error> {
        rows.sort_unstable();
        // All pages but the last have as many rows as the first.
        let page_rows = u32::try_from(reader.page(0).n_rows()).unwrap_or(u32::MAX).max(1);
        for rows in rows.chunk_by(|a, b| a / page_rows == b / page_rows) {
            let Some(first) = rows.first() else { continue };
            let mut page = reader.page(first / page_rows);
            page.need(&[Field::Metadata])?;
            for row in rows {
                self.add(&page.row(usize::try_from(row % page_rows).unwrap_or(usize::MAX))?);
            }
        }
        Ok(())
    }
}
