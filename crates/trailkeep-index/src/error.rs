//! What can be wrong with the bytes of an index.

/// Says why bytes are not an index. It can be made again from its segment.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// The bytes are not what was written.
    #[error("an index is damaged at byte {offset}: {what}")]
    Corrupt {
        /// Where in the object.
        offset: usize,
        /// What does not fit.
        what: &'static str,
    },
    /// A later version wrote it.
    #[error("an index has format version {version}, this program reads version 1")]
    Version {
        /// The version it has.
        version: u16,
    },
}
