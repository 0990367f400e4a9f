//! Columns that are stored in parts: texts that are the usual form of a UUID, and paths that
//! follow from the route.

use arrow_array::builder::StringBuilder;
use std::sync::Arc;

use arrow_array::{Int64Array, StringArray};
use trailkeep_event::{Field, FieldKind};

use crate::column::Column;
use crate::layout::{
    DURATION_MS, MEMBERS, METADATA, N_STORED, OCCURRED_AT, OCCURRED_US, PATH_FORM, SECTIONS, SHAPE,
    SHAPED, UUID_BYTES, shaped, uuid_column,
};
use crate::members::Members;

/// Returns the stored columns that make up a column.
pub(crate) fn parts_of(column: usize) -> Vec<usize> {
    if let Some((uuids, _form)) = uuid_column(column) {
        return vec![column, uuids];
    }
    if column == number(Field::Path) {
        return vec![column, PATH_FORM, SHAPE, number(Field::Route), number(Field::ResourceId)];
    }
    if shaped(column).is_some() {
        return vec![column, SHAPE];
    }
    if column == METADATA {
        return std::iter::once(column).chain(MEMBERS..N_STORED).collect();
    }
    match column {
        OCCURRED_AT => vec![column, OCCURRED_US],
        DURATION_US => vec![column, DURATION_MS],
        _ => vec![column.min(SECTIONS)],
    }
}

const DURATION_US: usize = 12;
/// How many microseconds a millisecond has.
pub(crate) const MILLI: i64 = 1000;

/// Puts a column together from its stored parts.
pub(crate) fn compose<E>(
    column: usize,
    members: &Members,
    mut part: impl FnMut(usize) -> Result<Column, E>,
) -> Result<Column, E> {
    let stored = part(column)?;
    if let Some(place) = shaped(column) {
        return Ok(of_shape(stored, &part(SHAPE)?, place));
    }
    if let Some((uuids, form)) = uuid_column(column) {
        let uuids = part(uuids)?;
        return Ok(if uuids.is_absent() { stored } else { texts(&stored, &uuids, form) });
    }
    match column {
        OCCURRED_AT => return Ok(times(&stored, &part(OCCURRED_US)?)),
        DURATION_US => {
            let millis = part(DURATION_MS)?;
            return Ok(if millis.is_absent() { stored } else { durations(&stored, &millis) });
        }
        METADATA => {
            let parts = members.iter().map(|(member, _)| part(member));
            return Ok(members.compose(stored, &parts.collect::<Result<Vec<_>, E>>()?));
        }
        _ if column != number(Field::Path) => return Ok(stored),
        _ => {}
    }
    let forms = part(PATH_FORM)?;
    if forms.is_absent() {
        return Ok(stored);
    }
    let resource_id = part(number(Field::ResourceId))?;
    let route = compose_route(&mut part)?;
    let mut paths = StringBuilder::with_capacity(stored.n_rows(), 0);
    let mut path = String::new();
    for row in 0..stored.n_rows() {
        let form = forms.int(row).and_then(PathForm::of);
        let (route, text) = (route.text(row), stored.text(row));
        path.clear();
        match form.map(|form| form.write(route, resource_id.text(row), text, &mut path)) {
            None => paths.append_option(text),
            Some(Some(())) => paths.append_value(&path),
            // Not what was written: the row differs from its columns.
            Some(None) => paths.append_null(),
        }
    }
    Ok(Column::Text(paths.finish()))
}

fn compose_route<E>(part: &mut impl FnMut(usize) -> Result<Column, E>) -> Result<Column, E> {
    let column = number(Field::Route);
    let place = shaped(column).unwrap_or(usize::MAX);
    Ok(of_shape(part(column)?, &part(SHAPE)?, place))
}

/// Takes each value from the row's shape, or from its own column where the row has no shape.
pub(crate) fn of_shape(stored: Column, shapes: &Column, place: usize) -> Column {
    let Column::Coded(codes, dictionary) = shapes else { return stored };
    let Some(member) = dictionary.member(place) else { return stored };
    let of_shape = Column::Coded(Arc::clone(codes), Arc::clone(member));
    if stored.is_absent() {
        return of_shape;
    }
    let from = |row: usize| {
        let has_shape = codes.get(row).is_some_and(|code| *code != Column::NO_CODE);
        if has_shape { &of_shape } else { &stored }
    };
    let rows = 0..stored.n_rows();
    match SHAPED.get(place).map(|field| field.kind()) {
        Some(FieldKind::Int(..)) => Column::Int(rows.map(|row| from(row).int(row)).collect()),
        Some(FieldKind::Bool) => Column::Bool(rows.map(|row| from(row).truth(row)).collect()),
        _ => Column::Text(rows.map(|row| from(row).text(row)).collect()),
    }
}

/// Puts milliseconds and what is beyond them together.
fn times(millis: &Column, beyond: &Column) -> Column {
    if let (Column::Millis(millis), true) = (millis, beyond.is_absent()) {
        return Column::Time(millis.unary(|millis| millis.saturating_mul(MILLI)));
    }
    let micros = |row| {
        Some(millis.int(row)?.saturating_mul(MILLI).saturating_add(beyond.int(row).unwrap_or(0)))
    };
    let times: Int64Array = (0..millis.n_rows()).map(micros).collect();
    Column::Time(times.reinterpret_cast())
}

/// Takes each duration from where it is.
fn durations(micros: &Column, millis: &Column) -> Column {
    let millis = millis.ints();
    let fits = |millis: &i64| millis.checked_mul(MILLI).is_some();
    if micros.is_absent() && millis.values().iter().all(fits) {
        return Column::Int(millis.unary(|millis| millis.wrapping_mul(MILLI)));
    }
    let duration = |(row, millis): (usize, Option<i64>)| match millis {
        Some(millis) => millis.checked_mul(MILLI),
        None => micros.int(row),
    };
    Column::Int(millis.iter().enumerate().map(duration).collect())
}

fn texts(stored: &Column, uuids: &Column, form: UuidForm) -> Column {
    let n_rows = stored.n_rows();
    let mut texts = StringBuilder::with_capacity(n_rows, n_rows.saturating_mul(form.length()));
    for row in 0..n_rows {
        match uuids.uuid(row) {
            Some(bytes) => texts.append_value(form.write(bytes, &mut [0; 36])),
            None => texts.append_option(stored.text(row)),
        }
    }
    let texts: StringArray = texts.finish();
    Column::Text(texts)
}

fn number(field: Field) -> usize {
    usize::from(field.number())
}

/// How 16 bytes are written as a text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum UuidForm {
    /// 36 characters: lower-case hexadecimal with dashes.
    Dashed,
    /// 32 characters: lower-case hexadecimal.
    Plain,
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

impl UuidForm {
    fn length(self) -> usize {
        match self {
            Self::Dashed => 36,
            Self::Plain => 32,
        }
    }

    /// Returns the bytes of a text that this form writes; `None` for any other text.
    pub(crate) fn read(self, text: &str) -> Option<[u8; UUID_BYTES]> {
        if text.len() != self.length() {
            return None;
        }
        let mut bytes = [0_u8; UUID_BYTES];
        let mut digits = text.bytes();
        let mut at = 0_usize;
        for slot in &mut bytes {
            if self == Self::Dashed && matches!(at, 4 | 6 | 8 | 10) && digits.next()? != b'-' {
                return None;
            }
            *slot = (digit(digits.next()?)? << 4) | digit(digits.next()?)?;
            at = at.saturating_add(1);
        }
        Some(bytes)
    }

    /// Writes the text of bytes.
    pub(crate) fn write(self, bytes: [u8; UUID_BYTES], out: &mut [u8; 36]) -> &str {
        let mut slots = out.iter_mut();
        let mut put = |byte: u8| {
            if let Some(slot) = slots.next() {
                *slot = byte;
            }
        };
        for (at, byte) in bytes.iter().enumerate() {
            if self == Self::Dashed && matches!(at, 4 | 6 | 8 | 10) {
                put(b'-');
            }
            for half in [byte >> 4, byte & 15] {
                put(DIGITS.get(usize::from(half)).copied().unwrap_or(b'0'));
            }
        }
        let text = out.get(..self.length()).unwrap_or(&[]);
        std::str::from_utf8(text).unwrap_or("")
    }
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => byte.checked_sub(b'0'),
        b'a'..=b'f' => byte.checked_sub(b'a' - 10),
        _ => None,
    }
}

/// How a path follows from the rest of its row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PathForm {
    /// It is the route.
    Route,
    /// It is the route with the resource's id in the place of its one placeholder.
    Resource,
    /// It is the route with the stored text in the place of its one placeholder.
    Text,
}

impl PathForm {
    fn of(number: i64) -> Option<Self> {
        match number {
            1 => Some(Self::Route),
            2 => Some(Self::Resource),
            3 => Some(Self::Text),
            _ => None,
        }
    }

    pub(crate) fn number(self) -> i32 {
        match self {
            Self::Route => 1,
            Self::Resource => 2,
            Self::Text => 3,
        }
    }

    /// Returns the form of a path, and the text to store where it has one.
    pub(crate) fn find<'a>(
        path: &'a str,
        route: Option<&str>,
        resource_id: Option<&str>,
    ) -> Option<(Self, Option<&'a str>)> {
        let route = route?;
        if path == route {
            return Some((Self::Route, None));
        }
        let (before, after) = around(route)?;
        let inside = path.strip_prefix(before)?.strip_suffix(after)?;
        let form = if resource_id == Some(inside) { Self::Resource } else { Self::Text };
        Some((form, (form == Self::Text).then_some(inside)))
    }

    fn write(
        self,
        route: Option<&str>,
        resource_id: Option<&str>,
        text: Option<&str>,
        out: &mut String,
    ) -> Option<()> {
        let route = route?;
        if self == Self::Route {
            out.push_str(route);
            return Some(());
        }
        let (before, after) = around(route)?;
        out.push_str(before);
        out.push_str(if self == Self::Resource { resource_id? } else { text? });
        out.push_str(after);
        Some(())
    }
}

/// Returns what stands before and after the one placeholder of a route.
fn around(route: &str) -> Option<(&str, &str)> {
    let (before, rest) = route.split_once('{')?;
    let (_name, after) = rest.split_once('}')?;
    (!after.contains('{')).then_some((before, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn uuids_come_back(bytes: [u8; 16], text in "[0-9a-fA-F-]{30,37}|.{0,40}") {
            for form in [UuidForm::Dashed, UuidForm::Plain] {
                let mut out = [0; 36];
                let written = form.write(bytes, &mut out).to_owned();
                prop_assert_eq!(form.read(&written), Some(bytes));
                if let Some(bytes) = form.read(&text) {
                    prop_assert_eq!(form.write(bytes, &mut out), &text);
                }
            }
        }

        #[test]
        fn paths_come_back(
            path in "[/a{}x]{0,10}",
            route in proptest::option::of("[/a{}x]{0,8}"),
            id in proptest::option::of("[ax]{0,3}"),
        ) {
            let (route, id) = (route.as_deref(), id.as_deref());
            if let Some((form, text)) = PathForm::find(&path, route, id) {
                let mut out = String::new();
                form.write(route, id, text, &mut out);
                prop_assert_eq!(out, path);
                prop_assert_eq!(PathForm::of(i64::from(form.number())), Some(form));
            }
        }
    }

    #[test]
    fn the_usual_forms() {
        let cases = [
            ("/a/x", "/a/{id}", Some("x"), Some((PathForm::Resource, None))),
            ("/a/y", "/a/{id}", Some("x"), Some((PathForm::Text, Some("y")))),
            ("/a", "/a", None, Some((PathForm::Route, None))),
            ("/a/{id}", "/a/{id}", None, Some((PathForm::Route, None))),
            ("/b", "/a/{id}", None, None),
            ("/a/1/2", "/a/{x}/{y}", None, None),
        ];
        for (path, route, id, form) in cases {
            assert_eq!(PathForm::find(path, Some(route), id), form, "{path} {route}");
        }
    }
}
