//! What may stand before a colon.

use trailkeep_event::{Field, FieldKind};

use crate::error::{Fault, Parsed};
use crate::number::{DURATION, SIZE, Unit};
use crate::term::Target;

/// The most segments of a path into a JSON field.
const SEGMENTS_MAX: usize = 32;

/// Other names of fields, shorter or as the interface calls them.
pub(crate) const ALIASES: &[(&str, &[Field])] = &[
    ("account", &[Field::AccountId]),
    ("actor", &crate::term::ACTOR),
    ("app", &[Field::ApplicationId]),
    ("application", &[Field::ApplicationId]),
    ("block", &[Field::BlockReason]),
    ("created", &[Field::CreatedAt]),
    ("duration", &[Field::DurationUs]),
    ("duration_ms", &[Field::DurationUs]),
    ("env", &[Field::EnvironmentId]),
    ("environment", &[Field::EnvironmentId]),
    ("error", &[Field::ErrorCode]),
    ("key", &[Field::SubjectKey]),
    ("license", &[Field::SubjectKey]),
    ("occurred", &[Field::OccurredAt]),
    ("user", &crate::term::ACTOR),
    ("workspace", &[Field::EnvironmentId]),
];

/// A name that was understood.
#[derive(Debug)]
pub(crate) struct Name {
    /// As written, for messages.
    pub(crate) written: String,
    pub(crate) target: Target,
    /// The units that numbers may have, and what one without a unit counts in.
    pub(crate) units: &'static [Unit],
    pub(crate) bare_scale: i64,
}

/// Finds what a name means; `at` is where it stands.
pub(crate) fn resolve(at: usize, segments: &[String]) -> Parsed<Name> {
    let written = short(&segments.join("."));
    let Some(target) = target(segments) else { return Err(unknown(at, segments)) };
    if segments.len() > SEGMENTS_MAX {
        let detail = format!("a path has at most {SEGMENTS_MAX} parts");
        return Err(Fault::new(at, detail));
    }
    let (units, bare_scale): (&'static [Unit], i64) = match target {
        Target::Field(Field::DurationUs) if written == Field::DurationUs.name() => (DURATION, 1),
        Target::Field(Field::DurationUs) => (DURATION, 1000),
        Target::Field(Field::RequestBytes | Field::ResponseBytes) => (SIZE, 1),
        _ => (&[], 1),
    };
    Ok(Name { written, target, units, bare_scale })
}

fn target(segments: &[String]) -> Option<Target> {
    let (head, path) = segments.split_first()?;
    let Some(member) = path.first() else { return whole(head) };
    // An entry shows these two groups as objects.
    if head == "error" || head == "block" {
        let field = Field::from_name(&format!("{head}_{member}"))?;
        return inside(field, path.get(1..)?);
    }
    inside(Field::from_name(head)?, path)
}

fn whole(word: &str) -> Option<Target> {
    if let Some(field) = Field::from_name(word) {
        return Some(Target::Field(field));
    }
    match ALIASES.iter().find(|(alias, _)| *alias == word)?.1 {
        [field] => Some(Target::Field(*field)),
        _ => Some(Target::Actor),
    }
}

fn inside(field: Field, path: &[String]) -> Option<Target> {
    match field.kind() {
        _ if path.is_empty() => Some(Target::Field(field)),
        FieldKind::Object | FieldKind::Json => Some(Target::Member(field, path.to_vec())),
        FieldKind::Headers => Some(Target::Header(path.join(".").to_ascii_lowercase())),
        FieldKind::Id
        | FieldKind::Text
        | FieldKind::Enum(_)
        | FieldKind::Int(..)
        | FieldKind::Bool
        | FieldKind::Time => None,
    }
}

fn unknown(at: usize, segments: &[String]) -> Fault {
    let written = short(&segments.join("."));
    let head = segments.first().map_or("", String::as_str);
    if segments.len() > 1 && head != "error" && head != "block" && whole(head).is_some() {
        let message = format!("`{}` has no members", short(head));
        return Fault::new(at, message).hint(format!("write `{}:`", short(head)));
    }
    let hint = match nearest(&written) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "quote the whole word to search for it as text; free data is in `metadata.name:`"
            .to_owned(),
    };
    Fault::new(at, format!("`{written}` is not a field")).hint(hint)
}

fn short(name: &str) -> String {
    name.chars().take(64).collect()
}

/// Returns the name that is a typing mistake away.
fn nearest(written: &str) -> Option<String> {
    let written = written.to_lowercase();
    let mistakes_max = match written.chars().count() {
        0..=3 => 0,
        4..=5 => 1,
        6..=8 => 2,
        _ => 3,
    };
    let names = Field::ALL.iter().map(|field| field.name());
    let groups = Field::ALL.iter().filter_map(|field| {
        let (group, member) = field.name().split_once('_')?;
        matches!(group, "error" | "block").then(|| format!("{group}.{member}"))
    });
    names
        .chain(ALIASES.iter().map(|(alias, _)| *alias))
        .map(str::to_owned)
        .chain(groups)
        .map(|name| (distance(&written, &name), name))
        .filter(|(n_mistakes, _)| *n_mistakes <= mistakes_max)
        .min()
        .map(|(_, name)| name)
}

/// Counts the characters to insert, delete or replace (Levenshtein), one row at a time.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i.saturating_add(1);
        let mut next = vec![left];
        for (to, above) in b.iter().zip(row.iter().skip(1)) {
            let replaced = diagonal.saturating_add(usize::from(from != *to));
            left = replaced.min(above.saturating_add(1)).min(left.saturating_add(1));
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        let cases =
            [("", "", 0), ("abc", "", 3), ("kitten", "sitting", 3), ("stauts", "status", 2)];
        for (a, b, n_mistakes) in cases {
            assert_eq!(distance(a, b), n_mistakes, "{a} {b}");
            assert_eq!(distance(b, a), n_mistakes, "{b} {a}");
        }
    }

    #[test]
    fn suggestions() {
        let cases = [
            ("stauts", Some("status")),
            ("Status", Some("status")),
            ("accountid", Some("account_id")),
            ("error.mesage", Some("error.message")),
            ("IP", Some("ip")),
            ("arn", None),
            ("http", None),
            ("colour", None),
        ];
        for (written, name) in cases {
            assert_eq!(nearest(written).as_deref(), name, "{written}");
        }
    }

    #[test]
    fn aliases_hide_no_field() {
        for (alias, _) in ALIASES {
            assert_eq!(Field::from_name(alias), None, "{alias}");
        }
        assert!(ALIASES.is_sorted());
    }
}
