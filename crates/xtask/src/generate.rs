//! Pages that are made from the code.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::{requirements, tree};

/// One generated page.
struct Page {
    path: &'static str,
    text: String,
}

/// Writes the pages that are out of date.
pub(crate) fn write(root: &Path) -> Result<()> {
    for page in pages(root)? {
        if is_current(root, &page) {
            continue;
        }
        let full = root.join(page.path);
        if let Some(folder) = full.parent() {
            fs::create_dir_all(folder)
                .with_context(|| format!("could not make the folder of `{}`", page.path))?;
        }
        write_page(&full, &page.text)
            .with_context(|| format!("could not write `{}`", page.path))?;
        println!("wrote {}", page.path);
    }
    Ok(())
}

/// Returns which pages are out of date.
pub(crate) fn check(root: &Path) -> Result<Vec<String>> {
    let stale = pages(root)?.into_iter().filter(|page| !is_current(root, page));
    Ok(stale.map(|page| format!("{}: out of date: run `cargo xtask gen`", page.path)).collect())
}

fn pages(root: &Path) -> Result<Vec<Page>> {
    let files = tree::read(root)?;
    Ok(vec![
        Page { path: "docs/reference/filter.md", text: trailkeep_filter::reference_page() },
        Page { path: requirements::PATH, text: requirements::page(&files) },
    ])
}

fn is_current(root: &Path, page: &Page) -> bool {
    fs::read_to_string(root.join(page.path)).is_ok_and(|text| text == page.text)
}

#[expect(clippy::disallowed_methods, reason = "a page can be made again: it needs no fsync")]
fn write_page(path: &Path, text: &str) -> std::io::Result<()> {
    fs::write(path, text)
}
