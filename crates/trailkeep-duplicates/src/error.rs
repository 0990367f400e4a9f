//! What can go wrong with a run.

/// Says which operation on which run failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The object could not be read.
    #[error("could not read source-id run `{run}`")]
    Read {
        /// The run.
        run: String,
        /// Why.
        #[source]
        source: object_store::Error,
    },
    /// The object could not be written.
    #[error("could not write source-id run `{run}`")]
    Write {
        /// The run.
        run: String,
        /// Why.
        #[source]
        source: object_store::Error,
    },
    /// The object's bytes are not what was written.
    #[error("source-id run `{run}` is damaged at byte {offset}: {what}")]
    Corrupt {
        /// The run.
        run: String,
        /// Where in the object.
        offset: u64,
        /// What does not fit.
        what: &'static str,
    },
}
