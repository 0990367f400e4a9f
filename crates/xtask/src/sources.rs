//! Rules for single files.

use std::collections::BTreeMap;

use crate::tree::TextFile;

/// Names that say nothing about what is in a file.
const BANNED_STEMS: &[&str] = &["utils", "util", "helpers", "helper", "common", "misc", "mod"];
/// From here on a file has to be listed.
const LONG_LINES: usize = 500;
/// No file is longer, listed or not.
const LINES_MAX: usize = 800;
/// How far down a crate's first file its `//!` line may stand.
const HEAD_LINES: usize = 8;

/// Checks that the first file of a crate says what the crate is.
pub(crate) fn check_head(file: &TextFile) -> Option<String> {
    let has_head = file.text.lines().take(HEAD_LINES).any(|line| line.starts_with("//!"));
    (!has_head).then(|| format!("{}: lacks a `//!` line that says what it is", file.path))
}

/// Checks a file's name.
pub(crate) fn check_stem(file: &TextFile) -> Option<String> {
    let name = file.path.rsplit('/').next().unwrap_or("");
    let stem = name.strip_suffix(".rs")?;
    BANNED_STEMS
        .contains(&stem)
        .then(|| format!("{}: name the file after its one type or verb", file.path))
}

/// Checks that source outside tests is ASCII, so that what is read is what is compiled.
pub(crate) fn check_ascii(file: &TextFile) -> Vec<String> {
    let mut problems = Vec::new();
    for (number, line) in file.production_lines() {
        if let Some(character) = line.chars().find(|c| !c.is_ascii()) {
            let escape = character.escape_unicode();
            problems.push(format!("{}:{number}: not ASCII: {escape}", file.path));
        }
    }
    problems
}

/// Checks that each note of unfinished work names its issue.
pub(crate) fn check_notes(file: &TextFile) -> Vec<String> {
    let word = concat!("TO", "DO");
    let mut problems = Vec::new();
    for (number, line) in (1..).zip(file.text.lines()) {
        let unnamed = line.split(word).skip(1).any(|rest| !names_an_issue(rest));
        if unnamed {
            problems.push(format!("{}:{number}: {word} carries an issue: {word}(#n)", file.path));
        }
    }
    problems
}

fn names_an_issue(rest: &str) -> bool {
    let Some((number, _rest)) = rest.strip_prefix("(#").and_then(|rest| rest.split_once(')'))
    else {
        return false;
    };
    !number.is_empty() && number.chars().all(|c| c.is_ascii_digit())
}

/// Checks that no path of the machine that the file was written on stands in it.
pub(crate) fn check_machine_paths(file: &TextFile, paths: &[String]) -> Vec<String> {
    let mut problems = Vec::new();
    for (number, line) in (1..).zip(file.text.lines()) {
        if paths.iter().any(|path| stands_alone(line, path)) {
            problems.push(format!("{}:{number}: names a path of this machine", file.path));
        }
    }
    problems
}

/// Tells whether `path` stands in the line as a path of its own, not as the end of another one.
fn stands_alone(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        !before.is_some_and(|c| c.is_alphanumeric() || "._-}/~".contains(c))
    })
}

/// Checks the lengths of files against the list of long ones, which may only shrink.
pub(crate) fn check_lengths(files: &[&TextFile], list: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let mut listed: BTreeMap<&str, usize> = BTreeMap::new();
    for line in list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.split_once(' ').and_then(|(path, n)| Some((path, n.trim().parse().ok()?))) {
            Some((path, n_lines)) => {
                listed.insert(path, n_lines);
            }
            None => problems.push(format!("tidy-long-files.txt: not `path lines`: {line}")),
        }
    }
    for file in files {
        let n_lines = file.n_production_lines();
        let allowed = listed.remove(file.path.as_str());
        problems.extend(check_length(&file.path, n_lines, allowed));
    }
    problems
        .extend(listed.keys().map(|path| format!("tidy-long-files.txt: `{path}` does not exist")));
    problems
}

fn check_length(path: &str, n_lines: usize, allowed: Option<usize>) -> Option<String> {
    if n_lines > LINES_MAX {
        return Some(format!("{path}: {n_lines} lines without tests, at most {LINES_MAX}"));
    }
    match allowed {
        None if n_lines > LONG_LINES => Some(format!(
            "{path}: {n_lines} lines without tests: split it, or list it in tidy-long-files.txt"
        )),
        Some(allowed) if n_lines > allowed => {
            Some(format!("{path}: grew from {allowed} to {n_lines} lines; it may only shrink"))
        }
        Some(_) if n_lines <= LONG_LINES => {
            Some(format!("{path}: no longer long: remove it from tidy-long-files.txt"))
        }
        _ => None,
    }
}

/// Checks that a crate takes the workspace's lints.
pub(crate) fn check_lints(manifest: &TextFile) -> Option<String> {
    let mut lines = manifest.text.lines().map(str::trim);
    let found = lines.any(|line| line == "[lints]")
        && lines.find(|line| !line.is_empty()) == Some("workspace = true");
    (!found).then(|| format!("{}: lacks [lints] workspace = true", manifest.path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> TextFile {
        TextFile { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn heads_stems_and_lints() {
        assert_eq!(check_head(&file("a/src/lib.rs", "//! What it is.\n")), None);
        assert_eq!(check_head(&file("a/tests/it/main.rs", "#![cfg(test)]\n//! Tests.\n")), None);
        assert!(check_head(&file("a/src/lib.rs", "mod a;\n")).is_some());
        assert!(check_stem(&file("a/src/utils.rs", "")).is_some());
        assert!(check_stem(&file("a/src/b/mod.rs", "")).is_some());
        assert_eq!(check_stem(&file("a/src/model.rs", "")), None);
        assert_eq!(check_lints(&file("Cargo.toml", "[lints]\nworkspace = true\n")), None);
        assert!(check_lints(&file("Cargo.toml", "[lints]\n[dependencies]\n")).is_some());
    }

    #[test]
    fn only_tests_may_hold_other_characters() {
        let text = "let a = \"\u{e9}\";\n#[cfg(test)]\nmod tests {\n\"\u{e9}\"\n}\n";
        assert_eq!(check_ascii(&file("a/src/b.rs", text)).len(), 1);
        assert_eq!(check_ascii(&file("a/tests/it/b.rs", text)).len(), 0);
    }

    #[test]
    fn notes_name_an_issue() {
        let word = concat!("TO", "DO");
        for (text, n_problems) in [
            (format!("// {word}(#12): x"), 0),
            (format!("// {word}: x"), 1),
            (format!("{word}(#)"), 1),
        ] {
            assert_eq!(check_notes(&file("a.rs", &text)).len(), n_problems, "{text}");
        }
    }

    #[test]
    fn machine_paths_stand_alone() {
        let paths = ["/srv/box".to_owned()];
        for (line, n_problems) in
            [("cd /srv/box/x", 1), ("`/srv/box`", 1), ("https://a.b/srv/box", 0), ("./srv/box", 0)]
        {
            let problems = check_machine_paths(&file("a.md", line), &paths);
            assert_eq!(problems.len(), n_problems, "{line}");
        }
    }

    #[test]
    fn the_list_of_long_files_only_shrinks() {
        let long = file("a/src/long.rs", &"x\n".repeat(600));
        let short = file("a/src/short.rs", "x\n");
        let huge = file("a/src/huge.rs", &"x\n".repeat(801));
        let check = |list: &str| check_lengths(&[&long, &short], list).len();
        assert_eq!(check("# why\na/src/long.rs 600\n"), 0);
        assert_eq!(check("a/src/long.rs 650\n"), 0);
        assert_eq!(check("a/src/long.rs 599\n"), 1);
        assert_eq!(check(""), 1);
        assert_eq!(check("a/src/long.rs 600\na/src/short.rs 600\n"), 1);
        assert_eq!(check("a/src/long.rs 600\na/src/gone.rs 600\n"), 1);
        assert_eq!(check_lengths(&[&huge], "a/src/huge.rs 900\n").len(), 1);
    }
}
