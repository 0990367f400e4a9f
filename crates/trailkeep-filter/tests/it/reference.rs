//! The committed page is the one that the tables make.

#[test]
fn the_reference_page_is_up_to_date() {
    let committed = include_str!("../../../../docs/reference/filter.md");
    assert_eq!(committed, trailkeep_filter::reference_page(), "run `cargo xtask gen`");
}
