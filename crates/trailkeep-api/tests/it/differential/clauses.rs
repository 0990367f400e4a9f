//! Filters, each with the condition of SQL that means the same by the reference page.

use trailkeep_testkit::Random;

use super::oracle::{Stored, lit, low};

/// How often a row that has a value is looked for.
pub(super) const TRIES: usize = 30;
/// What a pattern without quotes may hold beside letters and digits.
const PLAIN: &str = "-_./%[]?{}@+,#'~";
/// How a clause is joined, which says where it needs parentheses.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Join {
    One,
    All,
    Any,
}

/// A filter and the same in SQL, which is true or false, never null.
#[derive(Clone, Debug)]
pub(super) struct Clause {
    pub(super) q: String,
    pub(super) sql: String,
    join: Join,
}

impl Clause {
    /// Takes a filter and its condition as they are.
    pub(super) fn given(q: &str, condition: &str) -> Self {
        Self::one(q.to_owned(), condition)
    }

    pub(super) fn one(q: String, condition: &str) -> Self {
        Self { q, sql: format!("coalesce(({condition}), 0)"), join: Join::One }
    }

    pub(super) fn everything() -> Self {
        Self { q: String::new(), sql: "1".to_owned(), join: Join::One }
    }

    pub(super) fn not(self, random: &mut Random) -> Self {
        let sign = *random.pick(&["-", "NOT "]);
        let q = if self.join == Join::One && !self.q.starts_with(['-', 'N']) {
            format!("{sign}{}", self.q)
        } else {
            format!("{sign}({})", self.q)
        };
        Self { q, sql: format!("NOT {}", self.sql), join: Join::One }
    }

    fn with(self, other: Self, join: Join, random: &mut Random) -> Self {
        let parts = [self, other];
        let written = parts
            .iter()
            .map(|part| if part.join > join { format!("({})", part.q) } else { part.q.clone() });
        let (between, sql) = match join {
            Join::Any => (" OR ", " OR "),
            _ => (*random.pick(&[" ", " AND "]), " AND "),
        };
        let q = written.collect::<Vec<_>>().join(between);
        let sql = format!("({}{sql}{})", parts[0].sql, parts[1].sql);
        Self { q, sql, join }
    }
}

/// Makes clauses about what is stored.
pub(super) struct Maker<'a> {
    pub(super) random: &'a mut Random,
    pub(super) stored: &'a [Stored],
}

/// Writes a text in quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Tells whether a text can be written without quotes, where stars have their meaning.
fn is_plain(text: &str) -> bool {
    let some = text.chars().any(char::is_alphanumeric);
    let each = text.chars().all(|c| c.is_alphanumeric() || c == '*' || PLAIN.contains(c));
    some && each
        && !text.starts_with('-')
        && !text.contains("..")
        && !["OR", "AND", "NOT"].contains(&text)
}

/// Returns a pattern with stars as GLOB writes it.
pub(super) fn glob(pattern: &str) -> String {
    let escape = |c: char| match c {
        '[' => "[[]".to_owned(),
        '?' => "[?]".to_owned(),
        other => other.to_string(),
    };
    lit(&pattern.chars().map(escape).collect::<String>())
}

/// Returns a condition that holds where a test on one of the columns does.
pub(super) fn any_of(columns: &[&str], test: impl Fn(&str) -> String) -> String {
    columns.iter().map(|column| test(column)).collect::<Vec<_>>().join(" OR ")
}

impl Maker<'_> {
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.random.below(100) < percent
    }

    pub(super) fn row(&mut self) -> &Stored {
        self.random.pick(self.stored)
    }

    /// Returns a value that some entry has.
    pub(super) fn value(&mut self, columns: &[&str]) -> String {
        let column = *self.random.pick(columns);
        let tries = (0..TRIES).find_map(|_| self.row().text(column).map(str::to_owned));
        tries.unwrap_or_else(|| "nothing".to_owned())
    }

    pub(super) fn int(&mut self, column: &str) -> i64 {
        let tries = (0..TRIES).find_map(|_| match column {
            "seq" => i64::try_from(self.row().seq).ok(),
            _ => self.row().int(column),
        });
        tries.unwrap_or(7)
    }

    /// Returns a filter of some terms.
    pub(super) fn filter(&mut self) -> Clause {
        match self.random.below(100) {
            0..8 => Clause::everything(),
            8..45 => self.term(),
            45..65 => self.join(Join::Any),
            65..80 => self.join(Join::All),
            80..87 => self.term().not(self.random),
            87..93 => {
                let both = self.join(Join::Any);
                let third = self.term();
                both.with(third, Join::All, self.random)
            }
            93..97 => {
                let (both, others) = (self.join(Join::All), self.join(Join::All));
                both.with(others, Join::Any, self.random)
            }
            _ => {
                let join = *self.random.pick(&[Join::Any, Join::All]);
                self.join(join).not(self.random)
            }
        }
    }

    fn join(&mut self, join: Join) -> Clause {
        let (first, mut second) = (self.term(), self.term());
        if self.chance(25) {
            second = second.not(self.random);
        }
        first.with(second, join, self.random)
    }

    /// Writes a value with or without quotes: what needs them has them.
    pub(super) fn written(&mut self, value: &str) -> String {
        let bare = is_plain(value) && !value.contains('*') && self.chance(60);
        if bare { value.to_owned() } else { quoted(value) }
    }

    /// Returns a pattern that fits a text, or nothing where it would need quotes.
    pub(super) fn pattern(&mut self, text: &str) -> Option<String> {
        let chars: Vec<char> = text.chars().collect();
        let bound = u64::try_from(chars.len()).ok().filter(|len| *len > 1)?;
        let mut at = || usize::try_from(self.random.below(bound)).unwrap();
        let (a, b) = (at(), at());
        let (from, to) = (a.min(b), a.max(b) + 1);
        let part = |range: &[char]| range.iter().collect::<String>();
        let pattern = match self.random.below(5) {
            0 => format!("{}*", part(&chars[..to])),
            1 => format!("*{}", part(&chars[from..])),
            2 => format!("*{}*", part(&chars[from..to])),
            3 => format!("{}*{}", part(&chars[..from]), part(&chars[to..])),
            _ => format!(
                "{}*{}*",
                part(&chars[..from.min(2)]),
                part(&chars[from.max(2).min(to)..to])
            ),
        };
        is_plain(&pattern).then_some(pattern)
    }

    /// Returns a part of a text that is not empty, unless the text is.
    pub(super) fn part(&mut self, text: &str) -> String {
        let chars: Vec<char> = text.chars().collect();
        if chars.is_empty() {
            return "nothing".to_owned();
        }
        let from = usize::try_from(self.random.below(u64::try_from(chars.len()).unwrap())).unwrap();
        let len = usize::try_from(self.random.below(12)).unwrap() + 1;
        chars[from..(from + len).min(chars.len())].iter().collect()
    }

    /// Writes some letters large or small.
    pub(super) fn in_any_case(&mut self, text: &str) -> String {
        let mut turn = |c: char| {
            let other =
                if c.is_uppercase() { low(&c.to_string()) } else { c.to_uppercase().to_string() };
            let same = low(&other) == low(&c.to_string()) && other.chars().count() == 1;
            if same && self.random.below(2) == 0 { other } else { c.to_string() }
        };
        text.chars().map(&mut turn).collect()
    }
}
