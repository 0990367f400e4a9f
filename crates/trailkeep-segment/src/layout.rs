//! The columns of a segment: one for each field of a row, in field-number order, then ours.

use std::sync::Arc;

use arrow_schema::{DataType, Field as ArrowField, Schema, SchemaRef, TimeUnit};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::schema::types::ColumnPath;
use trailkeep_event::{Field, FieldKind};

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
/// How many columns a segment has.
pub(crate) const N_COLUMNS: usize = Field::IN_ROW + 7;

/// The most rows of one row group.
const ROW_GROUP_ROWS_MAX: usize = 1 << 20;
/// The most rows of one page: what a look-up of one row decodes.
pub(crate) const PAGE_ROWS_MAX: usize = 2048;
/// The page row limit is checked once for so many rows.
const WRITE_BATCH_ROWS: usize = 256;
/// Beyond this the writer gives up on a dictionary and stores plain values: every look-up in a
/// column decodes its dictionary whole.
const DICTIONARY_BYTES_MAX: usize = 1 << 20;
/// The same for columns whose values repeat so often that a large dictionary still pays.
const LARGE_DICTIONARY_BYTES_MAX: usize = 16 << 20;

/// What a column's values look like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ColumnKind {
    Text,
    Int,
    Bool,
    Time,
    Small,
    Bytes,
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

/// Returns a column's name.
pub(crate) fn column_name(column: usize) -> &'static str {
    match column {
        CREATED_AT => Field::CreatedAt.name(),
        SEQ => Field::Seq.name(),
        CLOCK_SKEW => Field::ClockSkew.name(),
        PARTITION => "_partition",
        FRAME => "_frame",
        ORDINAL => "_ordinal",
        SECTIONS => "_sections",
        _ => Field::ALL.get(column).map_or("footer", |field| field.name()),
    }
}

/// Returns the column with that name.
pub(crate) fn column_named(name: &str) -> Option<usize> {
    match name {
        "_partition" => Some(PARTITION),
        "_frame" => Some(FRAME),
        "_ordinal" => Some(ORDINAL),
        "_sections" => Some(SECTIONS),
        _ => Field::from_name(name).and_then(column_of),
    }
}

/// Returns what a column's values look like.
pub(crate) fn column_kind(column: usize) -> ColumnKind {
    match column {
        CREATED_AT => ColumnKind::Time,
        SEQ | FRAME => ColumnKind::Int,
        CLOCK_SKEW => ColumnKind::Bool,
        PARTITION | ORDINAL => ColumnKind::Small,
        SECTIONS => ColumnKind::Bytes,
        _ => match Field::ALL.get(column).map(|field| field.kind()) {
            Some(FieldKind::Int(..)) => ColumnKind::Int,
            Some(FieldKind::Bool) => ColumnKind::Bool,
            Some(FieldKind::Time) => ColumnKind::Time,
            _ => ColumnKind::Text,
        },
    }
}

fn nullable(column: usize) -> bool {
    let required = [Field::AccountId, Field::OccurredAt, Field::Action];
    !required.iter().any(|field| usize::from(field.number()) == column)
        && !(CREATED_AT..SECTIONS).contains(&column)
}

/// Returns the schema of every segment.
pub(crate) fn schema() -> SchemaRef {
    let field = |column| {
        let data_type = match column_kind(column) {
            ColumnKind::Text => DataType::Utf8,
            ColumnKind::Int => DataType::Int64,
            ColumnKind::Bool => DataType::Boolean,
            ColumnKind::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            ColumnKind::Small => DataType::Int32,
            ColumnKind::Bytes => DataType::Binary,
        };
        ArrowField::new(column_name(column), data_type, nullable(column))
    };
    Arc::new(Schema::new((0..N_COLUMNS).map(field).collect::<Vec<_>>()))
}

/// Returns how the Parquet file is written. The measurements behind it: Parquet version 1 pages
/// compress their levels; times and counters are smallest delta-packed and not compressed; sizes
/// split by byte; values that hardly repeat gain nothing from a dictionary.
pub(crate) fn properties() -> WriterProperties {
    let path = |column: usize| ColumnPath::from(column_name(column));
    let zstd = ZstdLevel::try_new(1).map_or(Compression::UNCOMPRESSED, Compression::ZSTD);
    let mut builder = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by("trailkeep segment 1".to_owned())
        .set_compression(zstd)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS_MAX))
        .set_data_page_row_count_limit(PAGE_ROWS_MAX)
        .set_write_batch_size(WRITE_BATCH_ROWS)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES_MAX);
    for field in [Field::Ip, Field::ActorId, Field::ActorLabel, Field::UserAgent] {
        let column = usize::from(field.number());
        builder =
            builder.set_column_dictionary_page_size_limit(path(column), LARGE_DICTIONARY_BYTES_MAX);
    }
    for column in [usize::from(Field::OccurredAt.number()), CREATED_AT, SEQ, FRAME, ORDINAL] {
        builder = builder
            .set_column_dictionary_enabled(path(column), false)
            .set_column_encoding(path(column), Encoding::DELTA_BINARY_PACKED)
            .set_column_compression(path(column), Compression::UNCOMPRESSED);
    }
    for field in [Field::DurationUs, Field::RequestBytes, Field::ResponseBytes, Field::InstanceSeq]
    {
        let column = usize::from(field.number());
        builder = builder
            .set_column_dictionary_enabled(path(column), false)
            .set_column_encoding(path(column), Encoding::BYTE_STREAM_SPLIT);
    }
    for field in [
        Field::CorrelationId,
        Field::TraceId,
        Field::SourceId,
        Field::RequestBody,
        Field::ResponseBody,
        Field::Before,
        Field::After,
        Field::Metadata,
    ] {
        let column = usize::from(field.number());
        builder = builder.set_column_dictionary_enabled(path(column), false);
    }
    builder.set_column_dictionary_enabled(path(SECTIONS), false).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_its_own_name_and_is_found_by_it() {
        for column in 0..N_COLUMNS {
            assert_eq!(column_named(column_name(column)), Some(column));
        }
        assert_eq!(column_name(N_COLUMNS), "footer");
        assert_eq!(column_of(Field::Id), None);
    }
}
