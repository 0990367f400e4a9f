//! The members of an event that a mapping may set.

use trailkeep_event::Field;

/// A member of an event that a mapping may set.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Target {
    Field(Field),
    /// `duration_ms`, which the event reader turns into `duration_us`.
    DurationMs,
}

/// The object of the event in which a member stands.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Group {
    Top,
    Error,
    Block,
}

impl Group {
    /// Returns the group's member name; the event itself has none.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Self::Top => None,
            Self::Error => Some("error"),
            Self::Block => Some("block"),
        }
    }
}

impl Target {
    /// Finds a target by the name that it has inside its group.
    pub(crate) fn from_name(group: Group, name: &str) -> Option<Self> {
        if group == Group::Top && name == "duration_ms" {
            return Some(Self::DurationMs);
        }
        let field = match group.name() {
            None => Field::from_name(name)?,
            Some(prefix) => Field::from_name(&format!("{prefix}_{name}"))?,
        };
        let target = Self::Field(field);
        let settable = field.is_sent() && field != Field::Metadata;
        (settable && target.group() == group).then_some(target)
    }

    /// Returns every target.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let fields = Field::in_row().filter(|field| field.is_sent() && *field != Field::Metadata);
        fields.map(Self::Field).chain([Self::DurationMs])
    }

    /// Returns the object in which the member stands.
    pub(crate) fn group(self) -> Group {
        match self {
            Self::Field(field) if field.name().starts_with("error_") => Group::Error,
            Self::Field(field) if field.name().starts_with("block_") => Group::Block,
            Self::Field(_) | Self::DurationMs => Group::Top,
        }
    }

    /// Returns the member's name inside its group.
    pub(crate) fn member_name(self) -> &'static str {
        match self {
            Self::DurationMs => "duration_ms",
            Self::Field(field) => {
                let name = field.name();
                match self.group() {
                    Group::Top => name,
                    Group::Error => name.strip_prefix("error_").unwrap_or(name),
                    Group::Block => name.strip_prefix("block_").unwrap_or(name),
                }
            }
        }
    }

    /// Returns the name as a mapping file writes it, like `error.code`.
    pub(crate) fn path(self) -> String {
        match self.group().name() {
            None => self.member_name().to_owned(),
            Some(group) => format!("{group}.{}", self.member_name()),
        }
    }

    /// Tells whether an event cannot be without it.
    pub(crate) fn required(self) -> bool {
        matches!(self, Self::Field(Field::AccountId | Field::Action | Field::OccurredAt))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found() {
        for target in Target::all() {
            let found = Target::from_name(target.group(), target.member_name());
            assert_eq!(found, Some(target), "{}", target.path());
        }
        for name in ["error_code", "metadata", "schema", "id", "created_at", "colour"] {
            assert_eq!(Target::from_name(Group::Top, name), None, "{name}");
        }
        assert_eq!(Target::from_name(Group::Error, "reason"), None);
    }
}
