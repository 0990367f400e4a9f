//! The examples of the reference page are valid mappings.

use trailkeep_import::Mapping;

#[test]
fn the_examples_of_the_page_are_read() {
    let page = include_str!("../../../../docs/reference/import.md");
    let examples: Vec<&str> =
        page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(examples.len(), 2);
    for example in examples {
        let mapping = Mapping::parse_toml(example);
        assert!(mapping.is_ok(), "{mapping:?}");
    }
}
