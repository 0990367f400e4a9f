//! Finds one entry by its identifier.

use std::ops::RangeInclusive;

use trailkeep_event::{Cut, Entry, EventId, Field, Fields, Micros, ValueRef};
use trailkeep_filter::Filter;
use trailkeep_scope::ReadScope;
use trailkeep_segment::{PageCandidate, PageOrder, SegmentReader};

use crate::engine::{Deadline, Engine};
use crate::error::Error;
use crate::matcher::Matcher;

impl Engine {
    /// Finds an entry without an index: its identifier says in which batch it is, and when it was
    /// admitted. An entry outside the scope does not exist.
    ///
    /// Costs one column of the pages that have rows from before and after that time, about 10 us a
    /// page.
    ///
    /// # Errors
    /// Where its segment cannot be read or it takes too long.
    pub fn get(&self, scope: &ReadScope, id: EventId) -> Result<Option<Entry>, Error> {
        let key = self.shelf.key();
        let Some(position) = key.position(id) else { return Ok(None) };
        let view = self.shelf.view();
        let mut found = view.tail.find(key, position).map(trailkeep_event::EntryRef::to_entry);
        let mut deadline = self.deadline();
        for segment in view.sealed.iter().filter(|segment| segment.meta().covers(position)) {
            if found.is_some() {
                break;
            }
            let reader = segment.reader().map_err(Error::segment)?;
            found = find(&reader, scope, id, &mut deadline)?;
        }
        // The time in the identifier must be right too: only whole identifiers name an entry.
        Ok(found.filter(|entry| entry.stamp.id == id && scope.covers(&entry.view())))
    }
}

/// Finds an entry in a segment. Most entries sort near the time they were admitted at, so the
/// pages around that come first.
fn find(
    reader: &SegmentReader,
    scope: &ReadScope,
    id: EventId,
    deadline: &mut Deadline<'_>,
) -> Result<Option<Entry>, Error> {
    let millis = millis_of(id);
    let everything = Filter::everything();
    let matcher = Matcher::new(&everything, scope, (None, None), Cut::default());
    let query = reader.query(&everything, &matcher.plan());
    let mut candidates = query.candidates(PageOrder::Newest);
    let may_hold = |admitted: &RangeInclusive<Micros>| {
        (admitted.start().millis()..=admitted.end().millis()).contains(&millis)
    };
    candidates.retain(|candidate| reader.admitted(candidate.page).as_ref().is_none_or(may_hold));
    candidates.sort_by_key(|candidate| distance(candidate, millis));
    for candidate in &candidates {
        deadline.look()?;
        if let Some(row) = find_on_page(reader, candidate, id).map_err(Error::segment)? {
            return Ok(reader.fetch(&[row]).map_err(Error::segment)?.pop());
        }
    }
    Ok(None)
}

fn find_on_page(
    reader: &SegmentReader,
    candidate: &PageCandidate,
    id: EventId,
) -> Result<Option<u32>, trailkeep_segment::Error> {
    let millis = millis_of(id);
    let mut page = reader.page(candidate.page);
    let created_at = page.column(Field::CreatedAt)?.clone();
    let of_time = |row: &usize| {
        let micros = created_at.int(*row);
        micros.is_some_and(|micros| Micros(micros).millis() == millis)
    };
    let rows: Vec<usize> = (0..page.n_rows()).filter(of_time).collect();
    if rows.is_empty() {
        return Ok(None);
    }
    page.need(&[Field::Id])?;
    for row in rows {
        if page.row(row)?.get(Field::Id) == Some(ValueRef::Id(id)) {
            return Ok(page.number(row));
        }
    }
    Ok(None)
}

/// Returns how far the times of a page are from one, and prefers pages of few.
fn distance(candidate: &PageCandidate, millis: i64) -> (i64, i64) {
    let (earliest, latest) = (candidate.min_sort_at.millis(), candidate.max_sort_at.millis());
    let before = earliest.saturating_sub(millis);
    let behind = millis.saturating_sub(latest);
    (before.max(behind).max(0), latest.saturating_sub(earliest))
}

/// Returns the time of admission that an identifier states.
fn millis_of(id: EventId) -> i64 {
    id.0.iter().take(6).fold(0, |millis, byte| (millis << 8) | i64::from(*byte))
}
