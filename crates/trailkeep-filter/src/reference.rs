//! The reference page of the language, written from the tables that the parser uses.

use trailkeep_event::{Field, FieldKind};

use crate::filter::Filter;
use crate::name::ALIASES;
use crate::number::{DURATION, SIZE, Unit};
use crate::term::{LOOSE, SEARCHED};

/// Returns `docs/reference/filter.md`.
pub fn reference_page() -> String {
    let fields: String = Field::ALL.iter().map(|field| field_line(*field)).collect();
    let aliases: String = ALIASES.iter().map(|(alias, fields)| alias_line(alias, fields)).collect();
    let examples: String = EXAMPLES.iter().map(example_line).collect();
    [
        HEAD,
        "| filter | finds |\n|---|---|\n",
        &examples,
        GRAMMAR,
        &values(),
        "\n## Fields\n\n| field | holds | written as | example |\n|---|---|---|---|\n",
        &fields,
        MEMBERS,
        "\n## Other names\n\n| name | stands for |\n|---|---|\n",
        &aliases,
        &limits(),
    ]
    .concat()
}

const HEAD: &str = "# Filter language

<!-- Written by `cargo xtask gen` from the tables in crates/trailkeep-filter. Do not edit. -->

One language filters everywhere: lists, counts, exports, the tail and the command line. Terms
stand side by side and all must hold; the empty filter finds everything.

";

/// What the page shows; a test parses each.
pub(crate) const EXAMPLES: &[(&str, &str)] = &[
    ("status:>=500", "failures of the server"),
    ("status:400..499 -path:/health*", "refused requests, but not those of health checks"),
    ("duration:>200ms", "slow requests"),
    ("occurred:2026-01-01..2026-01-31", "January, its last day included"),
    ("occurred:2026-01-01T08:00:00Z..2026-01-01T09:00:00Z", "one hour, its end excluded"),
    ("path:/api/v1/pathways*", "an endpoint and everything below it"),
    ("path:*containers/create*", "a part of the path"),
    ("action:license.suspended", "this action, also where it was sent as `LICENSE_SUSPENDED`"),
    ("category:(blocked OR auth) outcome:denied", "one of two categories, and denied"),
    ("license:AB12-CD34 -outcome:success", "what failed for a license key"),
    ("account:6885c7aa9debb6f321855c2d workspace:68987795c090f4ae5e94abc2", "one workspace"),
    ("ip:10.0.0.0/8", "addresses of a network"),
    ("metadata.sdk:python*", "a member of the producer's own data"),
    ("metadata.seats:>10", "a number in it"),
    ("-metadata.SubjectUserName:*", "entries without the member"),
    ("headers.x-request-id:7f", "a header, its name in any case"),
    ("error_message:\"limit reached\"", "a part of a free text, in any case"),
    ("error_message:=\"Limit reached.\"", "exactly this text"),
    ("\"limit reached\"", "the phrase, in any case, in all searched fields"),
    ("arn*user/pat", "any searched field that starts and ends so"),
    ("(status:>=500 OR outcome:denied) app:billing", "either, in one application"),
];

const GRAMMAR: &str = "
## Joining terms

| written | means |
|---|---|
| `a b`, `a AND b` | both hold |
| `a OR b` | one holds; `a b OR c` is `(a b) OR c` |
| `-a`, `NOT a` | `a` does not hold; entries without the field are found |
| `( ... )` | groups, for instance after `-` |
| `field:(a OR b OR \"c d\")` | the field has one of these values |

```text
any    = all { \"OR\" all }
all    = one { [ \"AND\" ] one }
one    = { \"-\" | \"NOT\" } ( \"(\" any \")\" | term )
term   = name \":\" ( value | \"(\" value { \"OR\" value } \")\" ) | word | phrase
name   = field | other-name | field { \".\" ( member | quoted ) }
value  = [ \"=\" | \">\" | \">=\" | \"<\" | \"<=\" ] ( word | quoted )
quoted = '\"' { character | '\\\"' | '\\\\' } '\"'
```

A word ends at a space or at a closing parenthesis that it did not open. A word with a colon in
it is a field and its value: quote it to search for it as text, as in `\"arn:aws:iam::1:user/x\"`.
`OR`, `AND` and `NOT` are searched for in quotes.
";

fn example_line((text, says): &(&str, &str)) -> String {
    format!("| `{text}` | {says} |\n")
}

fn values() -> String {
    let names = |fields: &[Field]| {
        let names: Vec<String> = fields.iter().map(|field| format!("`{}`", field.name())).collect();
        names.join(", ")
    };
    let units = |units: &[Unit]| {
        let units: Vec<String> = units.iter().map(|(unit, _)| format!("`{unit}`")).collect();
        units.join(", ")
    };
    format!(
        "
## Values

| kind | written as |
|---|---|
| exact | `field:value`, the whole value, upper and lower case differ. In quotes every character stands for itself, stars too. `field:\"\"` is the empty text. |
| stars | `pre*`, `*suf`, `*sub*`, `a*b`: a star stands for any characters, none included |
| present | `field:*`; `-field:*` finds entries without the field |
| text | In {loose} a value is looked for anywhere and in any case. `=` asks for the exact value. |
| action | Compared in lower case and without `.`, `_`, `-` and spaces. |
| number | `500`, `>500`, `>=500`, `<500`, `<=500`, `400..499` (both ends included), `400..`, `..499` |
| duration | A number with {duration}. Without a unit `duration` and `duration_ms` count milliseconds, `duration_us` microseconds. |
| size | A number of bytes, or one with {size} (1 kb = 1000 b). |
| time | A day (UTC) or an RFC 3339 time, with the same operators. A day is the whole day: `a..b` includes day b, `>day` starts after it. Between times `a..b` includes a and excludes b. |
| word | One of the field's words; any other is an error. |
| network | `10.0.0.0/8` or `2001:db8::/32`, where `ip` holds an address |
| id | A UUID, or a part of one with stars. |

**Words and phrases** without a field are looked for anywhere and in any case in {searched}.
`metadata` counts with its keys, texts, numbers and truth values at any depth. A word with
stars must fit one of these as a whole. A whole `id` finds its entry, too.
",
        loose = names(&LOOSE),
        duration = units(DURATION),
        size = units(SIZE),
        searched = names(&SEARCHED),
    )
}

fn field_line(field: Field) -> String {
    let name = field.name();
    let words;
    let (holds, written, example) = match (field, field.kind()) {
        (Field::Id, _) => ("identifier", "id, stars, present", format!("{name}:0198*")),
        (Field::Action, _) => ("text", "action, stars, present", format!("{name}:license.*")),
        (Field::Ip, _) => ("text", "exact, stars, network, present", format!("{name}:10.0.0.0/8")),
        (Field::DurationUs, _) => ("microseconds", "duration, present", format!("{name}:>200ms")),
        (Field::RequestBytes | Field::ResponseBytes, _) => {
            ("bytes", "size, present", format!("{name}:>10kb"))
        }
        (_, FieldKind::Id | FieldKind::Text) if LOOSE.contains(&field) => {
            ("free text", "text, stars, present", format!("{name}:\"two words\""))
        }
        (_, FieldKind::Id | FieldKind::Text) => {
            ("text", "exact, stars, present", format!("{name}:value"))
        }
        (_, FieldKind::Enum(list)) => {
            words = list.join(", ");
            let first = list.first().copied().unwrap_or_default();
            (words.as_str(), "word, stars, present", format!("{name}:{first}"))
        }
        (_, FieldKind::Int(..)) => ("integer", "number, present", format!("{name}:>=1")),
        (_, FieldKind::Bool) => ("boolean", "`true`, `false`, present", format!("{name}:true")),
        (_, FieldKind::Time) => ("time", "time, present", format!("{name}:>=2026-01-31")),
        (_, FieldKind::Object) => ("object", "members, present", format!("{name}.member:value")),
        (_, FieldKind::Json) => {
            ("any JSON", "members, exact, stars, number, present", format!("{name}.member:value"))
        }
        (_, FieldKind::Headers) => {
            ("headers", "headers, present", format!("{name}.content-type:text/*"))
        }
    };
    format!("| `{name}` | {holds} | {written} | `{example}` |\n")
}

const MEMBERS: &str = "
`error.code` and the like are other ways to write `error_code`, as entries show these groups as
objects; so are `block.reason` and the like.

### Members

`metadata.a.b:value` looks into JSON. Texts are compared exactly; numbers, `true` and `false` as
they are written, so that `metadata.EventID:4658` finds the number and the text. `>`, `>=`, `<`,
`<=` and `1..9` compare numbers, also those that are sent as text. In a list each element is
tried, and a key that itself holds dots (`a.b`) is found as well as `b` in `a`. A key with other
characters stands in quotes: `metadata.\"strange key\":x`. `null` counts as absent.

### Headers

`headers.name:value` looks at the headers of this name, in any case; the value is exact or has
stars.
";

fn alias_line(alias: &str, fields: &[Field]) -> String {
    let names: Vec<String> = fields.iter().map(|field| format!("`{}`", field.name())).collect();
    format!("| `{alias}` | {} |\n", names.join(" or "))
}

fn limits() -> String {
    format!(
        "
## Errors and limits

An error names its column, counted in characters from 1, and often what to write instead. A
filter has at most {bytes} bytes, {terms} terms (each value of a list counts) and parentheses
nested {depth} deep.

## What it costs

Only the fields that a filter names are read, and the cheapest terms are tried first. A number, a
word or an exact value costs some tens of nanoseconds an entry; a member of `metadata` less than
a microsecond; words and phrases without a field read every searched field and cost one or two.
Name an account, a time or an exact value beside them, and most entries are never looked at.
",
        bytes = Filter::TEXT_BYTES_MAX,
        terms = Filter::TERMS_MAX,
        depth = Filter::DEPTH_MAX,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_a_filter() {
        for (text, _) in EXAMPLES {
            assert!(Filter::parse(text).is_ok(), "{text}");
        }
        for field in Field::ALL {
            let line = field_line(*field);
            let example = line.rsplit('`').nth(1).unwrap();
            let filter = Filter::parse(example).unwrap();
            assert_eq!(filter.fields(), [*field], "{example}");
        }
    }
}
