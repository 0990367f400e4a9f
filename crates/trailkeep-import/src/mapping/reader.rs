//! Reads a mapping file.

use std::borrow::Cow;

use toml::de::DeTable;
use trailkeep_event::{Field, FieldKind, SystemCategory};

use super::node::{Node, line_of, suggest};
use super::{FieldRules, Layout, Mapping, MappingError, Metadata, Rest};
use crate::fit::fit_text;
use crate::lookup::Lookup;
use crate::pointer::Pointer;
use crate::rule::{Reading, Rule};
use crate::target::{Group, Target};
use crate::template::Template;
use crate::time::TimeFormat;

/// The largest mapping file in bytes.
const MAPPING_BYTES_MAX: usize = 256 * 1024;
/// The version of the mapping file that this release reads.
const VERSION: &str = "1";

const KEYS: [&str; 4] = ["version", "format", "fields", "metadata"];
const RULE_KEYS: [&str; 7] = ["const", "template", "pointer", "absent", "time", "lookup", "other"];
const METADATA_KEYS: [&str; 2] = ["rest", "keep"];

/// Reads a mapping file.
pub(super) fn read(text: &str) -> Result<Mapping, MappingError> {
    if text.len() > MAPPING_BYTES_MAX {
        return Err(MappingError::TooLarge(MAPPING_BYTES_MAX));
    }
    let document = DeTable::parse(text).map_err(|error| MappingError::NotToml {
        line: line_of(text, error.span().map_or(0, |span| span.start)),
        problem: error.message().to_owned(),
    })?;
    let mut version = None;
    let mut mapping =
        Mapping { layout: Layout::Json, fields: Vec::new(), metadata: Metadata::default() };
    let mut mapped = None;
    for node in Node::roots(text, document.get_ref()) {
        match node.name() {
            "version" => version = Some(read_version(&node)?),
            "format" => mapping.layout = layout(&node)?,
            "fields" => mapping.fields = fields(&node)?,
            "metadata" => mapping.metadata = metadata(&node)?,
            _ => return Err(node.unknown(KEYS)),
        }
        if matches!(node.name(), "fields" | "metadata") {
            mapped = Some(node);
        }
    }
    if version.is_none() {
        let problem = format!("the first line of a mapping is `version = {VERSION}`");
        return Err(MappingError::Key { line: 1, key: "version".to_owned(), problem });
    }
    match (mapping.layout, mapped) {
        (Layout::Native, Some(node)) => Err(node.error("native events are passed on unmapped")),
        (Layout::Native, None) => Ok(mapping),
        (Layout::Json | Layout::Combined, _) => {
            check_required(&mapping)?;
            Ok(mapping)
        }
    }
}

fn read_version(node: &Node<'_>) -> Result<(), MappingError> {
    let version = node.scalar()?;
    if version == VERSION {
        Ok(())
    } else {
        Err(node.error(format!("version {version} is unknown; this release reads {VERSION}")))
    }
}

fn layout(node: &Node<'_>) -> Result<Layout, MappingError> {
    match node.text()? {
        "native" => Ok(Layout::Native),
        "json" => Ok(Layout::Json),
        "combined" => Ok(Layout::Combined),
        other => Err(not_one_of(node, other, &["native", "json", "combined"])),
    }
}

fn not_one_of(node: &Node<'_>, found: &str, known: &[&str]) -> MappingError {
    let hint = suggest(found, known).unwrap_or_else(|| format!("use one of {}", known.join(", ")));
    node.error(format!("`{found}` is not allowed here; {hint}"))
}

/// The account may come from the caller, so that only the other two are required here.
fn check_required(mapping: &Mapping) -> Result<(), MappingError> {
    for field in [Field::OccurredAt, Field::Action] {
        let target = Target::Field(field);
        if !mapping.fields.iter().any(|rules| rules.target == target) {
            return Err(MappingError::Missing(target.path()));
        }
    }
    Ok(())
}

fn fields(node: &Node<'_>) -> Result<Vec<FieldRules>, MappingError> {
    let mut fields = Vec::new();
    for child in node.table()? {
        match child.name() {
            "error" => group(&child, Group::Error, &mut fields)?,
            "block" => group(&child, Group::Block, &mut fields)?,
            _ => fields.push(field(&child, Group::Top)?),
        }
    }
    let has = |target| fields.iter().any(|rules| rules.target == target);
    if has(Target::DurationMs) && has(Target::Field(Field::DurationUs)) {
        return Err(node.error("map either `duration_us` or `duration_ms`, not both"));
    }
    fields.sort_by_key(|rules| rules.target.group());
    Ok(fields)
}

fn group(node: &Node<'_>, group: Group, fields: &mut Vec<FieldRules>) -> Result<(), MappingError> {
    for child in node.table()? {
        fields.push(field(&child, group)?);
    }
    Ok(())
}

fn field(node: &Node<'_>, group: Group) -> Result<FieldRules, MappingError> {
    let name = node.name();
    let Some(target) = Target::from_name(group, name) else {
        if group == Group::Top && name == "metadata" {
            return Err(node.error("say in `[metadata]` which members go there"));
        }
        if Field::from_name(name).is_some_and(|field| !field.is_sent()) {
            return Err(node.error("set by Trailkeep alone"));
        }
        let known: Vec<String> = match group {
            Group::Top => Target::all().map(Target::path).collect(),
            Group::Error | Group::Block => {
                let inside = Target::all().filter(|target| target.group() == group);
                inside.map(|target| target.member_name().to_owned()).collect()
            }
        };
        return Err(node.unknown(known.iter().map(String::as_str)));
    };
    let rules: Result<Vec<Rule>, MappingError> =
        node.one_or_more().iter().map(|rule| read_rule(rule, target)).collect();
    let rules = rules?;
    if rules.is_empty() { Err(node.error("no rule")) } else { Ok(FieldRules { target, rules }) }
}

/// The parts of a rule as the file has them.
#[derive(Debug, Default)]
struct Parts<'t> {
    constant: Option<Node<'t>>,
    template: Option<Node<'t>>,
    pointer: Option<Node<'t>>,
    absent: Option<Node<'t>>,
    time: Option<Node<'t>>,
    lookup: Option<Node<'t>>,
    other: Option<Node<'t>>,
}

fn read_rule(node: &Node<'_>, target: Target) -> Result<Rule, MappingError> {
    let mut parts = Parts::default();
    for child in node.table()? {
        let slot = match child.name() {
            "const" => &mut parts.constant,
            "template" => &mut parts.template,
            "pointer" => &mut parts.pointer,
            "absent" => &mut parts.absent,
            "time" => &mut parts.time,
            "lookup" => &mut parts.lookup,
            "other" => &mut parts.other,
            _ => return Err(child.unknown(RULE_KEYS)),
        };
        *slot = Some(child);
    }
    match (&parts.constant, &parts.template, &parts.pointer) {
        (None, None, Some(pointer)) => pointer_rule(pointer, &parts, target),
        (Some(constant), None, None) => {
            without_pointer(&parts)?;
            Ok(Rule::Const(word(constant, target)?))
        }
        (None, Some(template), None) => {
            without_pointer(&parts)?;
            let template = Template::parse(template.text()?).ok_or_else(|| {
                template.error("write the pointers in braces, like `{/host}/{/number}`")
            })?;
            Ok(Rule::Template(template))
        }
        _ => Err(node.error("a rule has one of `const`, `template` and `pointer`")),
    }
}

fn without_pointer(parts: &Parts<'_>) -> Result<(), MappingError> {
    let options = [&parts.absent, &parts.time, &parts.lookup, &parts.other];
    match options.into_iter().flatten().next() {
        Some(option) => Err(option.error("goes only with `pointer`")),
        None => Ok(()),
    }
}

fn pointer_rule(
    pointer: &Node<'_>,
    parts: &Parts<'_>,
    target: Target,
) -> Result<Rule, MappingError> {
    let mut pointers = Vec::new();
    for text in pointer.texts()? {
        let parsed = Pointer::parse(text).ok_or_else(|| {
            pointer.error(format!("`{text}` is not a pointer; write it like `/user/id`"))
        })?;
        pointers.push(parsed);
    }
    let absent = parts.absent.as_ref().map(Node::texts).transpose()?.unwrap_or_default();
    let absent = absent.into_iter().map(str::to_owned).collect();
    let reading = match (&parts.time, &parts.lookup, &parts.other) {
        (None, None, None) => Reading::AsIs,
        (Some(time), None, None) => Reading::Time(time_formats(time, target)?),
        (None, lookup, other) => {
            let words = match lookup {
                None => Vec::new(),
                Some(lookup) => words(lookup, target)?,
            };
            let other = other.as_ref().map(|other| word(other, target)).transpose()?;
            Reading::Lookup(Lookup::new(words, other))
        }
        (Some(time), ..) => return Err(time.error("goes with neither `lookup` nor `other`")),
    };
    Ok(Rule::Pointer { pointers, absent, reading })
}

fn time_formats(node: &Node<'_>, target: Target) -> Result<Vec<TimeFormat>, MappingError> {
    if !matches!(target, Target::Field(field) if field.kind() == FieldKind::Time) {
        return Err(node.error(format!("`{}` is not a time", target.path())));
    }
    let mut formats = Vec::new();
    for text in node.texts()? {
        formats.push(TimeFormat::parse(text).ok_or_else(|| {
            node.error(format!(
                "`{text}` is not a time format; use rfc3339, unix_s, unix_ms, unix_us or a \
                 pattern of date and time like `%Y-%m-%d %H:%M:%S`"
            ))
        })?);
    }
    Ok(formats)
}

fn words(node: &Node<'_>, target: Target) -> Result<Vec<(String, String)>, MappingError> {
    let entries = node.table()?;
    entries.iter().map(|entry| Ok((entry.name().to_owned(), word(entry, target)?))).collect()
}

/// Reads a word that a mapping itself gives, so that it must fit.
fn word(node: &Node<'_>, target: Target) -> Result<String, MappingError> {
    let text = node.scalar()?;
    if fit_text(target, Cow::Borrowed(&text)).is_some() {
        return Ok(text);
    }
    if let Target::Field(field) = target
        && let FieldKind::Enum(words) = field.kind()
    {
        let allowed: Vec<&str> =
            words.iter().copied().filter(|word| *word != SystemCategory::WORD).collect();
        return Err(not_one_of(node, &text, &allowed));
    }
    Err(node.error(format!("`{}` cannot hold this value", target.path())))
}

fn metadata(node: &Node<'_>) -> Result<Metadata, MappingError> {
    let mut metadata = Metadata::default();
    for child in node.table()? {
        match child.name() {
            "rest" => {
                metadata.rest = match child.text()? {
                    "unmapped" => Rest::Unmapped,
                    "all" => Rest::All,
                    "none" => Rest::None,
                    other => return Err(not_one_of(&child, other, &["unmapped", "all", "none"])),
                }
            }
            "keep" => {
                for text in child.texts()? {
                    let pointer = Pointer::parse(text);
                    let name = pointer.as_ref().and_then(Pointer::top_member).ok_or_else(|| {
                        let problem = "a kept member is one of the record itself";
                        child.error(format!("{problem}: write `{text}` like `/region`"))
                    })?;
                    metadata.keep.push(name.to_owned());
                }
            }
            _ => return Err(child.unknown(METADATA_KEYS)),
        }
    }
    Ok(metadata)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "version = 1\n[fields]\noccurred_at = { pointer = \"/t\" }\n";

    fn with(lines: &str) -> String {
        match read(&format!("{HEAD}action = {{ const = \"a\" }}\n{lines}")) {
            Ok(_) => "ok".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    fn check(cases: &[(&str, &str)]) {
        for (lines, message) in cases {
            assert_eq!(with(lines), *message, "{lines}");
        }
    }

    #[test]
    fn rules_that_are_read() {
        let cases = [
            "",
            "status = { pointer = [\"/status\", \"/code\"] }",
            "status = { const = 200 }",
            "intent = { const = true }",
            "error.code = { pointer = \"/e\" }\nerror.message = { pointer = \"/m\" }",
            "outcome = [{ pointer = \"/s\", lookup = { \"2*\" = \"success\" } }, { const = \"unknown\" }]",
            "outcome = { pointer = \"/e\", other = \"failure\", absent = [\"\", \"-\"] }",
            "[metadata]\nrest = \"none\"\nkeep = [\"/region\", \"/a~1b\"]",
        ];
        for lines in cases {
            assert_eq!(with(lines), "ok", "{lines}");
        }
    }

    #[test]
    fn wrong_keys_are_named_with_its_line() {
        let cases = [
            (
                "outcom = { const = \"x\" }",
                "line 5, `fields.outcom`: not a key here; did you mean `outcome`?",
            ),
            (
                "error.kode = { const = \"x\" }",
                "line 5, `fields.error.kode`: not a key here; did you mean `code`?",
            ),
            (
                "error_code = { const = \"x\" }",
                "line 5, `fields.error_code`: not a key here; did you mean `error.code`?",
            ),
            (
                "metadata = { const = \"x\" }",
                "line 5, `fields.metadata`: say in `[metadata]` which members go there",
            ),
            (
                "created_at = { const = \"x\" }",
                "line 5, `fields.created_at`: set by Trailkeep alone",
            ),
            (
                "ip = { pinter = \"/x\" }",
                "line 5, `fields.ip.pinter`: not a key here; did you mean `pointer`?",
            ),
            (
                "ip = { pointer = \"x\" }",
                "line 5, `fields.ip.pointer`: `x` is not a pointer; write it like `/user/id`",
            ),
            (
                "ip = { pointer = 1 }",
                "line 5, `fields.ip.pointer`: expected a text, found a value of type integer",
            ),
            ("ip = \"/x\"", "line 5, `fields.ip`: expected a table, found a value of type string"),
            ("ip = []", "line 5, `fields.ip`: no rule"),
            ("ip = {}", "line 5, `fields.ip`: a rule has one of `const`, `template` and `pointer`"),
            (
                "ip = { const = \"x\", time = \"rfc3339\" }",
                "line 5, `fields.ip.time`: goes only with `pointer`",
            ),
            (
                "ip = { pointer = \"/x\", time = \"rfc3339\" }",
                "line 5, `fields.ip.time`: `ip` is not a time",
            ),
            (
                "ip = { template = \"{x}\" }",
                "line 5, `fields.ip.template`: write the pointers in braces, like `{/host}/{/number}`",
            ),
        ];
        check(&cases);
    }

    #[test]
    fn wrong_words_are_named_with_their_line() {
        let cases = [
            (
                "outcome = { const = \"sucess\" }",
                "line 5, `fields.outcome.const`: `sucess` is not allowed here; did you mean `success`?",
            ),
            (
                "category = { const = \"system\" }",
                "line 5, `fields.category.const`: `system` is not allowed here; use one of dashboard, api, auth, blocked",
            ),
            (
                "status = { const = 1000 }",
                "line 5, `fields.status.const`: `status` cannot hold this value",
            ),
            (
                "\n\noutcome = { pointer = \"/s\", lookup = { a = \"b\" } }",
                "line 7, `fields.outcome.lookup.a`: `b` is not allowed here; use one of success, failure, denied, unknown",
            ),
            (
                "duration_us = { const = 1 }\nduration_ms = { const = 1 }",
                "line 2, `fields`: map either `duration_us` or `duration_ms`, not both",
            ),
            (
                "[metadata]\nrest = true",
                "line 6, `metadata.rest`: expected a text, found a value of type boolean",
            ),
            (
                "[metadata]\nrest = \"al\"",
                "line 6, `metadata.rest`: `al` is not allowed here; did you mean `all`?",
            ),
            (
                "[metadata]\nkeep = \"/a/b\"",
                "line 6, `metadata.keep`: a kept member is one of the record itself: write `/a/b` like `/region`",
            ),
            ("[metdata]", "line 5, `metdata`: not a key here; did you mean `metadata`?"),
        ];
        check(&cases);
    }

    #[test]
    fn whole_files() {
        let cases = [
            ("", "line 1, `version`: the first line of a mapping is `version = 1`"),
            ("version = 2", "line 1, `version`: version 2 is unknown; this release reads 1"),
            ("version = 1", "`fields.occurred_at` is missing: every event needs it"),
            (HEAD, "`fields.action` is missing: every event needs it"),
            (
                "version = 1\nformat = \"jsn\"",
                "line 2, `format`: `jsn` is not allowed here; did you mean `json`?",
            ),
            (
                "version = 1\nformat = \"native\"\n[fields]",
                "line 3, `fields`: native events are passed on unmapped",
            ),
        ];
        for (text, message) in cases {
            assert_eq!(read(text).unwrap_err().to_string(), message, "{text}");
        }
        let not_toml = read("version = 1\nversion = 1").unwrap_err().to_string();
        assert!(not_toml.starts_with("line 2: "), "{not_toml}");
        let large = "#".repeat(MAPPING_BYTES_MAX + 1);
        assert_eq!(read(&large), Err(MappingError::TooLarge(MAPPING_BYTES_MAX)));
    }
}
