//! The repository's text files, read once.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Folders that hold nothing of ours.
const SKIPPED: &[&str] =
    &[".git", "target", "node_modules", "trailkeep-data", ".cache", "corpus", "artifacts"];
/// Larger files are data, not text to check.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// One text file.
#[derive(Debug)]
pub(crate) struct TextFile {
    /// The path below the root, with `/`.
    pub(crate) path: String,
    /// What is in it.
    pub(crate) text: String,
}

impl TextFile {
    /// Returns what follows the last dot of the path.
    pub(crate) fn extension(&self) -> &str {
        self.path.rsplit_once('.').map_or("", |(_stem, extension)| extension)
    }

    /// Tells whether the file is Rust source.
    pub(crate) fn is_rust(&self) -> bool {
        self.extension() == "rs"
    }

    /// Tells whether the whole file is test code.
    pub(crate) fn is_test(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("/tests.rs")
    }

    /// Returns how many lines stand before the inline tests.
    pub(crate) fn n_production_lines(&self) -> usize {
        if self.is_test() {
            return 0;
        }
        let lines: Vec<&str> = self.text.lines().map(str::trim).collect();
        lines
            .windows(2)
            .position(|pair| matches!(pair, ["#[cfg(test)]", second] if second.starts_with("mod ")))
            .unwrap_or(lines.len())
    }

    /// Returns the lines before the inline tests, numbered from 1.
    pub(crate) fn production_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines()).take(self.n_production_lines())
    }
}

/// Reads every text file below the root, in the order of their paths.
pub(crate) fn read(root: &Path) -> Result<Vec<TextFile>> {
    let mut files = Vec::new();
    read_folder(root, "", &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn read_folder(root: &Path, folder: &str, files: &mut Vec<TextFile>) -> Result<()> {
    let full = root.join(folder);
    let entries = fs::read_dir(&full).with_context(|| format!("could not list `{folder}`"))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("could not list `{folder}`"))?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        let kind = entry.file_type().with_context(|| format!("could not look at `{path}`"))?;
        if kind.is_dir() && !SKIPPED.contains(&name.as_str()) {
            read_folder(root, &path, files)?;
        } else if kind.is_file() {
            read_file(root, path, files)?;
        }
    }
    Ok(())
}

fn read_file(root: &Path, path: String, files: &mut Vec<TextFile>) -> Result<()> {
    let full = root.join(&path);
    let bytes_len = full.metadata().with_context(|| format!("could not look at `{path}`"))?.len();
    if bytes_len > FILE_BYTES_MAX {
        return Ok(());
    }
    let bytes = fs::read(&full).with_context(|| format!("could not read `{path}`"))?;
    if let Ok(text) = String::from_utf8(bytes) {
        files.push(TextFile { path, text });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn production_ends_where_the_inline_tests_begin() {
        let lines = |path: &str, text: &str| {
            TextFile { path: path.to_owned(), text: text.to_owned() }.n_production_lines()
        };
        assert_eq!(lines("a/src/b.rs", "one\ntwo\n\n#[cfg(test)]\nmod tests {\n}\n"), 3);
        assert_eq!(lines("a/src/b.rs", "#[cfg(test)]\nfn f() {}\n"), 2);
        assert_eq!(lines("a/tests/it/main.rs", "one\n"), 0);
        assert_eq!(lines("a/src/b/tests.rs", "one\n"), 0);
    }
}
