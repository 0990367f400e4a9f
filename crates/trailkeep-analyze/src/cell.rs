//! What answers are made of.

use std::cmp::Ordering;

use serde::{Serialize, Serializer};
use trailkeep_event::Micros;

use crate::numbers::{rounded, whole};

/// One value of an answer. As JSON: null, a truth value, a number, a text; times are RFC 3339.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Absent.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A number that is not an integer.
    Float(f64),
    /// A text.
    Text(Box<str>),
    /// A time.
    Time(Micros),
}

impl Cell {
    /// Makes a number, an integer where it is one, else rounded to 12 digits. What is no number
    /// is [`Cell::Null`].
    pub fn number(value: f64) -> Self {
        match whole(value) {
            Some(int) => Self::Int(int),
            None if value.is_finite() => Self::Float(rounded(value)),
            None => Self::Null,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Bool(_) => 0,
            Self::Int(_) | Self::Float(_) => 1,
            Self::Time(_) => 2,
            Self::Text(_) => 3,
            Self::Null => 4,
        }
    }

    /// Compares values of one column; what is absent comes last.
    pub fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Time(a), Self::Time(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => a.total_cmp(b),
            (Self::Int(a), Self::Float(b)) => crate::numbers::float((*a).into()).total_cmp(b),
            (Self::Float(a), Self::Int(b)) => a.total_cmp(&crate::numbers::float((*b).into())),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    /// Returns how many bytes it takes in an answer, roughly.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len().saturating_add(size_of::<Self>()),
            _ => size_of::<Self>(),
        }
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(truth) => serializer.serialize_bool(*truth),
            Self::Int(int) => serializer.serialize_i64(*int),
            Self::Float(float) => serializer.serialize_f64(*float),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Time(at) => serializer.collect_str(at),
        }
    }
}

/// What a column of an answer holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CellKind {
    /// Truth values.
    Bool,
    /// Numbers.
    Number,
    /// Texts.
    Text,
    /// Times.
    Time,
}

/// A column of an answer.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Column {
    /// The name: a group as it was asked for, a metric like `p95(duration_ms)`.
    pub name: String,
    /// What it holds.
    pub kind: CellKind,
    /// Whether every value is exact; otherwise values are within 1 %.
    pub exact: bool,
}

/// An answer in rows and columns.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Table {
    /// The columns, in the order of the values of a row.
    pub columns: Vec<Column>,
    /// The rows, in order.
    pub items: Vec<Vec<Cell>>,
    /// Whether there are more rows than the answer shows.
    pub truncated: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_have_an_order_and_a_form() {
        let cells = [
            Cell::Bool(true),
            Cell::number(-0.5),
            Cell::number(3.0),
            Cell::Time(Micros(0)),
            Cell::Text("a".into()),
            Cell::Null,
        ];
        assert!(cells.is_sorted_by(|a, b| a.compare(b) == Ordering::Less));
        let json = serde_json::to_string(&cells).unwrap();
        assert_eq!(json, r#"[true,-0.5,3,"1970-01-01T00:00:00.000Z","a",null]"#);
        assert_eq!(Cell::number(f64::NAN), Cell::Null);
    }
}
