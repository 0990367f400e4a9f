//! The bytes that no release may change.

use bytes::Bytes;
use trailkeep_event::{Field, Fields};
use trailkeep_index::{Edge, IndexBuilder, IndexReader, Wanted};
use trailkeep_testkit::{EventMaker, row_of};

const GOLDEN: &[u8] = include_bytes!("../golden/index-v2.tki");

fn rows() -> Vec<trailkeep_event::Row> {
    EventMaker::new(1).take(100).map(|line| row_of(&line)).collect()
}

pub(crate) fn index() -> Vec<u8> {
    let mut builder = IndexBuilder::new();
    for page in rows().chunks(40) {
        for row in page {
            builder.row(&row.view().unpack());
        }
        builder.end_page();
    }
    builder.finish()
}

#[test]
fn the_same_rows_make_the_same_bytes() {
    assert!(index() == GOLDEN, "the bytes of an index changed");
}

#[test]
fn the_golden_index_finds_its_rows() {
    let index = IndexReader::open(Bytes::from_static(GOLDEN)).unwrap();
    assert_eq!(index.n_pages(), 3);
    for (number, row) in rows().iter().enumerate() {
        let id = row.text(Field::CorrelationId).unwrap();
        let pages = |wanted: Wanted| index.pages(&wanted).collect::<Vec<_>>();
        assert_eq!(pages(Wanted::whole(id)), [number / 40]);
        assert_eq!(pages(Wanted::piece(id, Edge::Open, Edge::Open)), [number / 40]);
    }
    assert!(index.may_hold(3, &Wanted::whole("a page that the index does not know")));
}
