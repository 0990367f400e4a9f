//! The table of fields: one line a field drives the reader, the sections, the columns and the
//! query language.

mod name;

use self::name::{MemberName, find};

/// What a field's value looks like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FieldKind {
    /// Text that identifies something: never cut, at most [`Field::bytes_max`] bytes.
    Id,
    /// Free text: cut with a stated mark beyond [`Field::bytes_max`] bytes.
    Text,
    /// One of a fixed list of words.
    Enum(&'static [&'static str]),
    /// An integer between the two bounds, both allowed.
    Int(i64, i64),
    /// `true` or `false`.
    Bool,
    /// A JSON object, kept as its canonical text.
    Object,
    /// Any JSON value, kept as its canonical text.
    Json,
    /// A list of `[name, value]` pairs, kept as its canonical text.
    Headers,
    /// A time, kept to the microsecond.
    Time,
}

/// The groups of fields that are hashed, disclosed and erased together.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Section {
    /// What happened, without personal data.
    Meta = 0,
    /// Who did it.
    Actor = 1,
    /// What it was done to.
    Target = 2,
    /// Where it came from.
    Client = 3,
    /// What was asked.
    Request = 4,
    /// What was answered.
    Response = 5,
    /// What it changed, and why.
    Changes = 6,
    /// The producer's own data.
    Data = 7,
}

impl Section {
    /// Every section, in number order.
    pub const ALL: [Self; 8] = [
        Self::Meta,
        Self::Actor,
        Self::Target,
        Self::Client,
        Self::Request,
        Self::Response,
        Self::Changes,
        Self::Data,
    ];

    /// Returns the section's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Actor => "actor",
            Self::Target => "target",
            Self::Client => "client",
            Self::Request => "request",
            Self::Response => "response",
            Self::Changes => "changes",
            Self::Data => "data",
        }
    }

    /// Returns the section's number in the format.
    pub const fn number(self) -> u8 {
        match self {
            Self::Meta => 0,
            Self::Actor => 1,
            Self::Target => 2,
            Self::Client => 3,
            Self::Request => 4,
            Self::Response => 5,
            Self::Changes => 6,
            Self::Data => 7,
        }
    }

    /// Returns the section's fields in the order of their names, which is their order in the
    /// canonical bytes.
    #[expect(clippy::too_many_lines, reason = "a table, one line a field")]
    pub fn fields(self) -> &'static [Field] {
        use Field as F;
        match self {
            Self::Meta => &[
                F::AccountId,
                F::Action,
                F::ApiVersion,
                F::ApplicationId,
                F::AuthType,
                F::BlockReason,
                F::BlockRuleId,
                F::BlockScoreParts,
                F::BlockThreatScore,
                F::Category,
                F::CustomerVisible,
                F::DurationUs,
                F::EnvironmentId,
                F::ErrorCategory,
                F::ErrorCode,
                F::ErrorPriority,
                F::ErrorRetryCount,
                F::IdentityVisible,
                F::Intent,
                F::Method,
                F::OccurredAt,
                F::Outcome,
                F::RequestBytes,
                F::ResponseBytes,
                F::Route,
                F::SampleRate,
                F::Schema,
                F::Severity,
                F::Status,
            ],
            Self::Actor => &[
                F::ActorId,
                F::ActorLabel,
                F::ActorRole,
                F::ActorType,
                F::IdentityId,
                F::OnBehalfOf,
                F::SessionId,
            ],
            Self::Target => &[
                F::ApplicationLabel,
                F::EnvironmentLabel,
                F::Path,
                F::ResourceId,
                F::ResourceLabel,
                F::ResourceType,
                F::SubjectHash,
                F::SubjectKey,
            ],
            Self::Client => {
                &[F::Asn, F::City, F::Country, F::Fingerprint, F::Ip, F::Region, F::UserAgent]
            }
            Self::Request => &[
                F::CorrelationId,
                F::Headers,
                F::Instance,
                F::InstanceSeq,
                F::PathParams,
                F::QueryParams,
                F::RequestBody,
                F::SourceId,
                F::TraceId,
            ],
            Self::Response => {
                &[F::ErrorMessage, F::ErrorStack, F::ErrorValidationErrors, F::ResponseBody]
            }
            Self::Changes => &[F::After, F::Before, F::Reason],
            Self::Data => &[F::Metadata],
        }
    }
}

/// The severities, from least to most.
pub const SEVERITIES: &[&str] = &["debug", "info", "notice", "warning", "error", "critical"];
/// The outcomes; an absent one is `unknown`.
pub const OUTCOMES: &[&str] = &["success", "failure", "denied", "unknown"];
/// The categories that a producer may write; an absent one is `api`.
pub const CATEGORIES: &[&str] = &["dashboard", "api", "auth", "blocked", "system"];

/// The category that only Trailkeep itself writes.
#[derive(Clone, Copy, Debug)]
pub struct SystemCategory;

impl SystemCategory {
    /// The category's word.
    pub const WORD: &'static str = "system";
}

/// The largest integer that every JSON reader keeps exactly (2^53 - 1).
pub(crate) const INT_MAX: i64 = 9_007_199_254_740_991;

const ID_BYTES: usize = 1024;
const LABEL_BYTES: usize = 2048;
const TEXT_BYTES: usize = 8192;
const STACK_BYTES: usize = 32_768;
/// JSON fields share the event's own limit.
const JSON_BYTES: usize = usize::MAX;

macro_rules! fields {
    ($( $number:literal $variant:ident $name:literal $section:expr, $kind:expr, $bytes:expr; )*) => {
        /// A field of an entry. Numbers are part of the row format and never change.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[repr(u8)]
        pub enum Field { $( #[doc = concat!("`", $name, "`")] $variant = $number, )* }

        impl Field {
            /// Every field, in number order.
            pub const ALL: &'static [Self] = &[ $( Self::$variant, )* ];

            /// Returns the field's name, as in answers, filters and canonical bytes.
            #[inline]
            pub const fn name(self) -> &'static str {
                match self { $( Self::$variant => $name, )* }
            }

            /// Returns the field's name as the canonical bytes have it.
            #[inline]
            pub(crate) fn member(self) -> &'static MemberName {
                match self {
                    $( Self::$variant => {
                        const { &MemberName::new(concat!(",\"", $name, "\":\"").as_bytes()) }
                    } )*
                }
            }

            /// Returns the field's number in the row format.
            #[inline]
            pub const fn number(self) -> u8 { match self { $( Self::$variant => $number, )* } }

            /// Returns how the field's value lies in a row.
            #[inline]
            pub(crate) fn shape(self) -> Shape {
                match self { $( Self::$variant => const { Shape::of($kind) }, )* }
            }

            /// Returns the section that holds the field; the ones that are ours have none.
            #[inline]
            pub fn section(self) -> Option<Section> {
                match self { $( Self::$variant => $section, )* }
            }

            /// Returns what the field's value looks like.
            #[inline]
            pub fn kind(self) -> FieldKind { match self { $( Self::$variant => $kind, )* } }

            /// Returns the longest text in bytes: longer ids are rejected, longer texts are cut.
            #[inline]
            pub fn bytes_max(self) -> usize { match self { $( Self::$variant => $bytes, )* } }
        }
    };
}

use self::FieldKind::{Bool, Enum, Headers, Id, Int, Json, Object, Text, Time};
use self::Section::{Actor, Changes, Client, Data, Meta, Request, Response, Target};

fields! {
    0 AccountId "account_id" Some(Meta), Id, 128;
    1 OccurredAt "occurred_at" Some(Meta), Time, 0;
    2 Action "action" Some(Meta), Id, 512;
    3 Category "category" Some(Meta), Enum(CATEGORIES), 0;
    4 Outcome "outcome" Some(Meta), Enum(OUTCOMES), 0;
    5 Severity "severity" Some(Meta), Enum(SEVERITIES), 0;
    6 Schema "schema" Some(Meta), Int(1, 255), 0;
    7 ApplicationId "application_id" Some(Meta), Id, ID_BYTES;
    8 EnvironmentId "environment_id" Some(Meta), Id, ID_BYTES;
    9 Method "method" Some(Meta), Id, 64;
    10 Route "route" Some(Meta), Text, LABEL_BYTES;
    11 Status "status" Some(Meta), Int(0, 999), 0;
    12 DurationUs "duration_us" Some(Meta), Int(0, INT_MAX), 0;
    13 RequestBytes "request_bytes" Some(Meta), Int(0, INT_MAX), 0;
    14 ResponseBytes "response_bytes" Some(Meta), Int(0, INT_MAX), 0;
    15 AuthType "auth_type" Some(Meta), Id, 64;
    16 ApiVersion "api_version" Some(Meta), Id, 128;
    17 SampleRate "sample_rate" Some(Meta), Int(1, 1_000_000), 0;
    18 Intent "intent" Some(Meta), Bool, 0;
    19 CustomerVisible "customer_visible" Some(Meta), Bool, 0;
    20 IdentityVisible "identity_visible" Some(Meta), Bool, 0;
    21 ErrorCode "error_code" Some(Meta), Id, 256;
    22 ErrorCategory "error_category" Some(Meta), Id, 128;
    23 ErrorPriority "error_priority" Some(Meta), Id, 64;
    24 ErrorRetryCount "error_retry_count" Some(Meta), Int(0, INT_MAX), 0;
    25 BlockReason "block_reason" Some(Meta), Id, 256;
    26 BlockRuleId "block_rule_id" Some(Meta), Id, 256;
    27 BlockThreatScore "block_threat_score" Some(Meta), Int(0, 100), 0;
    28 BlockScoreParts "block_score_parts" Some(Meta), Object, JSON_BYTES;
    29 ActorId "actor_id" Some(Actor), Id, ID_BYTES;
    30 ActorType "actor_type" Some(Actor), Id, 128;
    31 ActorLabel "actor_label" Some(Actor), Text, LABEL_BYTES;
    32 ActorRole "actor_role" Some(Actor), Text, LABEL_BYTES;
    33 OnBehalfOf "on_behalf_of" Some(Actor), Json, JSON_BYTES;
    34 IdentityId "identity_id" Some(Actor), Id, ID_BYTES;
    35 SessionId "session_id" Some(Actor), Id, ID_BYTES;
    36 ResourceType "resource_type" Some(Target), Id, 256;
    37 ResourceId "resource_id" Some(Target), Id, LABEL_BYTES;
    38 ResourceLabel "resource_label" Some(Target), Text, LABEL_BYTES;
    39 SubjectKey "subject_key" Some(Target), Id, ID_BYTES;
    40 SubjectHash "subject_hash" Some(Target), Id, ID_BYTES;
    41 Path "path" Some(Target), Text, TEXT_BYTES;
    42 ApplicationLabel "application_label" Some(Target), Text, LABEL_BYTES;
    43 EnvironmentLabel "environment_label" Some(Target), Text, LABEL_BYTES;
    44 Ip "ip" Some(Client), Id, 256;
    45 Country "country" Some(Client), Id, 64;
    46 Region "region" Some(Client), Id, 256;
    47 City "city" Some(Client), Id, 256;
    48 Asn "asn" Some(Client), Int(0, 4_294_967_295), 0;
    49 UserAgent "user_agent" Some(Client), Text, LABEL_BYTES;
    50 Fingerprint "fingerprint" Some(Client), Id, ID_BYTES;
    51 QueryParams "query_params" Some(Request), Object, JSON_BYTES;
    52 PathParams "path_params" Some(Request), Object, JSON_BYTES;
    53 Headers "headers" Some(Request), Headers, JSON_BYTES;
    54 RequestBody "request_body" Some(Request), Json, JSON_BYTES;
    55 SourceId "source_id" Some(Request), Id, ID_BYTES;
    56 CorrelationId "correlation_id" Some(Request), Id, ID_BYTES;
    57 TraceId "trace_id" Some(Request), Id, ID_BYTES;
    58 Instance "instance" Some(Request), Id, ID_BYTES;
    59 InstanceSeq "instance_seq" Some(Request), Int(0, INT_MAX), 0;
    60 ResponseBody "response_body" Some(Response), Json, JSON_BYTES;
    61 ErrorMessage "error_message" Some(Response), Text, TEXT_BYTES;
    62 ErrorStack "error_stack" Some(Response), Text, STACK_BYTES;
    63 ErrorValidationErrors "error_validation_errors" Some(Response), Json, JSON_BYTES;
    64 Before "before" Some(Changes), Json, JSON_BYTES;
    65 After "after" Some(Changes), Json, JSON_BYTES;
    66 Reason "reason" Some(Changes), Text, TEXT_BYTES;
    67 Metadata "metadata" Some(Data), Object, JSON_BYTES;
    100 Id "id" None, Id, 36;
    101 Seq "seq" None, Int(0, INT_MAX), 0;
    102 CreatedAt "created_at" None, Time, 0;
    103 ClockSkew "clock_skew" None, Bool, 0;
}

impl Field {
    /// How many fields a row can hold: the ones that belong to a section.
    pub const IN_ROW: usize = 68;

    /// Returns the fields that a row can hold, in number order.
    pub fn in_row() -> impl Iterator<Item = Self> {
        // Their numbers are the first ones, without a gap.
        Self::ALL.iter().copied().take(Self::IN_ROW)
    }

    /// Finds a field by its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::from_bytes(name.as_bytes())
    }

    /// Finds a field by the bytes of its name.
    #[inline]
    pub(crate) fn from_bytes(name: &[u8]) -> Option<Self> {
        find(name)
    }

    /// Tells whether a producer sends the field inside the object `error` or `block`.
    #[inline]
    pub(crate) fn is_grouped(self) -> bool {
        matches!(
            self,
            Self::ErrorCode
                | Self::ErrorCategory
                | Self::ErrorPriority
                | Self::ErrorRetryCount
                | Self::ErrorMessage
                | Self::ErrorStack
                | Self::ErrorValidationErrors
                | Self::BlockReason
                | Self::BlockRuleId
                | Self::BlockThreatScore
                | Self::BlockScoreParts
        )
    }

    /// Tells whether a producer may send the field; the others are set by Trailkeep.
    #[inline]
    pub fn is_sent(self) -> bool {
        self.section().is_some() && !matches!(self, Self::Schema | Self::SubjectHash)
    }
}

/// How a value lies in a row: what a reader of its bytes must know, in one byte.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Shape {
    Text,
    /// A text that is one of the field's words.
    Word,
    Json,
    Int,
    Bool,
    Time,
}

impl Shape {
    const fn of(kind: FieldKind) -> Self {
        match kind {
            Id | Text => Self::Text,
            Enum(_) => Self::Word,
            Int(..) => Self::Int,
            Bool => Self::Bool,
            Object | Json | Headers => Self::Json,
            Time => Self::Time,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_a_row_is_in_its_section_once_and_sections_are_sorted() {
        let mut listed = Vec::new();
        for section in Section::ALL {
            let names: Vec<&str> = section.fields().iter().map(|field| field.name()).collect();
            assert!(names.is_sorted(), "{names:?}");
            assert!(section.fields().iter().all(|field| field.section() == Some(section)));
            listed.extend_from_slice(section.fields());
        }
        listed.sort_unstable();
        assert_eq!(listed, Field::in_row().collect::<Vec<_>>());
        assert_eq!(listed.len(), Field::IN_ROW);
    }

    #[test]
    fn numbers_ascend_and_names_are_found() {
        assert!(Field::ALL.windows(2).all(|pair| pair[0].number() < pair[1].number()));
        for (index, field) in Field::in_row().enumerate() {
            assert_eq!(usize::from(field.number()), index);
        }
        for field in Field::ALL {
            assert_eq!(Field::from_name(field.name()), Some(*field));
            let prefix = field.name().split_once('_').map(|(prefix, _rest)| prefix);
            assert_eq!(field.is_grouped(), matches!(prefix, Some("error" | "block")));
        }
        for name in ["", "i", "statu", "status ", "Status", "colour", "metadata_\u{e9}"] {
            assert_eq!(Field::from_name(name), None, "{name}");
        }
    }
}
