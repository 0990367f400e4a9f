//! Names of what values are counted of.

use trailkeep_event::{Field, FieldKind};
use trailkeep_filter::Filter;

/// A field, or a member inside a JSON field, that has values to count.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FieldPath {
    field: Field,
    member: Vec<String>,
    name: String,
}

impl FieldPath {
    /// Reads a name as filters have it before a colon: a field or another name of one, or a path
    /// such as `metadata.a.b`. `None` where it is none, or of several fields at once, or of what
    /// is no value to count: times, identifiers of entries, JSON as a whole, headers.
    pub fn parse(name: &str) -> Option<Self> {
        let present = |name: &str| Filter::parse(&format!("{name}:*")).ok();
        let filter = present(name)?;
        let [term] = filter.terms()[..] else { return None };
        let path = match (term.member(), &term.fields()[..]) {
            (Some((field, member)), _) => Self::of(field, member.to_vec()),
            (None, [field]) => Self::of(*field, Vec::new()),
            (None, _) => return None,
        };
        // What was read must be the name alone, not a condition that has it.
        (path.has_values() && present(&path.name)? == filter).then_some(path)
    }

    pub(crate) fn of(field: Field, member: Vec<String>) -> Self {
        let mut name = field.name().to_owned();
        for key in &member {
            name.push('.');
            write_key(&mut name, key);
        }
        Self { field, member, name }
    }

    fn has_values(&self) -> bool {
        match self.field.kind() {
            FieldKind::Int(..) | FieldKind::Bool | FieldKind::Text | FieldKind::Enum(_) => true,
            FieldKind::Id => self.field != Field::Id,
            FieldKind::Object | FieldKind::Json => !self.member.is_empty(),
            FieldKind::Headers | FieldKind::Time => false,
        }
    }

    /// Returns the field.
    pub fn field(&self) -> Field {
        self.field
    }

    /// Returns the path of the member; empty where it is the field itself.
    pub fn member(&self) -> &[String] {
        &self.member
    }

    /// Returns the one name that filters read as this.
    pub fn name(&self) -> &str {
        &self.name
    }
}

fn write_key(out: &mut String, key: &str) {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !key.is_empty() && key.bytes().all(is_plain) {
        out.push_str(key);
        return;
    }
    out.push('"');
    for c in key.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_and_what_is_none() {
        let cases = [
            ("status", Some("status")),
            ("account", Some("account_id")),
            ("error.code", Some("error_code")),
            ("metadata.a.b", Some("metadata.a.b")),
            ("metadata.\"a b\".c", Some("metadata.\"a b\".c")),
            ("query_params.page", Some("query_params.page")),
            ("identity_visible", Some("identity_visible")),
            ("actor", None),
            ("metadata", None),
            ("before", None),
            ("headers.accept", None),
            ("occurred_at", None),
            ("id", None),
            ("nothing", None),
            ("", None),
            ("-status", None),
            ("status:200 OR status", None),
            ("action:x", None),
            ("limit reached", None),
            ("(status", None),
        ];
        for (name, expected) in cases {
            let path = FieldPath::parse(name);
            assert_eq!(path.as_ref().map(FieldPath::name), expected, "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_key_has_a_name(member in prop::collection::vec(".{0,8}", 1..4)) {
            let path = FieldPath::of(Field::Metadata, member);
            prop_assert_eq!(FieldPath::parse(path.name()), Some(path));
        }

        #[test]
        fn hostile_names_never_panic(name in "[a-z.:\"*()\\\\ -]{0,20}|.{0,20}") {
            if let Some(path) = FieldPath::parse(&name) {
                prop_assert_eq!(FieldPath::parse(path.name()), Some(path));
            }
        }
    }
}
