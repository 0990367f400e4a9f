//! The index of a segment: made with it, read when a query can use it, made again where it is
//! lost.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use trailkeep_event::{Field, FieldKind, Fields, ValueRef};
use trailkeep_index::{IndexBuilder, IndexReader};

use crate::column::Column;
use crate::cursor::EntryCursor;
use crate::layout::{
    MEMBERS, METADATA, N_COLUMNS, N_STORED, PAGE_ROWS_MAX, SECTIONS, SHAPE, uuid_field,
};
use crate::merge::Run;
use crate::meta::sha256_hex;
use crate::numbers::index;
use crate::page::{Dictionary, NO_CODE};
use crate::shape::Shapes;
use crate::values::Values;
use crate::verbatim::read_sections;
use crate::{Error, SegmentReader};

/// Makes the index of the rows of a segment, in their order.
#[derive(Debug)]
pub(crate) struct IndexMaker {
    builder: IndexBuilder,
    /// How many rows the last page has so far.
    n_rows: usize,
    /// For each input, row group and column when a page last had the values of the dictionary.
    met: HashMap<(usize, usize, usize), Vec<u32>>,
    /// The same for shapes.
    met_shapes: Vec<u32>,
    /// The number of the page, from 1.
    page: u32,
}

impl IndexMaker {
    pub(crate) fn new() -> Self {
        Self {
            builder: IndexBuilder::new(),
            n_rows: 0,
            met: HashMap::new(),
            met_shapes: Vec::new(),
            page: 1,
        }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, row: &impl Fields) {
        self.builder.row(row);
        self.passed(1);
    }

    /// Adds rows of a merge that are all of one page. A value of a dictionary is looked at once
    /// for each page.
    pub(crate) fn rows(&mut self, run: &Run, shapes: &Shapes, rows: Range<usize>) {
        let mut at = rows.start;
        for row in rows.clone() {
            if let Some(bytes) = run.column(SECTIONS).and_then(|sections| sections.bytes(row)) {
                self.columns(run, shapes, at..row);
                at = row.saturating_add(1);
                // What the columns hold is not what the row is.
                if let Some(row) = read_sections(bytes) {
                    self.builder.row(&row);
                }
            }
        }
        self.columns(run, shapes, at..rows.end);
        self.passed(rows.len());
    }

    fn columns(&mut self, run: &Run, shapes: &Shapes, rows: Range<usize>) {
        let (input, group) = run.source();
        self.shapes(run.shapes().get(rows.clone()).unwrap_or(&[]), shapes);
        for column in (0..N_STORED).filter(|column| *column != SHAPE) {
            let values = run.column(column).filter(|values| !values.is_absent());
            let Some((field, values)) = indexed(column).zip(values) else { continue };
            let Column::Coded(codes, dictionary) = values else {
                rows.clone().for_each(|row| self.plain((field, column), values, row));
                continue;
            };
            let when = self.met.entry((input, group, column)).or_default();
            let met = Met { when, page: self.page };
            met.each_new(codes.get(rows.clone()).unwrap_or(&[]), dictionary, |code| {
                if let Some(value) = dictionary.value(field, code) {
                    self.builder.value(field, value);
                }
            });
        }
        if !run.paths().is_absent() {
            for path in rows.filter_map(|row| run.paths().text(row)) {
                self.builder.value(Field::Path, ValueRef::Text(path));
            }
        }
    }

    fn plain(&mut self, (field, column): (Field, usize), values: &Column, row: usize) {
        if let Some((_, form)) = uuid_field(column) {
            if let Some(uuid) = values.uuid(row) {
                self.builder.value(field, ValueRef::Text(form.write(uuid, &mut [0; 36])));
            }
        } else if let Some(value) = values.value(field, row) {
            self.builder.value(field, value);
        }
    }

    fn shapes(&mut self, codes: &[u32], shapes: &Shapes) {
        for code in codes.iter().filter(|code| **code != NO_CODE) {
            let at = index(*code);
            if at >= self.met_shapes.len() {
                self.met_shapes.resize(at.saturating_add(1), 0);
            }
            let Some(met) = self.met_shapes.get_mut(at) else { continue };
            if std::mem::replace(met, self.page) != self.page
                && let Some(shape) = shapes.row(*code)
            {
                self.builder.row(&shape);
            }
        }
    }

    fn passed(&mut self, n_rows: usize) {
        self.n_rows = self.n_rows.saturating_add(n_rows);
        if self.n_rows >= PAGE_ROWS_MAX {
            self.builder.end_page();
            self.n_rows = 0;
            self.page = self.page.saturating_add(1);
        }
    }

    /// Returns the index's bytes.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        if self.n_rows > 0 {
            self.builder.end_page();
        }
        self.builder.finish()
    }
}

/// When a page last had each value of a dictionary.
struct Met<'a> {
    when: &'a mut Vec<u32>,
    page: u32,
}

impl Met<'_> {
    /// Calls `visit` with each code that the page did not have before.
    fn each_new(self, codes: &[u32], dictionary: &Dictionary, mut visit: impl FnMut(u32)) {
        self.when.resize(dictionary.len(), 0);
        for code in codes {
            if let Some(when) = self.when.get_mut(index(*code))
                && std::mem::replace(when, self.page) != self.page
            {
                visit(*code);
            }
        }
    }
}

/// Returns the field that a stored column's values are looked for in; `None` where the index has
/// none of them. Paths are put together first.
fn indexed(column: usize) -> Option<Field> {
    if let Some((field, _form)) = uuid_field(column) {
        return Some(field);
    }
    match column {
        MEMBERS.. | METADATA => Some(Field::Metadata),
        N_COLUMNS.. => None,
        _ => Field::in_row().nth(column).filter(|field| {
            let is_text =
                matches!(field.kind(), FieldKind::Id | FieldKind::Text | FieldKind::Enum(_));
            *field != Field::Path && (is_text || *field == Field::Status)
        }),
    }
}

impl SegmentReader {
    /// Returns the index; `None` where it is lost or damaged, which is logged once: then any page
    /// may hold anything.
    pub(crate) fn index(&self) -> Option<Arc<IndexReader>> {
        let key = self.meta().cache_key();
        let cache = &self.store().caches().indexes;
        if let Some(index) = cache.get(&key) {
            return Some(index);
        }
        if self.index_lost().load(Ordering::Relaxed) {
            return None;
        }
        let read = self.read_index();
        if let Some(index) = &read {
            cache.put(key, Arc::clone(index), self.meta().index_bytes);
        } else if !self.index_lost().swap(true, Ordering::Relaxed) {
            let segment = &self.meta().id;
            tracing::warn!(%segment, "the index is lost or damaged: queries read every page");
        }
        read
    }

    fn read_index(&self) -> Option<Arc<IndexReader>> {
        let meta = self.meta();
        let bytes = self.store().get_range(&meta.index_key, 0..meta.index_bytes).ok()?;
        if sha256_hex(&bytes) != meta.index_sha256 {
            return None;
        }
        IndexReader::open(bytes).ok().map(Arc::new)
    }

    /// Tells whether the index was found to be lost or damaged when it was needed.
    pub fn needs_index(&self) -> bool {
        self.index_lost().load(Ordering::Relaxed)
    }

    /// Makes the index again from the rows and replaces the one that is lost or damaged. Queries
    /// may run meanwhile: they read every page. A crash leaves the segment without an index.
    ///
    /// Costs a walk over the whole segment, about 3 us a row.
    ///
    /// # Errors
    /// Where the rows cannot be read, do not make the index that was there before, or the store
    /// refuses.
    pub fn rebuild_index(&self) -> Result<(), Error> {
        let meta = self.meta();
        let mut index = IndexMaker::new().finish();
        // A segment that was just sealed has an index without pages.
        if sha256_hex(&index) != meta.index_sha256 {
            let mut maker = IndexMaker::new();
            let mut cursor = EntryCursor::open(self.clone())?;
            while let Some(located) = cursor.next()? {
                maker.row(&Values::of(located.entry.row.view()));
            }
            index = maker.finish();
        }
        if sha256_hex(&index) != meta.index_sha256 {
            let (segment, column) = (meta.id.clone(), "index");
            return Err(Error::Corrupt { segment, column, offset: 0 });
        }
        self.store().delete(&meta.index_key)?;
        self.store().put_new(&meta.index_key, index.into())?;
        self.index_lost().store(false, Ordering::Relaxed);
        tracing::info!(segment = %meta.id, "made an index again");
        Ok(())
    }
}
