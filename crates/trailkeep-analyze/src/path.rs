//! Names of what groups and metrics look at.

use trailkeep_event::{Field, FieldKind};
use trailkeep_filter::Filter;

use crate::{CellKind, Error, Step};

/// The most parts of a path into a JSON field, the field included.
const SEGMENTS_MAX: usize = 32;
/// The longest name.
const NAME_BYTES_MAX: usize = 512;

/// A field, or a member inside a JSON field, by the names that filters use.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FieldPath {
    name: String,
    field: Field,
    member: Vec<String>,
    /// What a number of the field is divided by.
    divisor: i64,
}

impl FieldPath {
    /// Reads a name: a field or another name of one, or a path such as `metadata.a.b`, in which
    /// unusual keys stand in quotes.
    ///
    /// # Errors
    /// Where it is no name, or one of several fields at once.
    pub fn parse(name: &str) -> Result<Self, Error> {
        let fail =
            |problem, hint| Error::Field { name: name.chars().take(64).collect(), problem, hint };
        if name.len() > NAME_BYTES_MAX {
            return Err(fail("is too long for a name", None));
        }
        let segments = segments(name).ok_or_else(|| fail("is not a name", None))?;
        let Some((head, member)) = segments.split_first() else {
            return Err(fail("is not a name", None));
        };
        if segments.len() > SEGMENTS_MAX {
            return Err(fail("has too many parts", None));
        }
        // An entry shows these two groups as objects.
        if let (true, Some((first, rest))) =
            (head == "error" || head == "block", member.split_first())
        {
            let field = Field::from_name(&format!("{head}_{first}"))
                .ok_or_else(|| fail("is not a field", None))?;
            return Self::inside(name, field, rest);
        }
        if let Some(field) = Field::from_name(head) {
            return Self::inside(name, field, member);
        }
        let field = resolve(head).map_err(|hint| fail("is not a field", hint))?;
        let field = field.ok_or_else(|| {
            fail("stands for several fields", Some("write `actor_id` or `actor_label`".to_owned()))
        })?;
        let path = Self::inside(name, field, member)?;
        // `duration` and `duration_ms` count milliseconds, as in filters.
        Ok(if field == Field::DurationUs { Self { divisor: 1000, ..path } } else { path })
    }

    fn inside(name: &str, field: Field, member: &[String]) -> Result<Self, Error> {
        let has_members = matches!(field.kind(), FieldKind::Object | FieldKind::Json);
        if !member.is_empty() && !has_members {
            return Err(Error::Field {
                name: name.to_owned(),
                problem: "has no members that can be grouped by",
                hint: Some(format!("write `{}`", field.name())),
            });
        }
        Ok(Self { name: name.to_owned(), field, member: member.to_vec(), divisor: 1 })
    }

    /// Returns the name as it was written.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the field.
    pub fn field(&self) -> Field {
        self.field
    }

    pub(crate) fn member(&self) -> &[String] {
        &self.member
    }

    pub(crate) fn divisor(&self) -> i64 {
        self.divisor
    }

    /// Tells whether values may be numbers that can be added.
    pub(crate) fn is_number(&self) -> bool {
        matches!(self.field.kind(), FieldKind::Int(..)) || !self.member.is_empty()
    }

    pub(crate) fn is_time(&self) -> bool {
        self.field.kind() == FieldKind::Time
    }

    /// Returns what a group by this holds.
    pub(crate) fn kind(&self) -> CellKind {
        match self.field.kind() {
            FieldKind::Int(..) => CellKind::Number,
            FieldKind::Bool => CellKind::Bool,
            FieldKind::Time => CellKind::Time,
            _ => CellKind::Text,
        }
    }
}

/// Asks the filter language what another name stands for; `None` is several fields, an error is
/// what to write instead.
fn resolve(word: &str) -> Result<Option<Field>, Option<String>> {
    if !word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
        return Err(None);
    }
    let filter = Filter::parse(&format!("{word}:*")).map_err(|error| error.hint)?;
    Ok(match filter.fields() {
        [field] => Some(*field),
        _ => None,
    })
}

/// Splits `a.b."c d"`; `None` where a part is empty or a quote does not end.
pub(crate) fn segments(name: &str) -> Option<Vec<String>> {
    let mut segments = Vec::new();
    let mut chars = name.chars().peekable();
    loop {
        let mut segment = String::new();
        if chars.next_if_eq(&'"').is_some() {
            loop {
                match chars.next()? {
                    '"' => break,
                    '\\' => segment.push(chars.next()?),
                    other => segment.push(other),
                }
            }
        } else {
            while let Some(c) = chars.next_if(|c| *c != '.') {
                if c == '"' || c.is_whitespace() || c == ':' {
                    return None;
                }
                segment.push(c);
            }
            if segment.is_empty() {
                return None;
            }
        }
        segments.push(segment);
        match chars.next() {
            None => return Some(segments),
            Some('.') => {}
            Some(_) => return None,
        }
    }
}

/// What an aggregate is grouped by: a field, a member, or a time in steps.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GroupBy {
    path: FieldPath,
    step: Option<Step>,
    name: String,
}

impl GroupBy {
    /// Reads a name, or a time's name and a step as in `occurred_at:1h`.
    ///
    /// # Errors
    /// Where it is no name, or there is no such step.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let with_step = text.rsplit_once(':').filter(|(_, step)| !step.contains('"'));
        let (name, step) = match with_step {
            Some((name, step)) => (name, Some(Step::parse(step)?)),
            None => (text, None),
        };
        let path = FieldPath::parse(name)?;
        if step.is_some() && !path.is_time() {
            return Err(Error::Field {
                name: name.to_owned(),
                problem: "is not a time, so it has no steps",
                hint: Some("times are `occurred_at` and `created_at`".to_owned()),
            });
        }
        Ok(Self { path, step, name: text.to_owned() })
    }

    /// Returns the name as it was written.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn path(&self) -> &FieldPath {
        &self.path
    }

    pub(crate) fn step(&self) -> Option<Step> {
        self.step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_filters() {
        let cases = [
            ("route", Field::Route, &[][..], 1),
            ("workspace", Field::EnvironmentId, &[], 1),
            ("duration_ms", Field::DurationUs, &[], 1000),
            ("duration", Field::DurationUs, &[], 1000),
            ("duration_us", Field::DurationUs, &[], 1),
            ("error", Field::ErrorCode, &[], 1),
            ("error.message", Field::ErrorMessage, &[], 1),
            ("block.score_parts.ip", Field::BlockScoreParts, &["ip"], 1),
            ("metadata.a.b", Field::Metadata, &["a", "b"], 1),
            (r#"metadata."a b: \"c\"".d"#, Field::Metadata, &["a b: \"c\"", "d"], 1),
            ("metadata", Field::Metadata, &[], 1),
        ];
        for (name, field, member, divisor) in cases {
            let path = FieldPath::parse(name).unwrap();
            assert_eq!((path.field(), path.divisor()), (field, divisor), "{name}");
            assert_eq!(path.member(), member, "{name}");
            assert_eq!(path.name(), name);
        }
    }

    #[test]
    fn what_is_no_name_is_refused_with_a_hint() {
        let cases = [
            ("stauts", "`stauts` is not a field", Some("did you mean `status`?")),
            (
                "actor",
                "`actor` stands for several fields",
                Some("write `actor_id` or `actor_label`"),
            ),
            (
                "status.x",
                "`status.x` has no members that can be grouped by",
                Some("write `status`"),
            ),
            ("", "`` is not a name", None),
            ("a..b", "`a..b` is not a name", None),
            ("metadata.\"x", "`metadata.\"x` is not a name", None),
            ("status:* OR x", "`status:* OR x` is not a name", None),
            ("error.nothing", "`error.nothing` is not a field", None),
            (
                "headers.accept",
                "`headers.accept` has no members that can be grouped by",
                Some("write `headers`"),
            ),
        ];
        for (name, message, hint) in cases {
            let error = FieldPath::parse(name).unwrap_err();
            assert_eq!((error.to_string().as_str(), error.hint()), (message, hint), "{name}");
        }
    }

    #[test]
    fn times_have_steps() {
        let group = GroupBy::parse("occurred:1h").unwrap();
        assert_eq!(group.path().field(), Field::OccurredAt);
        assert_eq!(group.step().map(Step::name), Some("1h"));
        assert!(GroupBy::parse("occurred_at:2h").is_err());
        assert!(GroupBy::parse("route:1h").is_err());
        assert_eq!(GroupBy::parse(r#"metadata."a:b""#).unwrap().path().member(), ["a:b"]);
    }
}
