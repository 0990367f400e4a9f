//! Where figures go: to the reader at once, and to a file at the end.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::figure::Figure;

/// Begins a group of figures.
pub(crate) fn begin(title: &str) {
    println!("\n{title}");
}

/// Says what is being done or was checked, for a reader who waits.
pub(crate) fn note(text: &str) {
    println!("  ({text})");
}

/// What was measured so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    machine: Vec<(&'static str, String)>,
    figures: Vec<Figure>,
    skipped: Vec<String>,
    /// What the peers' script answered, as it is.
    peers: Vec<Value>,
}

impl Report {
    pub(crate) fn machine(&mut self, properties: Vec<(&'static str, String)>) {
        for (name, value) in &properties {
            println!("{name:<12} {value}");
        }
        self.machine = properties;
    }

    pub(crate) fn add(&mut self, figure: Figure) {
        println!("{}", figure.line());
        self.figures.push(figure);
    }

    pub(crate) fn add_peer(&mut self, answer: Value) {
        self.peers.push(answer);
    }

    /// Says that something is not measured, so that nobody takes it for measured.
    pub(crate) fn skip(&mut self, what: &str, why: &str) {
        let line = format!("SKIPPED: {what}: {why}");
        println!("  {line}");
        self.skipped.push(line);
    }

    /// Sums up, and writes everything to a file where one is named.
    pub(crate) fn finish(self, path: Option<&Path>) -> Result<()> {
        for line in &self.skipped {
            println!("\n{line}");
        }
        let Some(path) = path else { return Ok(()) };
        let machine: serde_json::Map<String, Value> =
            self.machine.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        let whole = json!({
            "machine": machine,
            "figures": self.figures,
            "peers": self.peers,
            "skipped": self.skipped,
        });
        let text = serde_json::to_string_pretty(&whole).context("could not write the figures")?;
        let mut file =
            File::create(path).with_context(|| format!("could not create {}", path.display()))?;
        file.write_all(text.as_bytes())
            .with_context(|| format!("could not write {}", path.display()))
    }
}
