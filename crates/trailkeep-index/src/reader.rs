//! Asks the index of a segment.

use bytes::Bytes;

use crate::error::Error;
use crate::layout::{Page, read_table};
use crate::wanted::{Tree, Wanted};

/// The index of a segment, checked.
#[derive(Clone, Debug)]
pub struct IndexReader {
    bytes: Bytes,
    pages: Box<[Page]>,
}

impl IndexReader {
    /// Opens an index and checks all of it, which takes about 0.1 ms a megabyte.
    ///
    /// # Errors
    /// Where the bytes are not those of an index, or of a later version.
    pub fn open(bytes: Bytes) -> Result<Self, Error> {
        let pages = read_table(&bytes)?.into_boxed_slice();
        Ok(Self { bytes, pages })
    }

    /// Returns the number of pages.
    pub fn n_pages(&self) -> usize {
        self.pages.len()
    }

    /// Tells whether a page may hold a row with everything wanted; `false` is certain. An item
    /// costs 10 to 60 ns. A page that the index does not know may hold anything.
    pub fn may_hold(&self, page: usize, wanted: &Wanted) -> bool {
        let Some(page) = self.pages.get(page) else { return true };
        let fingerprints = self.bytes.get(page.fingerprints.clone()).unwrap_or(&[]);
        may_hold(page, fingerprints, wanted.tree())
    }

    /// Returns the numbers of the pages that may hold a row with everything wanted.
    pub fn pages(&self, wanted: &Wanted) -> impl DoubleEndedIterator<Item = usize> {
        (0..self.pages.len()).filter(|page| self.may_hold(*page, wanted))
    }
}

fn may_hold(page: &Page, fingerprints: &[u8], tree: &Tree) -> bool {
    match tree {
        Tree::Always => true,
        Tree::Item(item) => page.shape.may_hold(fingerprints, *item),
        Tree::All(trees) => trees.iter().all(|tree| may_hold(page, fingerprints, tree)),
        Tree::Any(trees) => trees.iter().any(|tree| may_hold(page, fingerprints, tree)),
    }
}
