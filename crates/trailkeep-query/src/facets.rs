//! Counts the values of fields over everything that matches.

use trailkeep_event::Micros;
use trailkeep_filter::Filter;
use trailkeep_scope::ReadScope;
use trailkeep_segment::ShelfView;

use crate::engine::Engine;
use crate::error::Error;
use crate::field_path::FieldPath;
use crate::matcher::Matcher;
use crate::pages::Pages;
use crate::tally::Tally;

/// Which values to count.
#[derive(Clone, Debug)]
pub struct FacetRequest {
    /// What entries must match.
    pub filter: Filter,
    /// The earliest time, by which lists sort.
    pub from: Option<Micros>,
    /// The time before which entries must lie.
    pub to: Option<Micros>,
    /// What to count the values of.
    pub fields: Vec<FieldPath>,
    /// How many values of each are told.
    pub limit: usize,
}

/// The values of some fields.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Facets {
    /// How many entries match.
    pub total: u64,
    /// For each field what values they have, in the order asked for.
    pub facets: Vec<Facet>,
}

/// The values of one field.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Facet {
    /// The field.
    pub path: FieldPath,
    /// The most frequent values, the first of them most often; each count is exact.
    pub values: Vec<FacetValue>,
    /// How many different values there are.
    pub distinct: Distinct,
    /// How often entries have a value that is not told.
    pub other: u64,
    /// How many entries have no value. An entry may have several where the field is a member
    /// that is, or is in, a list.
    pub missing: u64,
}

/// A value and how many entries have it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FacetValue {
    /// The value as filters write it.
    pub value: String,
    /// How many entries have it.
    pub count: u64,
}

/// How many different values there are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Distinct {
    /// So many.
    Exactly(u64),
    /// There were more than one query counts apart: those that came last are not told, and a
    /// frequent one may be among them.
    MoreThan(u64),
}

impl Engine {
    /// Counts the values of fields over everything that matches.
    ///
    /// Costs the columns of the fields for each page that has matches: a few ns for each row and
    /// field whose values are stored as codes, up to 1 us for a member of `metadata`.
    ///
    /// # Errors
    /// Where a segment cannot be read or it takes too long.
    pub fn facets(&self, scope: &ReadScope, request: &FacetRequest) -> Result<Facets, Error> {
        let view = self.shelf.view();
        let window = (request.from, request.to);
        let matcher = Matcher::new(&request.filter, scope, window, view.end());
        let n_fields = request.fields.len();
        let mut tallies: Vec<Tally> =
            request.fields.iter().map(|path| Tally::new(path, "", n_fields)).collect();
        let total = self.tally(&view, &matcher, &mut tallies)?;
        let facets = tallies.into_iter().map(|tally| tally.finish(request.limit)).collect();
        Ok(Facets { total, facets })
    }

    /// Counts the values of everything that matches, and returns how much that is.
    pub(crate) fn tally(
        &self,
        view: &ShelfView,
        matcher: &Matcher,
        tallies: &mut [Tally],
    ) -> Result<u64, Error> {
        let mut deadline = self.deadline();
        let mut total = 0_usize;
        self.each_of_tail(view, matcher, &mut deadline, |row| {
            total = total.saturating_add(1);
            for tally in &mut *tallies {
                tally.row(&row);
            }
        })?;
        for segment in view.sealed.iter().filter(|segment| matcher.may_hold(segment.meta())) {
            let reader = segment.reader().map_err(Error::segment)?;
            let mut pages = Pages::new(&reader, matcher);
            for candidate in pages.as_stored() {
                deadline.look()?;
                total = total.saturating_add(pages.tally(&candidate, tallies)?);
            }
        }
        Ok(u64::try_from(total).unwrap_or(u64::MAX))
    }
}
