//! The tail, sealed checksummed Parquet, and compaction.
