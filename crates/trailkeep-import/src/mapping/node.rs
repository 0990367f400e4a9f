//! A value of a TOML document that knows its place, for messages.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::MappingError;

/// How alike two words are before one is suggested for the other (0 to 1).
const ALIKE_MIN: f64 = 0.75;

/// A value of a TOML document that knows its place.
#[derive(Clone, Debug)]
pub(super) struct Node<'t> {
    document: &'t str,
    /// The keys that lead to it, joined by points.
    path: String,
    name: &'t str,
    at: usize,
    value: &'t DeValue<'t>,
}

impl<'t> Node<'t> {
    /// Returns the members of the document itself.
    pub(super) fn roots(document: &'t str, table: &'t DeTable<'t>) -> Vec<Self> {
        children(document, "", table)
    }

    /// Returns the last key.
    pub(super) fn name(&self) -> &'t str {
        self.name
    }

    /// Makes an error about this value.
    pub(super) fn error(&self, problem: impl Into<String>) -> MappingError {
        let line = line_of(self.document, self.at);
        MappingError::Key { line, key: self.path.clone(), problem: problem.into() }
    }

    /// Makes the error of a key that has no meaning here.
    pub(super) fn unknown<'c>(&self, known: impl IntoIterator<Item = &'c str>) -> MappingError {
        let known: Vec<&str> = known.into_iter().collect();
        let hint = suggest(self.name, &known).unwrap_or_else(|| known.join(", "));
        self.error(format!("not a key here; {hint}"))
    }

    /// Returns the members of a table.
    pub(super) fn table(&self) -> Result<Vec<Self>, MappingError> {
        let table = self.value.as_table().ok_or_else(|| self.wrong("a table"))?;
        Ok(children(self.document, &self.path, table))
    }

    /// Returns the items of a list, or the value itself as the only one.
    pub(super) fn one_or_more(&self) -> Vec<Self> {
        match self.value.as_array() {
            None => vec![self.clone()],
            Some(items) => items.iter().map(|item| self.item(item)).collect(),
        }
    }

    fn item(&self, item: &'t Spanned<DeValue<'t>>) -> Self {
        Self { at: item.span().start, value: item.get_ref(), ..self.clone() }
    }

    /// Returns a text.
    pub(super) fn text(&self) -> Result<&'t str, MappingError> {
        self.value.as_str().ok_or_else(|| self.wrong("a text"))
    }

    /// Returns a text or a list of texts.
    pub(super) fn texts(&self) -> Result<Vec<&'t str>, MappingError> {
        self.one_or_more().iter().map(Self::text).collect()
    }

    /// Returns the text of a text, an integer or a truth value.
    pub(super) fn scalar(&self) -> Result<String, MappingError> {
        match self.value {
            DeValue::String(text) => Ok(text.clone().into_owned()),
            DeValue::Integer(int) if int.radix() == 10 => Ok(int.as_str().to_owned()),
            DeValue::Boolean(truth) => Ok(truth.to_string()),
            _ => Err(self.wrong("a text, a number or a truth value")),
        }
    }

    fn wrong(&self, expected: &str) -> MappingError {
        self.error(format!("expected {expected}, found a value of type {}", self.value.type_str()))
    }
}

fn children<'t>(document: &'t str, path: &str, table: &'t DeTable<'t>) -> Vec<Node<'t>> {
    let mut nodes: Vec<Node<'t>> = table
        .iter()
        .map(|(key, value)| {
            let name = key.get_ref().as_ref();
            let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            Node { document, path, name, at: key.span().start, value: value.get_ref() }
        })
        .collect();
    nodes.sort_by_key(|node| node.at);
    nodes
}

/// Returns the line of a byte, from 1.
pub(super) fn line_of(document: &str, at: usize) -> usize {
    let before = document.bytes().take(at).filter(|byte| *byte == b'\n').count();
    before.saturating_add(1)
}

/// Says which of the known words was probably meant.
pub(super) fn suggest(word: &str, known: &[&str]) -> Option<String> {
    let scored = known.iter().map(|known| (strsim::jaro_winkler(word, known), known));
    let (score, best) = scored.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (score >= ALIKE_MIN).then(|| format!("did you mean `{best}`?"))
}
