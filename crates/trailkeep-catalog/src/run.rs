//! One file of the duplicate index.

use crate::limits::META_BYTES_MAX;

/// One sorted run of the fingerprints by which duplicates are found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RunRecord {
    /// The run's name, unique for ever; also where the file is found.
    pub id: String,
    /// How many fingerprints it has.
    pub entries: u64,
    /// How many bytes it has.
    pub bytes: u64,
    /// What the index wants to know again: JSON that the catalog does not read.
    pub meta: String,
}

impl RunRecord {
    /// Says what cannot be right about the record itself.
    pub(crate) fn fault(&self) -> Option<String> {
        if self.id.is_empty() {
            return Some("a run has no id".to_owned());
        }
        (self.meta.len() > META_BYTES_MAX).then(|| format!("run `{}` has too much meta", self.id))
    }
}
