//! What an aggregate tells about each group.

use crate::{CellKind, Error, FieldPath};

/// What is computed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Function {
    /// How many stored entries there are; of a field, how many have it.
    Count,
    /// How many events they stand for, weighed by `sample_rate`.
    Estimated,
    /// How many different values there are.
    CountDistinct,
    /// The sum.
    Sum,
    /// The mean.
    Avg,
    /// The least.
    Min,
    /// The most.
    Max,
    /// The median.
    P50,
    /// The value below which 95 % lie.
    P95,
    /// The value below which 99 % lie.
    P99,
}

impl Function {
    /// Every function, with its name.
    pub const ALL: [(&'static str, Self); 10] = [
        ("count", Self::Count),
        ("estimated", Self::Estimated),
        ("count_distinct", Self::CountDistinct),
        ("sum", Self::Sum),
        ("avg", Self::Avg),
        ("min", Self::Min),
        ("max", Self::Max),
        ("p50", Self::P50),
        ("p95", Self::P95),
        ("p99", Self::P99),
    ];

    fn parse(name: &str) -> Result<Self, Error> {
        let found = Self::ALL.iter().find(|(word, _)| *word == name);
        found.map(|(_, function)| *function).ok_or_else(|| {
            let names = Self::ALL.map(|(word, _)| word).join(", ");
            let name: String = name.chars().take(32).collect();
            Error::request(format!("`{name}` is not a function; the functions are {names}"))
        })
    }
}

/// A function of a field.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Metric {
    name: String,
    function: Function,
    field: Option<FieldPath>,
}

impl Metric {
    /// Reads a function's name and the field that it looks at.
    ///
    /// # Errors
    /// Where there is no such function or field, or the function does not go with the field.
    pub fn parse(function: &str, field: Option<&str>) -> Result<Self, Error> {
        let word = function;
        let function = Function::parse(word)?;
        let name = field.map_or_else(|| word.to_owned(), |field| format!("{word}({field})"));
        let field = field.map(FieldPath::parse).transpose()?;
        let fits = match (function, &field) {
            (Function::Count, _) | (Function::Estimated, None) => true,
            (Function::CountDistinct, field) => field.is_some(),
            (Function::Min | Function::Max, Some(field)) => field.is_number() || field.is_time(),
            (_, Some(field)) => field.is_number() && function != Function::Estimated,
            (_, None) => false,
        };
        if fits {
            return Ok(Self { name, function, field });
        }
        Err(Error::request(match (function, field) {
            (Function::Estimated, Some(_)) => format!("`{word}` takes no field"),
            (_, None) => format!("`{word}` needs a field"),
            (_, Some(field)) => {
                format!("`{word}` needs a number, and `{}` is none", field.name())
            }
        }))
    }

    /// Returns the name that its column has, like `p95(duration_ms)`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns what is computed.
    pub fn function(&self) -> Function {
        self.function
    }

    pub(crate) fn field(&self) -> Option<&FieldPath> {
        self.field.as_ref()
    }

    pub(crate) fn kind(&self) -> CellKind {
        match (self.function, &self.field) {
            (Function::Min | Function::Max, Some(field)) if field.is_time() => CellKind::Time,
            _ => CellKind::Number,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_go_with_fields() {
        let cases = [
            ("count", None, "ok"),
            ("count", Some("error_code"), "ok"),
            ("estimated", None, "ok"),
            ("estimated", Some("status"), "`estimated` takes no field"),
            ("count_distinct", None, "`count_distinct` needs a field"),
            ("count_distinct", Some("metadata"), "ok"),
            ("p95", Some("duration_ms"), "ok"),
            ("avg", Some("metadata.seats"), "ok"),
            ("sum", Some("route"), "`sum` needs a number, and `route` is none"),
            ("sum", Some("occurred_at"), "`sum` needs a number, and `occurred_at` is none"),
            ("max", Some("occurred_at"), "ok"),
            ("max", None, "`max` needs a field"),
            ("avg", Some("rout"), "`rout` is not a field"),
        ];
        for (function, field, expected) in cases {
            let said =
                Metric::parse(function, field).map_or_else(|e| e.to_string(), |_| "ok".into());
            assert_eq!(said, expected, "{function} {field:?}");
        }
        assert_eq!(Metric::parse("p95", Some("duration_ms")).unwrap().name(), "p95(duration_ms)");
        let error = Metric::parse("median", None).unwrap_err().to_string();
        assert!(error.starts_with("`median` is not a function; the functions are count, "));
    }
}
