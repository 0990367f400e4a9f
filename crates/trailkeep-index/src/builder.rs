//! Makes the index of a segment, page by page.

use trailkeep_event::{Field, FieldKind, Fields, ValueRef, action_key};

use crate::fold::fold_into;
use crate::fuse::Shape;
use crate::fuse_maker::FuseMaker;
use crate::item::{each_item, each_token_item, item};
use crate::item_set::ItemSet;
use crate::layout::{data_start, write_table};
use crate::leaves::each_leaf;
use crate::recent::Recent;

/// Collects the items of rows. A row of 27 values costs 1 to 2 us, of which the filters are a
/// fifth; values that the page had before cost next to nothing.
///
/// ```
/// use trailkeep_event::{Field, ValueRef};
/// use trailkeep_index::{Edge, IndexBuilder, IndexReader, Wanted};
///
/// let mut builder = IndexBuilder::new();
/// builder.value(Field::Path, ValueRef::Text("/v1/users/Alice"));
/// builder.end_page();
/// let index = IndexReader::open(builder.finish().into())?;
/// assert!(index.may_hold(0, &Wanted::piece("users/", Edge::Open, Edge::Open)));
/// # Ok::<(), trailkeep_index::Error>(())
/// ```
#[derive(Debug)]
pub struct IndexBuilder {
    items: ItemSet,
    recent: Recent,
    maker: FuseMaker,
    /// A value in lower case.
    folded: Vec<u8>,
    /// The page's items, for the maker.
    taken: Vec<u64>,
    pages: Vec<(Shape, u32)>,
    fingerprints: Vec<u8>,
}

impl IndexBuilder {
    /// Starts an index with no page.
    pub fn new() -> Self {
        Self {
            items: ItemSet::new(),
            recent: Recent::new(),
            maker: FuseMaker::default(),
            folded: Vec::new(),
            taken: Vec::new(),
            pages: Vec::new(),
            fingerprints: Vec::new(),
        }
    }

    /// Adds a row to the page.
    pub fn row(&mut self, row: &impl Fields) {
        for field in Field::in_row() {
            if let Some(value) = row.get(field) {
                self.value(field, value);
            }
        }
    }

    /// Adds one value of a row to the page, for readers that have the values in order.
    pub fn value(&mut self, field: Field, value: ValueRef<'_>) {
        match value {
            ValueRef::Text(text) if field != Field::ErrorStack => self.text(field, text),
            ValueRef::Json(json) if field == Field::Metadata => self.metadata(json),
            ValueRef::Int(status) if field == Field::Status => self.status(status),
            _ => {}
        }
    }

    fn text(&mut self, field: Field, text: &str) {
        if self.recent.had(field, text.as_bytes()) {
            return;
        }
        match field.kind() {
            // An action's key has other tokens than the action.
            _ if field == Field::Action => {
                self.tokens(text);
                self.whole(&action_key(text));
            }
            FieldKind::Id | FieldKind::Enum(_) => self.whole(text),
            _ => self.tokens(text),
        }
    }

    fn metadata(&mut self, json: &str) {
        if !self.recent.had(Field::Metadata, json.as_bytes()) {
            each_leaf(json, |leaf| self.tokens(leaf));
        }
    }

    /// Adds a value's tokens, and the whole of it unless they tell enough.
    fn whole(&mut self, text: &str) {
        self.fold(text);
        if !each_item(&self.folded, |item| self.items.insert(item)) {
            self.items.insert(item(&self.folded));
        }
    }

    /// Adds a text's tokens.
    fn tokens(&mut self, text: &str) {
        self.fold(text);
        each_token_item(&self.folded, |item| self.items.insert(item));
    }

    fn fold(&mut self, text: &str) {
        self.folded.clear();
        fold_into(&mut self.folded, text);
    }

    fn status(&mut self, status: i64) {
        if !self.recent.had(Field::Status, &status.to_le_bytes()) {
            self.items.insert(item(status.to_string().as_bytes()));
            self.items.insert(item(format!("{}xx", status.div_euclid(100)).as_bytes()));
        }
    }

    /// Ends the page; the next value belongs to the next one.
    pub fn end_page(&mut self) {
        let fits = self.items.take(&mut self.taken);
        self.recent.clear();
        let start = self.fingerprints.len();
        let mut shape = Shape::MAYBE;
        if fits.is_some() && self.has_room() {
            // Slots are not in the same order on the way from one page to the next; the bytes of
            // a filter are those of its set of items.
            self.taken.sort_unstable();
            shape = self.maker.make(&self.taken, &mut self.fingerprints);
        }
        let crc = crc32c::crc32c(self.fingerprints.get(start..).unwrap_or(&[]));
        self.pages.push((shape, crc));
    }

    /// Tells whether the offset after another page surely fits its 4 bytes.
    fn has_room(&self) -> bool {
        let end = data_start(self.pages.len()).saturating_add(self.fingerprints.len());
        u32::try_from(end.saturating_add(PAGE_BYTES_MAX)).is_ok()
    }

    /// Returns the index of the pages that were ended.
    pub fn finish(self) -> Vec<u8> {
        let n_bytes = data_start(self.pages.len()).saturating_add(self.fingerprints.len());
        let mut out = Vec::with_capacity(n_bytes);
        write_table(&mut out, &self.pages);
        out.extend_from_slice(&self.fingerprints);
        out
    }
}

/// More than the largest filter and a table of 16 million pages take.
const PAGE_BYTES_MAX: usize = 1 << 28;

impl Default for IndexBuilder {
    fn default() -> Self {
        Self::new()
    }
}
