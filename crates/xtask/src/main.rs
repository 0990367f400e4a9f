//! Repository automation: tidy, generated pages, golden files; development only.
fn main() {}
