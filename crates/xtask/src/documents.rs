//! Rules for pages.

use std::collections::{BTreeSet, HashMap};

/// How an invariant says that its test is still to be written.
const PENDING: &str = "(pending)";

/// Checks the codemap of ARCHITECTURE.md: one row a crate.
pub(crate) fn check_codemap(page: &str, crates: &[&str]) -> Vec<String> {
    let mut n_rows: HashMap<&str, usize> = HashMap::new();
    for name in page.lines().filter_map(codemap_name) {
        *n_rows.entry(name).or_default() += 1;
    }
    let mut problems = Vec::new();
    for name in crates {
        match n_rows.remove(name) {
            Some(1) => {}
            Some(_) => problems.push(format!("ARCHITECTURE.md: `{name}` stands twice")),
            None => problems.push(format!("ARCHITECTURE.md: the codemap lacks `{name}`")),
        }
    }
    let mut unknown: Vec<_> = n_rows.keys().collect();
    unknown.sort_unstable();
    problems
        .extend(unknown.iter().map(|name| format!("ARCHITECTURE.md: there is no crate `{name}`")));
    problems
}

/// Reads the name from a row like ``| `trailkeep-event` | ... |``.
fn codemap_name(line: &str) -> Option<&str> {
    let (name, _rest) = line.strip_prefix("| `")?.split_once("` |")?;
    (name == "xtask" || name.starts_with("trailkeep")).then_some(name)
}

/// Checks the invariants of ARCHITECTURE.md: each numbered line names tests that exist, or is
/// listed as pending.
pub(crate) fn check_invariants(
    page: &str,
    tests: &BTreeSet<String>,
    pending_list: &str,
) -> Vec<String> {
    let pending: BTreeSet<&str> =
        pending_list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    for (number, line) in invariants(page) {
        seen.insert(number);
        let Some((_before, named)) = line.rsplit_once("test: ") else {
            problems.push(format!("ARCHITECTURE.md: invariant {number} names no test"));
            continue;
        };
        let is_pending = named.trim() == PENDING;
        if is_pending && !pending.contains(number) {
            problems.push(format!("ARCHITECTURE.md: invariant {number} has no test yet"));
        }
        if !is_pending && pending.contains(number) {
            problems
                .push(format!("tidy-pending-tests.txt: {number} has its test: remove the line"));
        }
        let names: Vec<&str> = named.split('`').skip(1).step_by(2).collect();
        if !is_pending && names.is_empty() {
            problems.push(format!("ARCHITECTURE.md: invariant {number} names no test"));
        }
        for name in names.iter().filter(|name| !tests.contains(**name)) {
            problems.push(format!("ARCHITECTURE.md: invariant {number}: no test `{name}`"));
        }
    }
    for number in pending.difference(&seen) {
        problems.push(format!("tidy-pending-tests.txt: there is no invariant {number}"));
    }
    problems
}

/// Returns the numbered lines of the page's part about invariants.
fn invariants(page: &str) -> impl Iterator<Item = (&str, &str)> {
    page.lines()
        .skip_while(|line| *line != "## Invariants")
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
        .filter_map(|line| line.split_once(". "))
        .filter(|(number, _line)| number.parse::<u32>().is_ok())
}

/// Checks that the index names each decision, and only those that exist.
pub(crate) fn check_decisions(index: &str, files: &[&str]) -> Vec<String> {
    let mut problems = Vec::new();
    for file in files {
        if !index.contains(&format!("]({file})")) {
            problems.push(format!("docs/adr/README.md: the index lacks {file}"));
        }
    }
    let links = index.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    for (link, _rest) in links {
        let is_decision = link.starts_with(|c: char| c.is_ascii_digit());
        if is_decision && !files.contains(&link) {
            problems.push(format!("docs/adr/README.md: there is no {link}"));
        }
    }
    problems
}

/// Checks that a page is no longer than a reader's patience.
pub(crate) fn check_length(path: &str, page: &str, lines_max: usize) -> Option<String> {
    let n_lines = page.lines().count();
    (n_lines > lines_max).then(|| format!("{path}: {n_lines} lines, at most {lines_max}"))
}

/// Returns the names of the functions in a source file that carry `#[test]` or stand in a
/// property test.
pub(crate) fn test_names(source: &str) -> impl Iterator<Item = String> {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let mut names = Vec::new();
    let mut marked = false;
    for line in lines {
        if is_test_attribute(line) {
            marked = true;
        } else if let Some(name) = function_name(line) {
            if marked {
                names.push(name.to_owned());
            }
            marked = false;
        }
    }
    names.into_iter()
}

/// Tells whether a line marks the next function as a test.
fn is_test_attribute(line: &str) -> bool {
    line == "#[test]" || line.starts_with("#[tokio::test")
}

/// Reads the name from a line that starts a function.
pub(crate) fn function_name(line: &str) -> Option<&str> {
    let (_before, after) = line.split_once("fn ")?;
    let (name, _rest) = after.split_once(['(', '<'])?;
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (plain && !line.starts_with("//")).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codemap_has_one_row_a_crate() {
        let page = "| `trailkeep-a` | x |\n| `trailkeep-b` | x |\n| `trailkeep-b` | x |\n\
                    | `trailkeep-gone` | x |\n| `other` | x |\n";
        let problems = check_codemap(page, &["trailkeep-a", "trailkeep-b", "trailkeep-c"]);
        assert_eq!(problems.len(), 3, "{problems:?}");
    }

    #[test]
    fn invariants_name_their_tests() {
        let page = "## Invariants\n1. One. test: `a`\n2. Two. test: (pending)\n3. Three.\n\
                    4. Four. test: `a`, `gone`\n## Next\n5. Five.\n";
        let tests = BTreeSet::from(["a".to_owned()]);
        assert_eq!(check_invariants(page, &tests, "# why\n2\n").len(), 2);
        assert_eq!(check_invariants(page, &tests, "").len(), 3);
        assert_eq!(check_invariants(page, &tests, "1\n2\n9\n").len(), 4);
    }

    #[test]
    fn the_index_of_decisions_is_complete() {
        let index = "- [One](001-one.md)\n- [Three](003-three.md)\n- [Style](../STYLE.md)\n";
        assert_eq!(check_decisions(index, &["001-one.md", "002-two.md"]).len(), 2);
        assert_eq!(check_decisions(index, &["001-one.md", "003-three.md"]).len(), 0);
    }

    #[test]
    fn tests_are_found() {
        let source = "#[test]\nfn one() {}\nfn two() {}\n#[tokio::test]\nasync fn three() {}\n\
                      #[test]\n#[expect(x)]\nfn four(\n";
        assert_eq!(test_names(source).collect::<Vec<_>>(), ["one", "three", "four"]);
    }
}
