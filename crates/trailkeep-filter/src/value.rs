//! Turns a value as written into a test, by what its field holds.

use std::ops::Bound;

use trailkeep_event::{EventId, Field, FieldKind, action_key};

use crate::cursor::{Op, Quotes, RawValue};
use crate::error::{Fault, Parsed};
use crate::fold::Needle;
use crate::glob::{Alike, Glob};
use crate::name::Name;
use crate::network::{Network, NetworkError};
use crate::number::{double, scaled};
use crate::term::{LOOSE, Range, Target, Test};
use crate::time::Moment;

/// Reads a field's value.
pub(crate) fn read(name: &Name, raw: &RawValue) -> Parsed<Test> {
    if raw.is_plain() && raw.text.bytes().all(|byte| byte == b'*') {
        return Ok(Test::Present);
    }
    let Target::Field(field) = name.target else {
        return match name.target {
            Target::Member(..) => json(name, raw),
            _ => text(name, raw),
        };
    };
    match field.kind() {
        FieldKind::Int(..) => integer(name, raw),
        FieldKind::Time => time(name, raw),
        FieldKind::Bool => boolean(name, raw),
        FieldKind::Enum(words) => word(name, raw, words),
        FieldKind::Json => json(name, raw),
        FieldKind::Object | FieldKind::Headers => {
            Err(Fault::new(raw.at, format!("`{}` holds members, not a value", name.written))
                .hint(format!("name a member, like `{}.name:value`", field.name())))
        }
        FieldKind::Id | FieldKind::Text => match field {
            Field::Id => id(name, raw),
            Field::Action => action(name, raw),
            Field::Ip => address(name, raw),
            _ if LOOSE.contains(&field) => loose(name, raw),
            _ => text(name, raw),
        },
    }
}

/// Reads a word or phrase that is searched for everywhere.
pub(crate) fn search(raw: &RawValue) -> Parsed<Test> {
    if raw.text.is_empty() {
        return Err(Fault::new(raw.at, "an empty phrase finds nothing"));
    }
    Ok(anywhere_in(raw))
}

fn anywhere_in(raw: &RawValue) -> Test {
    if !is_glob(raw) {
        return Test::Contains(Needle::new(&raw.text));
    }
    Glob::new(&raw.text, Alike::Case).map_or(Test::Present, Test::Glob)
}

fn is_glob(raw: &RawValue) -> bool {
    raw.is_plain() && raw.text.contains('*')
}

fn text(name: &Name, raw: &RawValue) -> Parsed<Test> {
    refuse_comparison(name, raw)?;
    Ok(text_or_glob(raw))
}

fn text_or_glob(raw: &RawValue) -> Test {
    if is_glob(raw) {
        Glob::new(&raw.text, Alike::Exact).map_or(Test::Present, Test::Glob)
    } else {
        Test::Text(raw.text.clone())
    }
}

fn loose(name: &Name, raw: &RawValue) -> Parsed<Test> {
    refuse_comparison(name, raw)?;
    if raw.op == Op::Exactly || raw.text.is_empty() {
        return Ok(Test::Text(raw.text.clone()));
    }
    Ok(anywhere_in(raw))
}

fn action(name: &Name, raw: &RawValue) -> Parsed<Test> {
    refuse_comparison(name, raw)?;
    if is_glob(raw) {
        return Ok(Glob::new(&raw.text, Alike::Action).map_or(Test::Present, Test::Glob));
    }
    Ok(Test::Action(action_key(&raw.text)))
}

fn address(name: &Name, raw: &RawValue) -> Parsed<Test> {
    refuse_comparison(name, raw)?;
    match Network::parse(&raw.text) {
        Ok(network) if raw.is_plain() => Ok(Test::Network(network)),
        Err(NetworkError::Prefix) if raw.is_plain() => {
            Err(Fault::new(raw.at, format!("`{}` has no such prefix", raw.text))
                .hint("a network is written like 10.0.0.0/8 or 2001:db8::/32"))
        }
        Ok(_) | Err(NetworkError::Prefix | NetworkError::NotAnAddress) => Ok(text_or_glob(raw)),
    }
}

fn id(name: &Name, raw: &RawValue) -> Parsed<Test> {
    refuse_comparison(name, raw)?;
    if is_glob(raw) {
        return Ok(Glob::new(&raw.text, Alike::Case).map_or(Test::Present, Test::Glob));
    }
    EventId::parse(&raw.text).map(Test::Id).ok_or_else(|| {
        Fault::new(raw.at, "an entry's id is a UUID")
            .hint("write it in full, or its start with a star")
    })
}

fn word(name: &Name, raw: &RawValue, words: &[&str]) -> Parsed<Test> {
    let list = words.join(", ");
    if !matches!(raw.op, Op::Is | Op::Exactly) {
        return Err(no_comparison(name, raw).hint(format!(
            "list the words, like `{}:({})`",
            name.written,
            words.join(" OR ")
        )));
    }
    if is_glob(raw) || words.contains(&raw.text.as_str()) {
        return Ok(text_or_glob(raw));
    }
    Err(Fault::new(raw.at, format!("`{}` is never `{}`", name.written, short(&raw.text)))
        .hint(format!("its values are {list}")))
}

fn boolean(name: &Name, raw: &RawValue) -> Parsed<Test> {
    match (raw.op, raw.text.as_str()) {
        (Op::Is | Op::Exactly, "true") => Ok(Test::Bool(true)),
        (Op::Is | Op::Exactly, "false") => Ok(Test::Bool(false)),
        _ => Err(Fault::new(raw.at, format!("`{}` is true or false", name.written))),
    }
}

fn integer(name: &Name, raw: &RawValue) -> Parsed<Test> {
    let read = |text: &str| {
        scaled(text, name.units, name.bare_scale).ok_or_else(|| {
            let units: Vec<&str> = name.units.iter().map(|(unit, _)| *unit).collect();
            let with = if units.is_empty() {
                "like 500, >=500, 400..499"
            } else {
                "with or without one of the units"
            };
            Fault::new(raw.at, format!("`{}` is compared with whole numbers", name.written))
                .hint(format!("write a number {with} {}", units.join(", ")).trim_end().to_owned())
        })
    };
    let range = match (raw.op, split_range(raw)) {
        (Op::Is, Some((low, high))) => (
            bound(low, |text| read(text).map(Bound::Included))?,
            bound(high, |text| read(text).map(Bound::Included))?,
        ),
        (op, _) => compared(op, read(&raw.text)?),
    };
    some_range(raw, range).map(Test::Range)
}

fn time(name: &Name, raw: &RawValue) -> Parsed<Test> {
    let read = |text: &str| {
        Moment::parse(text).ok_or_else(|| {
            Fault::new(raw.at, format!("`{}` is compared with days and times", name.written))
                .hint("write 2026-01-31 or 2026-01-31T08:30:00Z")
        })
    };
    let range = match (raw.op, split_range(raw)) {
        (Op::Is, Some((low, high))) => (
            bound(low, |text| read(text).map(Moment::start_here))?,
            bound(high, |text| read(text).map(Moment::end_of_range))?,
        ),
        (Op::Is | Op::Exactly, _) => read(&raw.text)?.only(),
        (Op::Above, _) => (read(&raw.text)?.start_after(), Bound::Unbounded),
        (Op::AtLeast, _) => (read(&raw.text)?.start_here(), Bound::Unbounded),
        (Op::Below, _) => (Bound::Unbounded, read(&raw.text)?.end_before()),
        (Op::AtMost, _) => (Bound::Unbounded, read(&raw.text)?.end_after()),
    };
    match some_range(raw, range)? {
        // Up to the last day that can be written, that is.
        (Bound::Unbounded, Bound::Unbounded) => Ok(Test::Present),
        range => Ok(Test::Range(range)),
    }
}

fn json(name: &Name, raw: &RawValue) -> Parsed<Test> {
    if matches!(raw.op, Op::Is | Op::Exactly) {
        return Ok(number_range(raw)?.map_or_else(|| text_or_glob(raw), Test::Number));
    }
    let number = double(&raw.text).filter(|_| raw.quotes == Quotes::Absent).ok_or_else(|| {
        Fault::new(raw.at, format!("`{}` is compared with a number", name.written))
            .hint(format!("quote the whole value to find text that starts with `{}`", raw.op))
    })?;
    some_range(raw, compared(raw.op, number)).map(Test::Number)
}

/// Reads `1..9` in JSON; anything else with dots is text.
fn number_range(raw: &RawValue) -> Parsed<Option<Range<f64>>> {
    let Some((low, high)) = split_range(raw) else { return Ok(None) };
    let side = |text: &str| {
        if text.is_empty() { Some(Bound::Unbounded) } else { double(text).map(Bound::Included) }
    };
    match (side(low), side(high)) {
        (Some(low), Some(high)) => some_range(raw, (low, high)).map(Some),
        _ => Ok(None),
    }
}

/// Splits `a..b`, `a..` and `..b`; `..` alone is no range.
fn split_range(raw: &RawValue) -> Option<(&str, &str)> {
    let (low, high) = raw.text.split_once("..").filter(|_| raw.is_plain())?;
    (!low.is_empty() || !high.is_empty()).then_some((low, high))
}

fn bound(text: &str, read: impl FnOnce(&str) -> Parsed<Bound<i64>>) -> Parsed<Bound<i64>> {
    if text.is_empty() { Ok(Bound::Unbounded) } else { read(text) }
}

fn compared<T: Copy>(op: Op, value: T) -> Range<T> {
    match op {
        Op::Is | Op::Exactly => (Bound::Included(value), Bound::Included(value)),
        Op::Above => (Bound::Excluded(value), Bound::Unbounded),
        Op::AtLeast => (Bound::Included(value), Bound::Unbounded),
        Op::Below => (Bound::Unbounded, Bound::Excluded(value)),
        Op::AtMost => (Bound::Unbounded, Bound::Included(value)),
    }
}

fn some_range<T: PartialOrd>(raw: &RawValue, range: Range<T>) -> Parsed<Range<T>> {
    let empty = match (&range.0, &range.1) {
        (Bound::Included(low), Bound::Included(high)) => low > high,
        (Bound::Included(low), Bound::Excluded(high)) => low >= high,
        _ => false,
    };
    if empty {
        return Err(Fault::new(raw.at, "the range ends before it starts"));
    }
    Ok(range)
}

fn refuse_comparison(name: &Name, raw: &RawValue) -> Parsed<()> {
    if matches!(raw.op, Op::Is | Op::Exactly) {
        return Ok(());
    }
    Err(no_comparison(name, raw)
        .hint(format!("quote the whole value to find text that starts with `{}`", raw.op)))
}

fn no_comparison(name: &Name, raw: &RawValue) -> Fault {
    Fault::new(raw.at, format!("`{}` has no order for `{}`", name.written, raw.op))
}

fn short(text: &str) -> String {
    text.chars().take(64).collect()
}
