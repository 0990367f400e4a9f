//! Everything that matches, as a file: read page by page, in constant memory.

mod csv;
mod format;
mod ndjson;
mod parquet;

use std::collections::HashSet;

use trailkeep_event::{Entry, Field, Micros};
use trailkeep_filter::Filter;
use trailkeep_query::{Engine, ListRequest, Order};
use trailkeep_scope::ReadScope;

pub use self::format::ExportFormat;
use self::parquet::ParquetFile;

/// How many entries are read at a time; a page also ends before
/// [`Page::BYTES_MAX`](trailkeep_query::Page::BYTES_MAX).
const PAGE_ENTRIES_MAX: usize = 4096;

/// What to export.
#[derive(Clone, Debug)]
pub struct ExportRequest {
    /// What the file looks like.
    pub format: ExportFormat,
    /// The fields, each once, in the order of the file's columns.
    pub fields: Vec<Field>,
    /// What entries must match.
    pub filter: Filter,
    /// The earliest time, by which lists sort.
    pub from: Option<Micros>,
    /// The time before which entries must lie.
    pub to: Option<Micros>,
    /// Which entries come first.
    pub order: Order,
}

/// Says why an export broke off.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A page could not be read.
    #[error("could not read the entries to export")]
    Read(#[source] trailkeep_query::Error),
    /// The Parquet file could not be written.
    #[error("could not write a Parquet file")]
    Parquet(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// An export on its way. Every call blocks: make it off the async runtime.
///
/// The file holds exactly what matched when its first page was read, each entry once, whatever is
/// written meanwhile.
#[derive(Debug)]
pub struct Export {
    engine: Engine,
    scope: ReadScope,
    list: ListRequest,
    file: File,
    at: At,
    rows: u64,
}

/// The file under construction.
#[derive(Debug)]
enum File {
    Csv(Vec<Field>),
    /// Whole entries, as lists show them.
    Ndjson,
    NdjsonOf(Vec<Field>),
    Parquet(Box<ParquetFile>),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum At {
    Start,
    Middle,
    End,
}

impl Export {
    /// Returns the fields of a file where none are named: every field, in the order in which
    /// entries show them.
    pub fn all_fields() -> Vec<Field> {
        let ours = Field::ALL.iter().copied().filter(|field| field.section().is_none());
        ours.chain(Field::in_row()).collect()
    }

    /// Reads names of fields, as filters and entries have them.
    ///
    /// # Errors
    /// A sentence that says which name is wrong.
    pub fn fields(names: &[String]) -> Result<Vec<Field>, String> {
        if names.is_empty() {
            return Err("name at least one field, or leave it out for all".to_owned());
        }
        let mut seen = HashSet::new();
        let mut fields = Vec::new();
        for name in names {
            let shown: String = name.chars().take(64).collect();
            // Entries show these two groups as objects.
            let grouped = name.starts_with("error.") || name.starts_with("block.");
            let plain = if grouped { name.replacen('.', "_", 1) } else { name.clone() };
            let field = Field::from_name(&plain);
            let field = field.ok_or_else(|| format!("`{shown}` is not a field"))?;
            if !seen.insert(field) {
                return Err(format!("the field `{shown}` stands twice"));
            }
            fields.push(field);
        }
        Ok(fields)
    }

    /// Starts an export; nothing is read yet.
    ///
    /// # Errors
    /// [`ExportError::Parquet`], which would be a defect of the table of fields.
    pub fn new(
        engine: Engine,
        scope: ReadScope,
        request: ExportRequest,
    ) -> Result<Self, ExportError> {
        let ExportRequest { format, fields, filter, from, to, order } = request;
        let file = match format {
            ExportFormat::Csv => File::Csv(fields),
            ExportFormat::Ndjson if fields == Self::all_fields() => File::Ndjson,
            ExportFormat::Ndjson => File::NdjsonOf(fields),
            ExportFormat::Parquet => File::Parquet(Box::new(ParquetFile::new(fields)?)),
        };
        let (limit, cursor, include_total) = (PAGE_ENTRIES_MAX, None, false);
        let list = ListRequest { filter, from, to, order, limit, cursor, include_total };
        Ok(Self { engine, scope, list, file, at: At::Start, rows: 0 })
    }

    /// Returns how many entries were written so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Returns the next bytes of the file, sometimes none; `None` behind the last. Only a file
    /// that came to this is whole.
    ///
    /// # Errors
    /// Where a page cannot be read or takes too long. The export is over then.
    pub fn next_bytes(&mut self) -> Result<Option<Vec<u8>>, ExportError> {
        if self.at == At::End {
            return Ok(None);
        }
        let page = self.engine.list(&self.scope, &self.list).map_err(ExportError::Read)?;
        let mut bytes = self.write(&page.entries)?;
        self.rows = self.rows.saturating_add(u64::try_from(page.entries.len()).unwrap_or(0));
        self.at = At::Middle;
        self.list.cursor = page.next_cursor;
        if self.list.cursor.is_none() {
            self.at = At::End;
            if let File::Parquet(file) = &mut self.file {
                bytes.append(&mut file.finish()?);
            }
        }
        Ok(Some(bytes))
    }

    fn write(&mut self, entries: &[Entry]) -> Result<Vec<u8>, ExportError> {
        let mut out = Vec::new();
        match &mut self.file {
            File::Csv(fields) => {
                if self.at == At::Start {
                    csv::write_head(fields, &mut out);
                }
                for entry in entries {
                    csv::write_record(entry.view(), fields, &mut out);
                }
            }
            File::Ndjson => {
                for entry in entries {
                    ndjson::write_line(entry.view(), &mut out);
                }
            }
            File::NdjsonOf(fields) => {
                for entry in entries {
                    ndjson::write_line_of(entry.view(), fields, &mut out);
                }
            }
            File::Parquet(file) => return file.write(entries),
        }
        Ok(out)
    }
}
