//! What an exported file looks like.

/// What an exported file looks like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ExportFormat {
    /// Comma-separated values (RFC 4180) for spreadsheets.
    Csv,
    /// One JSON object a line, as lists show entries.
    Ndjson,
    /// Parquet, a column a field.
    Parquet,
}

impl ExportFormat {
    /// Every format, with its word, which also ends its files' names.
    pub const ALL: [(&'static str, Self); 3] =
        [("csv", Self::Csv), ("ndjson", Self::Ndjson), ("parquet", Self::Parquet)];

    /// Returns the format's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Parquet => "parquet",
        }
    }

    /// Returns the media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Ndjson => "application/x-ndjson",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }
}
