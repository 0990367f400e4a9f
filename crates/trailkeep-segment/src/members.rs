//! The frequent members of `metadata`: each has a column of its own in the file, the rest of an
//! object stays in the column of the field.

use std::cmp::{Ordering, Reverse};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;
use std::sync::Arc;

use arrow_array::StringArray;
use arrow_array::builder::StringBuilder;
use trailkeep_event::{Field, RowRef, ValueRef};

use crate::column::Column;
use crate::layout::{MEMBERS, METADATA, column_named};
use crate::numbers::long;
use crate::verbatim::value_len;

/// The most members of one file.
pub(crate) const MEMBERS_MAX: usize = 16;
/// What the names of their columns begin with; the member's key follows.
pub(crate) const MEMBER_PREFIX: &str = "metadata.";
/// The longest key.
const KEY_BYTES_MAX: usize = 64;
/// A member is frequent where one in so many rows has it.
const ROWS_PER_MEMBER: u64 = 1000;
/// How many keys are counted; of data that has more, those that come later are not frequent.
const KEYS_MAX: usize = 4096;
/// How many different values are told apart, of all keys together.
const VALUES_MAX: usize = 1 << 18;
/// Values are stored as codes where each comes so often at least, in the rows that were counted.
const ROWS_PER_VALUE: u64 = 2;

/// The members that a file has columns for, in the order of their keys. Cloning shares them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members(Arc<[Member]>);

/// A member that a file has a column for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Member {
    pub(crate) key: Box<str>,
    /// Whether its values repeat so often that they are stored as codes.
    pub(crate) coded: bool,
}

impl Members {
    /// Takes members that a file has columns for, in their order; `None` where it is not theirs.
    pub(crate) fn new(members: Vec<Member>) -> Option<Self> {
        let in_order = |a: &Member, b: &Member| utf16_order(&a.key, &b.key) == Ordering::Less;
        let ordered = members.is_sorted_by(in_order);
        (ordered && members.len() <= MEMBERS_MAX).then(|| Self(members.into()))
    }

    /// Returns how many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the keys, in their order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|member| &*member.key)
    }

    /// Returns each member with its column.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &Member)> {
        (MEMBERS..).zip(self.0.iter())
    }

    /// Returns the stored column of that name.
    pub(crate) fn column_named(&self, name: &str) -> Option<usize> {
        match name.strip_prefix(MEMBER_PREFIX) {
            Some(key) => self.iter().find(|(_, member)| *member.key == *key).map(|(at, _)| at),
            None => column_named(name),
        }
    }

    /// Returns the name of a member's column.
    pub(crate) fn column_name(&self, column: usize) -> Option<String> {
        let member = self.0.get(column.checked_sub(MEMBERS)?)?;
        Some(format!("{MEMBER_PREFIX}{}", member.key))
    }

    /// Returns the stored columns that may hold what a path into `metadata` leads to, or all
    /// where there is no path. A key may hold several segments of the path, with their dots.
    pub(crate) fn parts(&self, path: Option<&[String]>) -> Vec<usize> {
        let Some(path) = path else {
            return self.iter().map(|(column, _)| column).chain([METADATA]).collect();
        };
        let on_path = |(_, member): &(usize, &Member)| is_on_path(&member.key, path);
        let mut parts: Vec<usize> = self.iter().filter(on_path).map(|(column, _)| column).collect();
        // Each key on the path is in one place in all rows.
        if parts.len() < path.len() {
            parts.push(METADATA);
        }
        parts
    }

    /// Divides a canonical object into the members that have columns and the rest.
    pub(crate) fn split(&self, json: &str, split: &mut Split) {
        split.clear();
        if self.0.is_empty() || self.split_members(json, split).is_none() {
            split.clear();
            split.rest.push_str(json);
            split.has_rest = true;
        }
    }

    fn split_members(&self, json: &str, split: &mut Split) -> Option<()> {
        for member in ObjectMembers::of(json)? {
            let (key, text) = member?;
            let slot = key.plain().and_then(|key| self.0.iter().position(|it| *it.key == *key));
            if let Some(slot) = slot.and_then(|slot| split.members.get_mut(slot)) {
                *slot = push(&mut split.text, text);
            } else {
                push_member(&mut split.rest, text);
            }
        }
        split.has_rest = !split.rest.is_empty() || split.text.is_empty();
        if split.has_rest {
            split.rest.push_str(if split.rest.is_empty() { "{}" } else { "}" });
        }
        Some(())
    }

    /// Puts the objects together again: the rest, and for each member the column of its values.
    pub(crate) fn compose(&self, rest: Column, members: &[Column]) -> Column {
        if members.iter().all(Column::is_absent) {
            return rest;
        }
        let mut objects = StringBuilder::with_capacity(rest.n_rows(), 0);
        let mut object = String::new();
        for row in 0..rest.n_rows() {
            object.clear();
            if members.iter().all(|column| column.text(row).is_none()) {
                objects.append_option(rest.text(row));
                continue;
            }
            match self.compose_row(rest.text(row), members, row, &mut object) {
                Some(()) => objects.append_value(&object),
                // Not what was written: the row differs from its columns.
                None => objects.append_null(),
            }
        }
        let objects: StringArray = objects.finish();
        Column::Text(objects)
    }

    /// Writes an object of which a member at least has a column.
    fn compose_row(
        &self,
        rest: Option<&str>,
        members: &[Column],
        row: usize,
        out: &mut String,
    ) -> Option<()> {
        let others = rest.map_or(Some(ObjectMembers::default()), ObjectMembers::of)?;
        let mut others = others.peekable();
        for (member, column) in self.0.iter().zip(members) {
            let Some(object) = column.text(row) else { continue };
            let before = |other: &Option<(Key<'_>, &str)>| {
                other.is_none_or(|(key, _)| key.order(&member.key) == Ordering::Less)
            };
            while let Some(other) = others.next_if(before) {
                push_member(out, other?.1);
            }
            push_member(out, object.strip_prefix('{')?.strip_suffix('}')?);
        }
        for other in others {
            push_member(out, other?.1);
        }
        out.push('}');
        Some(())
    }
}

fn is_on_path(key: &str, path: &[String]) -> bool {
    let mut left = key;
    for segment in path {
        match left.strip_prefix(segment.as_str()) {
            Some("") => return true,
            after => match after.and_then(|after| after.strip_prefix('.')) {
                Some(after) => left = after,
                None => return false,
            },
        }
    }
    false
}

fn push_member(out: &mut String, text: &str) {
    out.push(if out.is_empty() { '{' } else { ',' });
    out.push_str(text);
}

/// Appends a member as an object of its own and returns where it stands.
fn push(out: &mut String, text: &str) -> Range<usize> {
    let start = out.len();
    out.push('{');
    out.push_str(text);
    out.push('}');
    start..out.len()
}

/// One object, divided. It is used again for the next.
#[derive(Debug, Default)]
pub(crate) struct Split {
    text: String,
    /// Where the text of each member's object stands.
    members: [Range<usize>; MEMBERS_MAX],
    rest: String,
    has_rest: bool,
}

impl Split {
    /// Starts again without an object.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.members = Default::default();
        self.rest.clear();
        self.has_rest = false;
    }

    /// Returns what is left for the field's own column.
    pub(crate) fn rest(&self) -> Option<&str> {
        self.has_rest.then_some(self.rest.as_str())
    }

    /// Returns an object with one member alone, by the member's place.
    pub(crate) fn member(&self, place: usize) -> Option<&str> {
        let range = self.members.get(place).filter(|range| !range.is_empty())?;
        self.text.get(range.clone())
    }
}

/// The key of a member as JSON writes it, without the quotes.
#[derive(Clone, Copy, Debug)]
struct Key<'a>(&'a str);

impl<'a> Key<'a> {
    /// Returns the key, where JSON writes it as it is.
    fn plain(self) -> Option<&'a str> {
        (!self.0.contains('\\')).then_some(self.0)
    }

    fn order(self, other: &str) -> Ordering {
        match self.plain() {
            Some(key) => utf16_order(key, other),
            None => serde_json::from_str::<String>(&format!("\"{}\"", self.0))
                .map_or(Ordering::Less, |key| utf16_order(&key, other)),
        }
    }
}

/// Orders keys as RFC 8785 does.
fn utf16_order(a: &str, b: &str) -> Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}

/// Returns the texts of a canonical object's members, key and value each; what is none is one.
pub(crate) fn members_of(json: &str) -> impl Iterator<Item = &str> {
    let members = ObjectMembers::of(json);
    let whole = members.is_none().then_some(json);
    let members = members.into_iter().flatten();
    whole.into_iter().chain(members.map(|member| member.map_or("", |(_, text)| text)))
}

/// The members of a canonical object: each key, and the text of key and value. Ends with `None`
/// where the text is no canonical object.
#[derive(Debug, Default)]
struct ObjectMembers<'a> {
    /// What follows, to the closing bracket.
    left: &'a str,
}

impl<'a> ObjectMembers<'a> {
    fn of(json: &'a str) -> Option<Self> {
        Some(Self { left: json.strip_prefix('{')?.strip_suffix('}')? })
    }

    /// Reads the first member and returns what follows it.
    fn first(&self) -> Option<(Key<'a>, &'a str, &'a str)> {
        let key_len = value_len(self.left)?;
        let (key, after) = self.left.split_at_checked(key_len)?;
        let key = key.strip_prefix('"')?.strip_suffix('"')?;
        let value = after.strip_prefix(':')?;
        // A number at the end has no bracket after it here.
        let value_len = value_len(value).unwrap_or(value.len());
        let (text, after) =
            self.left.split_at_checked(key_len.checked_add(1)?.checked_add(value_len)?)?;
        match after.strip_prefix(',') {
            Some("") => None,
            Some(left) => Some((Key(key), text, left)),
            None => after.is_empty().then_some((Key(key), text, "")),
        }
    }
}

impl<'a> Iterator for ObjectMembers<'a> {
    type Item = Option<(Key<'a>, &'a str)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left.is_empty() {
            return None;
        }
        let member = self.first();
        self.left = member.map_or("", |(_, _, left)| left);
        Some(member.map(|(key, text, _)| (key, text)))
    }
}

/// Counts the members of the rows that a file is made of.
#[derive(Debug, Default)]
pub(crate) struct MemberCounts {
    n_rows: u64,
    counts: HashMap<Box<str>, Count>,
    n_values: usize,
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct Count {
    n_rows: u64,
    values: HashSet<u64>,
    /// Rows whose values were not told apart.
    n_others: u64,
}

impl Count {
    fn is_coded(&self) -> bool {
        let n_values = long(self.values.len()).saturating_add(self.n_others);
        n_values.saturating_mul(ROWS_PER_VALUE) <= self.n_rows
    }
}

impl MemberCounts {
    /// Counts a row.
    pub(crate) fn row(&mut self, row: RowRef<'_>) {
        self.n_rows = self.n_rows.saturating_add(1);
        let Some(ValueRef::Json(json)) = row.value(Field::Metadata) else { return };
        for (key, text) in ObjectMembers::of(json).into_iter().flatten().flatten() {
            if let Some(key) = key.plain().filter(|key| key.len() <= KEY_BYTES_MAX) {
                self.member(key, text);
            }
        }
    }

    fn member(&mut self, key: &str, text: &str) {
        let value = self.hasher.hash_one(text);
        let has_room = self.n_values < VALUES_MAX;
        let Some(count) = self.count(key) else { return };
        count.n_rows = count.n_rows.saturating_add(1);
        if has_room {
            let is_new = count.values.insert(value);
            self.n_values = self.n_values.saturating_add(usize::from(is_new));
        } else if !count.values.contains(&value) {
            count.n_others = count.n_others.saturating_add(1);
        }
    }

    fn count(&mut self, key: &str) -> Option<&mut Count> {
        if !self.counts.contains_key(key) {
            if self.counts.len() >= KEYS_MAX {
                return None;
            }
            self.counts.insert(key.into(), Count::default());
        }
        self.counts.get_mut(key)
    }

    /// Counts the rows of another file.
    pub(crate) fn rows(&mut self, n_rows: u64) {
        self.n_rows = self.n_rows.saturating_add(n_rows);
    }

    /// Counts the rows that have a member in another file.
    pub(crate) fn column(&mut self, member: &Member, n_rows: u64) {
        let Some(count) = self.count(&member.key) else { return };
        count.n_rows = count.n_rows.saturating_add(n_rows);
        if !member.coded {
            count.n_others = count.n_others.saturating_add(n_rows);
        }
    }

    /// Returns the members that get columns: the most frequent.
    pub(crate) fn choose(&self) -> Members {
        let mut frequent: Vec<(&str, &Count)> = self
            .counts
            .iter()
            .map(|(key, count)| (&**key, count))
            .filter(|(_, count)| count.n_rows.saturating_mul(ROWS_PER_MEMBER) >= self.n_rows)
            .collect();
        frequent.sort_unstable_by_key(|(key, count)| (Reverse(count.n_rows), *key));
        let mut chosen: Vec<Member> = Vec::new();
        for (key, count) in frequent {
            // Some readers do not tell upper from lower case in the names of columns.
            let is_taken = chosen.iter().any(|member| member.key.eq_ignore_ascii_case(key));
            if chosen.len() < MEMBERS_MAX && !is_taken {
                chosen.push(Member { key: key.into(), coded: count.is_coded() });
            }
        }
        chosen.sort_unstable_by(|a, b| utf16_order(&a.key, &b.key));
        Members(chosen.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use trailkeep_testkit::any_canonical_json;

    fn members(keys: &[&str]) -> Members {
        let member = |key: &&str| Member { key: (*key).into(), coded: false };
        let mut members: Vec<Member> = keys.iter().map(member).collect();
        members.sort_unstable_by(|a, b| utf16_order(&a.key, &b.key));
        Members::new(members).unwrap()
    }

    /// Divides an object and puts it together again.
    fn round(members: &Members, json: &str) -> (Split, Option<String>) {
        let mut split = Split::default();
        members.split(json, &mut split);
        let column = |text: Option<&str>| Column::Text(StringArray::from(vec![text]));
        let columns: Vec<Column> =
            (0..members.0.len()).map(|place| column(split.member(place))).collect();
        let composed = members.compose(column(split.rest()), &columns);
        let text = composed.text(0).map(str::to_owned);
        (split, text)
    }

    #[test]
    fn objects_are_divided() {
        let members = members(&["b", "d", "", "\u{10000}"]);
        let cases = [
            ("{}", Some("{}"), [None, None]),
            (r#"{"b":1}"#, None, [Some(r#"{"b":1}"#), None]),
            (r#"{"a":1}"#, Some(r#"{"a":1}"#), [None, None]),
            (
                r#"{"a":[1,{"b":2}],"b":{},"c":"}","d":null,"e":"\\\""}"#,
                Some(r#"{"a":[1,{"b":2}],"c":"}","e":"\\\""}"#),
                [Some(r#"{"b":{}}"#), Some(r#"{"d":null}"#)],
            ),
            // Never in a row: kept as it is.
            ("[1]", Some("[1]"), [None, None]),
            (r#"{"b":1,"#, Some(r#"{"b":1,"#), [None, None]),
        ];
        for (json, rest, parts) in cases {
            let (split, text) = round(&members, json);
            assert_eq!(split.rest(), rest, "{json}");
            assert_eq!([1, 2].map(|place| split.member(place)), parts, "{json}");
            assert_eq!(text.as_deref(), Some(json));
        }
    }

    #[test]
    fn paths_lead_to_keys_with_dots() {
        let members = members(&["a", "a.b", "b", "a.b.c"]);
        let on_path = |path: &[&str]| {
            let path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
            members.parts(Some(&path))
        };
        assert_eq!(on_path(&["a"]), [MEMBERS]);
        assert_eq!(on_path(&["a", "b"]), [MEMBERS, MEMBERS + 1]);
        assert_eq!(on_path(&["a.b"]), [MEMBERS + 1]);
        assert_eq!(on_path(&["b", "c"]), [MEMBERS + 3, METADATA]);
        assert_eq!(on_path(&["a.b", "c", "d"]), [MEMBERS + 1, MEMBERS + 2, METADATA]);
        assert_eq!(on_path(&["c"]), [METADATA]);
        assert_eq!(members.parts(None).len(), 5);
    }

    #[test]
    fn the_frequent_members_are_chosen() {
        let mut counts = MemberCounts::default();
        counts.rows(10_000);
        for n in 0..40_u64 {
            let member = Member { key: format!("k{n:02}").into(), coded: n % 2 == 0 };
            counts.column(&member, n);
        }
        let chosen = counts.choose();
        let keys: Vec<&str> = chosen.0.iter().map(|member| &*member.key).collect();
        assert_eq!(keys.len(), MEMBERS_MAX);
        assert_eq!((keys[0], keys[15]), ("k24", "k39"));
        assert!(chosen.0.iter().all(|member| member.coded == (member.key.as_bytes()[2] % 2 == 0)));
        counts.rows(20_000);
        assert_eq!(counts.choose().0.len(), 10);
    }

    proptest! {
        #[test]
        fn objects_come_back(
            object in proptest::collection::vec(("[a-c.\u{e000}\u{10000}\"]{0,2}", any_canonical_json()), 0..5),
            keys in proptest::collection::btree_set("[a-c.\u{e000}\u{10000}]{0,2}", 0..4),
        ) {
            let mut object = object;
            object.sort_by(|a, b| utf16_order(&a.0, &b.0));
            object.dedup_by(|a, b| a.0 == b.0);
            let object: Vec<String> = object
                .iter()
                .map(|(key, value)| format!("{}:{value}", serde_json::to_string(key).unwrap()))
                .collect();
            let json = format!("{{{}}}", object.join(","));
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let (_, text) = round(&members(&keys), &json);
            prop_assert_eq!(text, Some(json));
        }

        #[test]
        fn hostile_text_never_panics(text in "[{}\\[\\]:,\"\\\\a\u{e9}nu0-9]{0,40}") {
            let members = members(&["", "a", "aa"]);
            let (_, same) = round(&members, &text);
            prop_assert!(same.is_none() || same.is_some());
            let column = |text: &str| Column::Text(StringArray::from(vec![text]));
            let columns = [column(&text), column("{\"a\":1}"), Column::Absent(1)];
            let composed = members.compose(column(&text), &columns);
            prop_assert_eq!(composed.n_rows(), 1);
        }
    }
}
