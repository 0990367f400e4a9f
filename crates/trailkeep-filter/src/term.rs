//! One condition: where to look, and what to find there.

use std::ops::Bound;

use trailkeep_event::{EventId, Field};

use crate::fold::Needle;
use crate::glob::Glob;
use crate::network::Network;

/// A range of integers or of microseconds.
pub(crate) type Range<T> = (Bound<T>, Bound<T>);

/// A term: it holds where one of the tests holds on one of the target's values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Term {
    pub(crate) target: Target,
    pub(crate) tests: Vec<Test>,
}

/// Where a term looks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Target {
    /// One field.
    Field(Field),
    /// The actor's identifier or label.
    Actor,
    /// A member inside a JSON field.
    Member(Field, Vec<String>),
    /// The headers of this lower-case name.
    Header(String),
    /// Everything that bare words search.
    Anywhere,
}

/// What a term looks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    /// Any value at all.
    Present,
    /// This text, exactly. In JSON also the number or truth value that is written so.
    Text(String),
    /// An action with this key.
    Action(String),
    /// This text somewhere, in upper or lower case.
    Contains(Needle),
    /// A text with stars.
    Glob(Glob),
    /// An integer or a time.
    Range(Range<i64>),
    /// A number in JSON.
    Number(Range<f64>),
    /// A truth value.
    Bool(bool),
    /// The entry's identifier.
    Id(EventId),
    /// An address in a network.
    Network(Network),
}

/// What [`Target::Actor`] reads.
pub(crate) const ACTOR: [Field; 2] = [Field::ActorId, Field::ActorLabel];

/// What bare words search: the short and likely first, `metadata` last.
pub(crate) const SEARCHED: [Field; 22] = [
    Field::Path,
    Field::Action,
    Field::ActorId,
    Field::ActorLabel,
    Field::ResourceId,
    Field::ResourceLabel,
    Field::Ip,
    Field::ErrorCode,
    Field::ErrorMessage,
    Field::AccountId,
    Field::ApplicationId,
    Field::ApplicationLabel,
    Field::EnvironmentId,
    Field::EnvironmentLabel,
    Field::IdentityId,
    Field::SessionId,
    Field::SubjectKey,
    Field::SourceId,
    Field::CorrelationId,
    Field::TraceId,
    Field::Fingerprint,
    Field::Metadata,
];

/// The free texts, in which a value is looked for anywhere and in any case.
pub(crate) const LOOSE: [Field; 4] =
    [Field::ErrorMessage, Field::ErrorStack, Field::Reason, Field::UserAgent];

impl Term {
    /// Returns the fields that the term may read.
    pub(crate) fn fields(&self) -> Vec<Field> {
        match &self.target {
            Target::Field(field) | Target::Member(field, _) => vec![*field],
            Target::Actor => ACTOR.to_vec(),
            Target::Header(_) => vec![Field::Headers],
            Target::Anywhere => {
                let mut fields = SEARCHED.to_vec();
                if self.tests.iter().any(|test| test.whole_id().is_some()) {
                    fields.push(Field::Id);
                }
                fields
            }
        }
    }

    /// Returns a rough cost, to order the evaluation: about one for each 20 ns.
    pub(crate) fn cost(&self) -> u32 {
        let place = match &self.target {
            Target::Field(_) => 1,
            Target::Actor => 2,
            Target::Member(..) | Target::Header(_) => 8,
            Target::Anywhere => 20,
        };
        self.tests.iter().map(|test| test.cost().saturating_mul(place)).fold(0, u32::saturating_add)
    }
}

impl Test {
    fn cost(&self) -> u32 {
        match self {
            Self::Present | Self::Range(_) | Self::Bool(_) | Self::Id(_) => 1,
            Self::Text(_) => 2,
            Self::Action(_) | Self::Network(_) | Self::Number(_) => 3,
            Self::Glob(_) => 4,
            Self::Contains(_) => 6,
        }
    }

    /// Returns the entry that a search for its whole identifier finds. Its parts are looked for
    /// with `id:` only: they would be found in no index, for an identifier is stored nowhere.
    pub(crate) fn whole_id(&self) -> Option<EventId> {
        match self {
            Self::Contains(needle) => EventId::parse(needle.as_str()),
            _ => None,
        }
    }
}
