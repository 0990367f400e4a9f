//! Texts with values of the record in them: `{/Hostname}/{/RecordNumber}`.

use crate::json::Value;
use crate::pointer::Pointer;

/// A text with values of the record in it; absent where one of them is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Part {
    Plain(String),
    Value(Pointer),
}

impl Template {
    /// Parses a template; `{` and `}` stand only around pointers.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((plain, after)) = rest.split_once('{') {
            let (pointer, next) = after.split_once('}')?;
            parts.push(Part::Plain(plain.to_owned()));
            parts.push(Part::Value(Pointer::parse(pointer)?));
            rest = next;
        }
        parts.push(Part::Plain(rest.to_owned()));
        let plain_has_brace =
            parts.iter().any(|part| matches!(part, Part::Plain(plain) if plain.contains('}')));
        (!plain_has_brace).then_some(Self(parts))
    }

    /// Fills the template from a record.
    pub(crate) fn fill(&self, record: &Value<'_>) -> Option<String> {
        let mut filled = String::new();
        for part in &self.0 {
            filled.push_str(match part {
                Part::Plain(plain) => plain,
                Part::Value(pointer) => pointer.find(record)?.scalar()?,
            });
        }
        Some(filled)
    }

    /// Returns the pointers of the template.
    pub(crate) fn pointers(&self) -> impl Iterator<Item = &Pointer> {
        self.0.iter().filter_map(|part| match part {
            Part::Plain(_) => None,
            Part::Value(pointer) => Some(pointer),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    #[test]
    fn fills() {
        let record = parse(r#"{"host":"dc","n":12,"list":[]}"#, 9).unwrap();
        let cases = [
            ("{/host}/{/n}", Some("dc/12")),
            ("event {/n}!", Some("event 12!")),
            ("fixed", Some("fixed")),
            ("{/host}{/absent}", None),
            ("{/list}", None),
        ];
        for (template, filled) in cases {
            let template = Template::parse(template).unwrap();
            assert_eq!(template.fill(&record).as_deref(), filled, "{template:?}");
        }
        for bad in ["{/a", "{a}", "a}", "{}", "{/a}}"] {
            assert_eq!(Template::parse(bad), None, "{bad}");
        }
    }
}
