//! What can go wrong with tasks.

use std::io;

/// An error of this crate. Disks answer with [`io::Error`], which their callers wrap.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A thread could not be started.
    #[error("could not start thread `{name}`")]
    SpawnThread {
        /// The task's name.
        name: &'static str,
        /// The operating system's reason.
        source: io::Error,
    },
    /// A blocking task gave no answer: it panicked, or the runtime shut down before it began.
    #[error("task `{name}` ended without an answer")]
    TaskLost {
        /// The task's name.
        name: &'static str,
        /// How it ended.
        source: tokio::task::JoinError,
    },
    /// Tasks did not end in the time they were given.
    #[error("tasks still running: {}", names.join(", "))]
    StillRunning {
        /// Their names, in the order they were started.
        names: Vec<&'static str>,
    },
}
