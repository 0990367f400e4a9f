//! The table of requirements and where each is proven, from the tags in tests and pages.

use std::collections::{BTreeMap, BTreeSet};

use crate::documents::function_name;
use crate::tree::TextFile;

/// Where the page is.
pub(crate) const PATH: &str = "docs/requirements.md";
/// The last requirement.
const LAST: u32 = 462;

/// Where requirements are proven: places by number.
type Proofs = BTreeMap<u32, BTreeSet<String>>;

/// Makes the page.
pub(crate) fn page(files: &[TextFile]) -> String {
    let mut proofs = Proofs::new();
    for file in files {
        // The tests of this page's own maker are full of tags.
        if file.path.starts_with("crates/xtask/") {
            continue;
        }
        if file.is_rust() {
            collect_tests(file, &mut proofs);
        } else if is_page(file) {
            for number in numbers(&file.text) {
                proofs.entry(number).or_default().insert(format!("`{}`", file.path));
            }
        }
    }
    let mut page = format!(
        "# Requirements and where they are proven\n\n\
         Made by `cargo xtask gen` from the tags (like `R65`) in the comments of tests and in \
         pages; do not edit.\n{} of {LAST} requirements are named.\n\n\
         | requirement | proven by |\n|---|---|\n",
        proofs.len()
    );
    for (number, places) in proofs {
        let places: Vec<&str> = places.iter().map(String::as_str).collect();
        page.extend(["| R", &number.to_string(), " | ", &places.join(", "), " |\n"]);
    }
    page
}

/// Tells whether a page may prove a requirement: decisions and style only speak about them.
fn is_page(file: &TextFile) -> bool {
    let path = file.path.as_str();
    let tells = path.starts_with("docs/") || path == "README.md" || path == "SECURITY.md";
    tells && file.extension() == "md" && path != PATH && !path.starts_with("docs/adr/")
}

/// Adds what the comments of a source file's tests name. A tag belongs to the function that
/// starts right below its comment, else to the one it stands in.
fn collect_tests(file: &TextFile, proofs: &mut Proofs) {
    let lines: Vec<&str> =
        file.text.lines().skip(file.n_production_lines()).map(str::trim).collect();
    let mut inside = None;
    for (index, line) in lines.iter().enumerate() {
        inside = function_name(line).or(inside);
        let Some((_code, comment)) = line.split_once("//") else { continue };
        let below = lines.iter().skip(index).find(|line| !is_between(line));
        let name = below.and_then(|line| function_name(line)).or(inside);
        let place = match name {
            Some(name) => format!("`{}` {name}", file.path),
            None => format!("`{}`", file.path),
        };
        for number in numbers(comment) {
            proofs.entry(number).or_default().insert(place.clone());
        }
    }
}

/// Tells whether a line may stand between a comment and the function that it is about.
fn is_between(line: &str) -> bool {
    line.is_empty()
        || line.starts_with("//")
        || line.starts_with("#[")
        || line.starts_with("proptest! {")
}

/// Reads the requirements that a text names: `R65`, or `R70-R74` for all five.
fn numbers(text: &str) -> impl Iterator<Item = u32> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices('R') {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let rest = text.get(at..).unwrap_or("");
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-') {
            continue;
        }
        let Some((first, rest)) = number(rest) else { continue };
        let last = rest.strip_prefix('-').and_then(number);
        let (last, rest) = last.unwrap_or((first, rest));
        if !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            found.extend((first..=last).filter(|number| (1..=LAST).contains(number)));
        }
    }
    found.into_iter()
}

/// Reads `R` and a number; returns what follows too.
fn number(text: &str) -> Option<(u32, &str)> {
    let digits = text.strip_prefix('R')?;
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let (number, rest) = digits.split_at_checked(end)?;
    Some((number.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read() {
        let cases: &[(&str, &[u32])] = &[
            ("R65", &[65]),
            ("(R45, R46)", &[45, 46]),
            ("R70-R74.", &[70, 71, 72, 73, 74]),
            ("R0 R463 R5x xR5 R_5 VAR5 R", &[]),
        ];
        for (text, found) in cases {
            assert_eq!(numbers(text).collect::<Vec<_>>(), *found, "{text}");
        }
    }

    #[test]
    fn tags_belong_to_tests() {
        let text = "// R1\nfn production() {}\n#[cfg(test)]\nmod tests {\n    // R2\n    #[test]\n    \
                    fn two() {\n        check(1); // R3\n        // R4\n        check(2);\n    }\n}\n";
        let file = TextFile { path: "a/src/b.rs".to_owned(), text: text.to_owned() };
        let docs = TextFile { path: "docs/a.md".to_owned(), text: "Says (R2).\n".to_owned() };
        let page = page(&[file, docs]);
        let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| R")).collect();
        assert_eq!(
            rows,
            [
                "| R2 | `a/src/b.rs` two, `docs/a.md` |",
                "| R3 | `a/src/b.rs` two |",
                "| R4 | `a/src/b.rs` two |",
            ]
        );
    }
}
