//! Checks what the compiler and clippy cannot.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;

use crate::tree::TextFile;
use crate::workspace::Crate;
use crate::{documents, layers, sources, tree, workspace};

/// Folders of golden files; a release that lost one could change a format unseen.
const GOLDEN_FOLDERS: &[&str] = &["crates/trailkeep-event/tests/golden/v1/"];
/// The page's length that its readers were promised.
const ARCHITECTURE_LINES_MAX: usize = 200;
/// The two commands that a newcomer needs.
const COMMANDS: &[&str] = &["make run", "make test"];

/// Runs every check and returns what is wrong.
pub(crate) fn tidy(root: &Path) -> Result<Vec<String>> {
    let crates = workspace::crates(root)?;
    let files = tree::read(root)?;
    let mut problems = layers::check(&crates);
    problems.extend(check_crates(&crates, &files));
    problems.extend(check_sources(root, &files));
    problems.extend(check_documents(&crates, &files));
    Ok(problems)
}

fn check_crates(crates: &[Crate], files: &[TextFile]) -> Vec<String> {
    let mut problems = Vec::new();
    for krate in crates {
        for path in &krate.roots {
            problems.extend(find(files, path).and_then(sources::check_head));
        }
        let manifest = format!("crates/{}/Cargo.toml", krate.name);
        match find(files, &manifest) {
            Some(file) => problems.extend(sources::check_lints(file)),
            None => problems.push(format!("{}: its folder has another name", krate.name)),
        }
    }
    problems
}

fn check_sources(root: &Path, files: &[TextFile]) -> Vec<String> {
    let mut problems = Vec::new();
    let machine = machine_paths(root);
    let rust: Vec<&TextFile> = files.iter().filter(|file| file.is_rust()).collect();
    for file in &rust {
        problems.extend(sources::check_stem(file));
        problems.extend(sources::check_ascii(file));
        problems.extend(sources::check_notes(file));
    }
    for file in files {
        problems.extend(sources::check_machine_paths(file, &machine));
    }
    problems.extend(sources::check_lengths(&rust, text(files, "tidy-long-files.txt")));
    problems
}

fn check_documents(crates: &[Crate], files: &[TextFile]) -> Vec<String> {
    let architecture = text(files, "ARCHITECTURE.md");
    let names: Vec<&str> = crates.iter().map(|krate| krate.name.as_str()).collect();
    let tests: BTreeSet<String> = files
        .iter()
        .filter(|file| file.is_rust())
        .flat_map(|file| documents::test_names(&file.text))
        .collect();
    let mut problems = documents::check_codemap(architecture, &names);
    let pending = text(files, "tidy-pending-tests.txt");
    problems.extend(documents::check_invariants(architecture, &tests, pending));
    let path = "ARCHITECTURE.md";
    problems.extend(documents::check_length(path, architecture, ARCHITECTURE_LINES_MAX));
    let decisions: Vec<&str> = files
        .iter()
        .filter_map(|file| file.path.strip_prefix("docs/adr/"))
        .filter(|name| *name != "README.md")
        .collect();
    problems.extend(documents::check_decisions(text(files, "docs/adr/README.md"), &decisions));
    let readme = text(files, "README.md");
    for command in COMMANDS.iter().filter(|command| !readme.contains(**command)) {
        problems.push(format!("README.md: lacks `{command}`"));
    }
    for folder in GOLDEN_FOLDERS {
        if !files.iter().any(|file| file.path.starts_with(folder)) {
            problems.push(format!("{folder}: the golden files are gone"));
        }
    }
    problems
}

fn find<'a>(files: &'a [TextFile], path: &str) -> Option<&'a TextFile> {
    files.iter().find(|file| file.path == path)
}

/// Returns a file's text; a file that is not there is empty, and fails the check it is for.
fn text<'a>(files: &'a [TextFile], path: &str) -> &'a str {
    find(files, path).map_or("", |file| &file.text)
}

/// Returns paths that mean something on this machine alone: where the repository and the
/// toolchain lie.
fn machine_paths(root: &Path) -> Vec<String> {
    let mut paths: Vec<String> = root.to_str().map(str::to_owned).into_iter().collect();
    if let Some(home) = std::env::var_os("HOME").and_then(|home| home.into_string().ok()) {
        paths.extend([".cargo", ".rustup"].map(|folder| format!("{home}/{folder}")));
    }
    paths.retain(|path| path.matches('/').count() > 1);
    paths
}
