//! The columns of a segment: one for each field of a row, in field-number order, then ours.

use std::sync::Arc;

use arrow_schema::{DataType, Field as ArrowField, Schema, SchemaRef, TimeUnit};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion,
};
use parquet::schema::types::ColumnPath;
use trailkeep_event::{Field, FieldKind};

use crate::compose::UuidForm;
use crate::members::{MEMBERS_MAX, Members};

/// The time at which an entry was admitted.
pub(crate) const CREATED_AT: usize = Field::IN_ROW;
/// The entry's index in its account's log.
pub(crate) const SEQ: usize = Field::IN_ROW + 1;
/// Whether the producer's clock was ahead.
pub(crate) const CLOCK_SKEW: usize = Field::IN_ROW + 2;
/// The partition of the entry's position.
pub(crate) const PARTITION: usize = Field::IN_ROW + 3;
/// The frame of the entry's position.
pub(crate) const FRAME: usize = Field::IN_ROW + 4;
/// The ordinal of the entry's position.
pub(crate) const ORDINAL: usize = Field::IN_ROW + 5;
/// The section bytes of a row that the columns do not give back.
pub(crate) const SECTIONS: usize = Field::IN_ROW + 6;
/// How many columns rows have.
pub(crate) const N_COLUMNS: usize = Field::IN_ROW + 7;

/// The texts that are usually UUIDs, and how those are written. One of the usual form is not in
/// the field's column, but its 16 bytes are in the stored column that belongs to it.
const UUIDS: [(Field, UuidForm, &str); 4] = [
    (Field::CorrelationId, UuidForm::Dashed, "_correlation_id_uuid"),
    (Field::SourceId, UuidForm::Dashed, "_source_id_uuid"),
    (Field::SessionId, UuidForm::Dashed, "_session_id_uuid"),
    (Field::TraceId, UuidForm::Plain, "_trace_id_uuid"),
];
/// How many bytes a UUID has.
pub(crate) const UUID_BYTES: usize = 16;
/// How the path follows from the rest of the row; where it does not, it is in its own column.
pub(crate) const PATH_FORM: usize = N_COLUMNS + UUIDS.len();
/// The microseconds of the producer's time beyond its milliseconds.
pub(crate) const OCCURRED_US: usize = PATH_FORM + 1;
/// A duration of whole milliseconds; any other is in its own column.
pub(crate) const DURATION_MS: usize = PATH_FORM + 2;
/// The values of a row in the fields of [`SHAPED`] as one text, where not too many rows differ
/// in them. Then these fields' own columns have no values.
pub(crate) const SHAPE: usize = PATH_FORM + 3;
/// The first of the columns of frequent members of `metadata`: the last that are stored. Which
/// members they are is each file's own.
pub(crate) const MEMBERS: usize = PATH_FORM + 4;
/// How many columns may be stored: those of the rows first.
pub(crate) const N_STORED: usize = MEMBERS + MEMBERS_MAX;
/// The column of what the producer adds.
pub(crate) const METADATA: usize = 67;
/// The fields that mostly follow from one another: there are few hundred combinations in many
/// million rows, and one code instead of twenty.
pub(crate) const SHAPED: [Field; 22] = [
    Field::Action,
    Field::Category,
    Field::Outcome,
    Field::Severity,
    Field::Schema,
    Field::Method,
    Field::Route,
    Field::Status,
    Field::AuthType,
    Field::ApiVersion,
    Field::SampleRate,
    Field::Intent,
    Field::CustomerVisible,
    Field::IdentityVisible,
    Field::ErrorCode,
    Field::ErrorCategory,
    Field::ErrorPriority,
    Field::BlockReason,
    Field::BlockRuleId,
    Field::ActorType,
    Field::ActorRole,
    Field::ResourceType,
];
/// The column of the producer's time.
pub(crate) const OCCURRED_AT: usize = 1;

/// The most rows of one row group.
pub(crate) const ROW_GROUP_ROWS_MAX: usize = 1 << 20;
/// The most rows of one page: what a look-up of one row decodes.
pub(crate) const PAGE_ROWS_MAX: usize = 2048;
/// The page row limit is checked once for so many rows.
pub(crate) const WRITE_BATCH_ROWS: usize = 256;
/// About the most bytes of one page before compression: a look-up of one row decompresses so much
/// of each column. A page of codes stays below.
const PAGE_BYTES: usize = 8 << 10;
/// Beyond this the writer gives up on a dictionary and stores plain values: every look-up in a
/// column decodes its dictionary whole.
const DICTIONARY_BYTES_MAX: usize = 1 << 20;
/// The same for columns whose values repeat so often that a large dictionary still pays.
const LARGE_DICTIONARY_BYTES_MAX: usize = 16 << 20;

/// How much work is put into making a file small.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Effort {
    /// As little as pays while entries come in.
    Quick,
    /// More where it gains most: about 1 us a row, for a file that stays.
    Thorough,
}

/// What a column's values look like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ColumnKind {
    Text,
    Int,
    Bool,
    Time,
    Millis,
    Small,
    Bytes,
    Uuid,
    Shape,
}

/// Returns the column that holds a field; the entry's id is in none.
pub(crate) fn column_of(field: Field) -> Option<usize> {
    match field {
        Field::Id => None,
        Field::Seq => Some(SEQ),
        Field::CreatedAt => Some(CREATED_AT),
        Field::ClockSkew => Some(CLOCK_SKEW),
        _ => Some(usize::from(field.number())),
    }
}

/// Returns a column's name; for that of a member the field's, see [`Members::column_name`].
pub(crate) fn column_name(column: usize) -> &'static str {
    match column {
        CREATED_AT => Field::CreatedAt.name(),
        SEQ => Field::Seq.name(),
        CLOCK_SKEW => Field::ClockSkew.name(),
        PARTITION => "_partition",
        FRAME => "_frame",
        ORDINAL => "_ordinal",
        SECTIONS => "_sections",
        PATH_FORM => "_path_form",
        OCCURRED_US => "_occurred_us",
        SHAPE => "_shape",
        DURATION_MS => "_duration_ms",
        MEMBERS..N_STORED => Field::Metadata.name(),
        N_COLUMNS.. => uuid_part(column).map_or("footer", |(_, _, name)| name),
        _ => Field::ALL.get(column).map_or("footer", |field| field.name()),
    }
}

fn uuid_part(column: usize) -> Option<(Field, UuidForm, &'static str)> {
    UUIDS.get(column.checked_sub(N_COLUMNS)?).copied()
}

/// Returns the field whose UUIDs are in a stored column, and how they are written.
pub(crate) fn uuid_field(column: usize) -> Option<(Field, UuidForm)> {
    uuid_part(column).map(|(field, form, _name)| (field, form))
}

/// Returns the stored column that holds a column's UUIDs, and how they are written.
pub(crate) fn uuid_column(column: usize) -> Option<(usize, UuidForm)> {
    let at = UUIDS.iter().position(|(field, ..)| usize::from(field.number()) == column)?;
    UUIDS.get(at).map(|(_, form, _)| (N_COLUMNS.saturating_add(at), *form))
}

/// Returns the column with that name; one of a member is none.
pub(crate) fn column_named(name: &str) -> Option<usize> {
    match name {
        "_partition" => Some(PARTITION),
        "_frame" => Some(FRAME),
        "_ordinal" => Some(ORDINAL),
        "_sections" => Some(SECTIONS),
        "_path_form" => Some(PATH_FORM),
        "_occurred_us" => Some(OCCURRED_US),
        "_shape" => Some(SHAPE),
        "_duration_ms" => Some(DURATION_MS),
        _ => match UUIDS.iter().position(|(_, _, part)| *part == name) {
            Some(at) => Some(N_COLUMNS.saturating_add(at)),
            None => Field::from_name(name).and_then(column_of),
        },
    }
}

/// Returns what a stored column's values look like.
pub(crate) fn column_kind(column: usize) -> ColumnKind {
    match column {
        CREATED_AT => ColumnKind::Time,
        SEQ | FRAME => ColumnKind::Int,
        CLOCK_SKEW => ColumnKind::Bool,
        OCCURRED_AT => ColumnKind::Millis,
        SHAPE => ColumnKind::Shape,
        DURATION_MS => ColumnKind::Int,
        PARTITION | ORDINAL | PATH_FORM | OCCURRED_US => ColumnKind::Small,
        SECTIONS => ColumnKind::Bytes,
        MEMBERS.. => ColumnKind::Text,
        N_COLUMNS.. => ColumnKind::Uuid,
        _ => match Field::ALL.get(column).map(|field| field.kind()) {
            Some(FieldKind::Int(..)) => ColumnKind::Int,
            Some(FieldKind::Bool) => ColumnKind::Bool,
            Some(FieldKind::Time) => ColumnKind::Time,
            _ => ColumnKind::Text,
        },
    }
}

/// Tells whether a row may have no value in a column.
pub(crate) fn is_nullable(column: usize) -> bool {
    let required = [Field::AccountId, Field::OccurredAt];
    !required.iter().any(|field| usize::from(field.number()) == column)
        && !(CREATED_AT..SECTIONS).contains(&column)
}

/// Returns a shaped field's place among them.
pub(crate) fn shaped(column: usize) -> Option<usize> {
    SHAPED.iter().position(|field| usize::from(field.number()) == column)
}

fn has_texts(field: Field) -> bool {
    !matches!(field.kind(), FieldKind::Int(..) | FieldKind::Bool | FieldKind::Time)
}

/// Tells whether the texts of a field repeat so often that they are stored as codes.
pub(crate) fn is_coded(field: Field) -> bool {
    let hardly = [
        Field::Id,
        Field::CorrelationId,
        Field::TraceId,
        Field::SourceId,
        Field::RequestBody,
        Field::ResponseBody,
        Field::Before,
        Field::After,
        Field::Metadata,
    ];
    has_texts(field) && !hardly.contains(&field)
}

/// Returns the schema of all stored columns of a file.
pub(crate) fn schema(members: &Members) -> SchemaRef {
    let field = |column| {
        let data_type = match column_kind(column) {
            ColumnKind::Text | ColumnKind::Shape => DataType::Utf8,
            ColumnKind::Int => DataType::Int64,
            ColumnKind::Bool => DataType::Boolean,
            ColumnKind::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            ColumnKind::Millis => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
            ColumnKind::Small => DataType::Int32,
            ColumnKind::Bytes => DataType::Binary,
            ColumnKind::Uuid => DataType::FixedSizeBinary(16),
        };
        let name = members.column_name(column);
        let name = name.unwrap_or_else(|| column_name(column).to_owned());
        ArrowField::new(name, data_type, is_nullable(column))
    };
    let columns = (0..MEMBERS).chain(members.iter().map(|(column, _)| column));
    Arc::new(Schema::new(columns.map(field).collect::<Vec<_>>()))
}

/// Returns how the Parquet file is written. The measurements behind it: Parquet version 1 pages
/// compress their levels; times and counters are smallest delta-packed and not compressed; sizes
/// split by byte; values that hardly repeat gain nothing from a dictionary.
pub(crate) fn properties(effort: Effort, members: &Members) -> WriterProperties {
    let path = |column: usize| ColumnPath::from(column_name(column));
    let mut builder = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by("trailkeep segment 1".to_owned())
        .set_compression(zstd(1))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS_MAX))
        .set_data_page_row_count_limit(PAGE_ROWS_MAX)
        .set_data_page_size_limit(PAGE_BYTES)
        .set_write_batch_size(WRITE_BATCH_ROWS)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES_MAX);
    let large = [Field::Ip, Field::ActorId, Field::ActorLabel, Field::UserAgent];
    for column in large.into_iter().map(|field| usize::from(field.number())).chain([SHAPE]) {
        builder =
            builder.set_column_dictionary_page_size_limit(path(column), LARGE_DICTIONARY_BYTES_MAX);
    }
    for column in [usize::from(Field::OccurredAt.number()), CREATED_AT, SEQ, FRAME, ORDINAL] {
        builder = builder
            .set_column_dictionary_enabled(path(column), false)
            .set_column_encoding(path(column), Encoding::DELTA_BINARY_PACKED);
        // What a frame has in common repeats in its rows; times and log indexes do not. The frame
        // itself takes little: it is what a position is looked for in.
        if column != CREATED_AT {
            builder = builder.set_column_compression(path(column), Compression::UNCOMPRESSED);
        }
    }
    // An identifier states when its entry was admitted: the bounds of pages leave few to look at.
    builder = builder.set_column_statistics_enabled(path(CREATED_AT), EnabledStatistics::Page);
    let sizes = [Field::DurationUs, Field::RequestBytes, Field::ResponseBytes, Field::InstanceSeq];
    let sizes = sizes.map(|field| usize::from(field.number()));
    for column in sizes.into_iter().chain([DURATION_MS]) {
        builder = builder
            .set_column_dictionary_enabled(path(column), false)
            .set_column_encoding(path(column), Encoding::BYTE_STREAM_SPLIT);
    }
    for field in Field::in_row().filter(|field| has_texts(*field) && !is_coded(*field)) {
        let column = usize::from(field.number());
        builder = builder.set_column_dictionary_enabled(path(column), false);
    }
    if effort == Effort::Thorough {
        for field in [Field::Metadata, Field::ResourceId, Field::Before, Field::After] {
            let column = usize::from(field.number());
            builder = builder.set_column_compression(path(column), zstd(9));
        }
    }
    builder = with_members(builder, effort, members);
    // Codes of few values: what compression gains is less than a look-up of a row loses.
    let few = [
        Field::ApplicationId,
        Field::EnvironmentId,
        Field::Country,
        Field::UserAgent,
        Field::BlockThreatScore,
        Field::ErrorRetryCount,
    ];
    let few = few.map(|field| usize::from(field.number()));
    for column in few.into_iter().chain([PARTITION, PATH_FORM, OCCURRED_US]) {
        builder = builder.set_column_compression(path(column), Compression::UNCOMPRESSED);
    }
    for column in N_COLUMNS..PATH_FORM {
        builder = builder
            .set_column_dictionary_enabled(path(column), false)
            .set_column_compression(path(column), Compression::UNCOMPRESSED);
    }
    builder.set_column_dictionary_enabled(path(SECTIONS), false).build()
}

fn zstd(level: i32) -> Compression {
    ZstdLevel::try_new(level).map_or(Compression::UNCOMPRESSED, Compression::ZSTD)
}

/// Says how the columns of members are written.
fn with_members(
    mut builder: WriterPropertiesBuilder,
    effort: Effort,
    members: &Members,
) -> WriterPropertiesBuilder {
    for (column, member) in members.iter() {
        let path = ColumnPath::from(members.column_name(column).unwrap_or_default());
        builder = builder.set_column_dictionary_enabled(path.clone(), member.coded);
        if member.coded {
            builder = builder
                .set_column_dictionary_page_size_limit(path.clone(), LARGE_DICTIONARY_BYTES_MAX);
        } else if effort == Effort::Thorough {
            builder = builder.set_column_compression(path, zstd(9));
        }
    }
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_its_own_name_and_is_found_by_it() {
        assert_eq!(METADATA, usize::from(Field::Metadata.number()));
        for column in 0..MEMBERS {
            assert_eq!(column_named(column_name(column)), Some(column));
        }
        assert_eq!(column_name(N_STORED), "footer");
        assert_eq!(column_of(Field::Id), None);
    }
}
