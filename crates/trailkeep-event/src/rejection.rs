//! Why an event was not admitted.

use std::fmt;

/// Says which rule an event broke. Programs branch on it; the words never change.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum RejectionCode {
    /// The text is not JSON.
    InvalidJson,
    /// The bytes are not UTF-8.
    InvalidUtf8,
    /// Objects and lists are nested too deeply.
    TooDeep,
    /// There are too many object members.
    TooManyKeys,
    /// An object names a member twice.
    DuplicateKey,
    /// A string holds half of a surrogate pair.
    LoneSurrogate,
    /// An integer is beyond 2^53 - 1, or a number is beyond a double.
    NumberTooLarge,
    /// The member is not a field; free data goes in `metadata`.
    UnknownField,
    /// The field is set by Trailkeep alone.
    ReservedField,
    /// A required field is absent.
    MissingField,
    /// The value is of another type.
    WrongType,
    /// The value is of the right type but not allowed.
    InvalidValue,
    /// The number is outside its range.
    OutOfRange,
    /// An identifier is too long.
    TooLong,
    /// The whole event is too large.
    EventTooLarge,
    /// Two fields that exclude each other were sent.
    ConflictingFields,
    /// The account does not exist and the key may not create it.
    UnknownAccount,
    /// The key may not write to this account, application or category.
    NotAllowed,
    /// The same `source_id` was sent before with another action or time.
    SourceIdConflict,
}

impl RejectionCode {
    /// Every code, for documentation.
    pub const ALL: &'static [Self] = &[
        Self::InvalidJson,
        Self::InvalidUtf8,
        Self::TooDeep,
        Self::TooManyKeys,
        Self::DuplicateKey,
        Self::LoneSurrogate,
        Self::NumberTooLarge,
        Self::UnknownField,
        Self::ReservedField,
        Self::MissingField,
        Self::WrongType,
        Self::InvalidValue,
        Self::OutOfRange,
        Self::TooLong,
        Self::EventTooLarge,
        Self::ConflictingFields,
        Self::UnknownAccount,
        Self::NotAllowed,
        Self::SourceIdConflict,
    ];

    /// Returns the code's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidJson => "invalid_json",
            Self::InvalidUtf8 => "invalid_utf8",
            Self::TooDeep => "too_deep",
            Self::TooManyKeys => "too_many_keys",
            Self::DuplicateKey => "duplicate_key",
            Self::LoneSurrogate => "lone_surrogate",
            Self::NumberTooLarge => "number_too_large",
            Self::UnknownField => "unknown_field",
            Self::ReservedField => "reserved_field",
            Self::MissingField => "missing_field",
            Self::WrongType => "wrong_type",
            Self::InvalidValue => "invalid_value",
            Self::OutOfRange => "out_of_range",
            Self::TooLong => "too_long",
            Self::EventTooLarge => "event_too_large",
            Self::ConflictingFields => "conflicting_fields",
            Self::UnknownAccount => "unknown_account",
            Self::NotAllowed => "not_allowed",
            Self::SourceIdConflict => "source_id_conflict",
        }
    }
}

impl fmt::Display for RejectionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Says why one event was not admitted, and where in it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{code} at `{pointer}`: {detail}")]
pub struct Rejection {
    /// The rule that was broken.
    pub code: RejectionCode,
    /// A JSON pointer (RFC 6901) to the offending value; empty for the event itself.
    pub pointer: String,
    /// A sentence for people.
    pub detail: String,
}

impl Rejection {
    /// Makes a rejection of the event as a whole.
    pub fn new(code: RejectionCode, detail: impl Into<String>) -> Self {
        Self { code, pointer: String::new(), detail: detail.into() }
    }

    /// Makes a rejection of one top-level member.
    pub fn at(code: RejectionCode, member: &str, detail: impl Into<String>) -> Self {
        Self::new(code, detail).inside(member)
    }

    /// Moves the rejection one level down: `self` is about the value of `member`.
    #[must_use]
    pub fn inside(mut self, member: &str) -> Self {
        let escaped = member.replace('~', "~0").replace('/', "~1");
        // A pointer is for people and logs: a hostile key must not make it long.
        let short: String = escaped.chars().take(128).collect();
        self.pointer.insert_str(0, &format!("/{short}"));
        self
    }
}
