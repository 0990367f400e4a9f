//! Repository automation: tidy, generated pages; development only.
//!
//! ```text
//! cargo xtask tidy          checks what the compiler and clippy cannot
//! cargo xtask gen           writes the generated pages
//! cargo xtask gen --check   says which generated pages are out of date
//! ```

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "its output is for people")]

mod documents;
mod generate;
mod layers;
mod requirements;
mod sources;
mod tidy;
mod tree;
mod workspace;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(problems) if problems.is_empty() => ExitCode::SUCCESS,
        Ok(problems) => {
            for problem in &problems {
                println!("{problem}");
            }
            println!("{} problems", problems.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<Vec<String>> {
    let root = root()?;
    match words {
        ["tidy"] => tidy::tidy(&root),
        ["gen"] => generate::write(&root).map(|()| Vec::new()),
        ["gen", "--check"] => generate::check(&root),
        _ => bail!("usage: cargo xtask tidy | gen [--check]"),
    }
}

/// Returns the repository's root: two folders above this crate.
fn root() -> Result<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .map(Path::to_path_buf)
        .context("could not find the repository's root")
}
