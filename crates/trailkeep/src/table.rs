//! Entries as lines for people.

use anyhow::Context;
use serde_json::Value;

use crate::output::push_safe;

/// The widest that a column gets.
const WIDTH_MAX: usize = 40;
const COLUMNS: [&str; 7] = ["TIME", "ACCOUNT", "ACTOR", "ACTION", "RESOURCE", "OUTCOME", "STATUS"];

/// Entries as lines of aligned columns. Columns only get wider from page to page.
#[derive(Debug)]
pub(crate) struct Table {
    widths: [usize; COLUMNS.len()],
    headed: bool,
}

type Cells = [String; COLUMNS.len()];

impl Table {
    /// Starts a table.
    pub(crate) fn new() -> Self {
        Self { widths: COLUMNS.map(str::len), headed: false }
    }

    /// Returns the lines of a page of entries; the first page has a head.
    pub(crate) fn page(&mut self, items: &[String]) -> anyhow::Result<Vec<String>> {
        let rows: Vec<Cells> = items.iter().map(|item| cells(item)).collect::<Result<_, _>>()?;
        for row in &rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        let mut lines = Vec::with_capacity(rows.len().saturating_add(1));
        if !self.headed && !rows.is_empty() {
            lines.push(self.line(&COLUMNS.map(str::to_owned)));
            self.headed = true;
        }
        lines.extend(rows.iter().map(|row| self.line(row)));
        Ok(lines)
    }

    fn line(&self, cells: &Cells) -> String {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(self.widths) {
            line.push_str(cell);
            let pad = width.saturating_sub(cell.chars().count()).saturating_add(2);
            line.extend(std::iter::repeat_n(' ', pad));
        }
        line.truncate(line.trim_end().len());
        line
    }
}

fn cells(item: &str) -> anyhow::Result<Cells> {
    let entry: Value = serde_json::from_str(item).context("an entry is not JSON")?;
    let text = |name: &str| match entry.get(name) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) => Some(other.to_string()),
    };
    let resource = match (text("resource_type"), text("resource_label").or(text("resource_id"))) {
        (Some(kind), Some(id)) => Some(format!("{kind}/{id}")),
        (kind, id) => kind.or(id).or(text("path")),
    };
    let cells = [
        text("occurred_at"),
        text("account_id"),
        text("actor_label").or(text("actor_id")),
        text("action"),
        resource,
        text("outcome"),
        text("status"),
    ];
    Ok(cells.map(|cell| cell.map_or_else(|| "-".to_owned(), |text| cut(&text))))
}

/// Cuts a cell to its width, marked by a dot at its end.
fn cut(text: &str) -> String {
    let mut safe = String::new();
    push_safe(&mut safe, text);
    if safe.chars().count() <= WIDTH_MAX {
        return safe;
    }
    let mut short: String = safe.chars().take(WIDTH_MAX.saturating_sub(2)).collect();
    short.push_str("..");
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_and_terminals_are_not_obeyed() {
        let items = [
            r#"{"occurred_at":"2026-04-20T12:00:00.000Z","account_id":"acme","actor_id":"usr_1","action":"license.suspended","status":200}"#,
            r#"{"occurred_at":"2026-04-20T12:00:00.000Z","account_id":"a\u001b[2J","action":"x","resource_type":"license","resource_id":"1","outcome":"denied"}"#,
        ];
        let lines = Table::new().page(&items.map(str::to_owned)).unwrap();
        insta::assert_snapshot!(lines.join("\n"), @r"
        TIME                      ACCOUNT     ACTOR  ACTION             RESOURCE   OUTCOME  STATUS
        2026-04-20T12:00:00.000Z  acme        usr_1  license.suspended  -          -        200
        2026-04-20T12:00:00.000Z  a\u{1b}[2J  -      x                  license/1  denied   -
        ");
    }
}
