//! The one writer: admits by policy, redacts, decides duplicates, appends, sequences, seals;
//! implements `Recorder`.
//!
//! Promises: an answer follows an fsync; an event with a source id is admitted once; what is
//! answered is visible to reads at once; after an I/O error nothing is written until the store
//! is reopened.
//!
//! Never does: HTTP, queries.

mod accounts;
mod admit;
mod answer;
mod charge;
mod compactor;
mod disk_guard;
mod ending;
mod env;
mod error;
mod open;
mod options;
mod preparer;
mod queue;
mod quota;
mod recent;
mod sealer;
mod shared;
mod stats;
mod step;
mod store;
mod submission;
mod writer;

pub use self::{
    admit::{Admitted, admit},
    answer::Answer,
    disk_guard::DiskState,
    env::Env,
    error::{Error, Unavailable},
    open::{JOURNAL_FOLDER, open},
    options::{DiskMarks, StoreOptions},
    queue::QueueLimits,
    stats::{Counter, Stats},
    store::{Gauges, Pin, RETRY_AFTER, Store, Submitter},
};
