//! The reference pages are what the program says (STYLE 34).

use std::path::Path;

use crate::command::run;

#[test]
fn pages_are_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for page in ["cli", "settings"] {
        let made = run(&root, &format!("reference {page}")).ok();
        let path = format!("docs/reference/{page}.md");
        let committed = std::fs::read_to_string(root.join(&path)).unwrap_or_default();
        assert!(
            made == committed,
            "{path} is stale: cargo run -p trailkeep -- reference {page} > {path}"
        );
    }
}
