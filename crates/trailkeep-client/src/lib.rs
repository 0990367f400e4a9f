//! Carries events to a server: bounded size, bounded retries.
//!
//! Promises: what [`Client::send_events`] returned was answered by the server after its fsync;
//! what may have arrived without an answer is an error of its own, never a silent second try.
//!
//! Never does: threads, queues, clocks; print a key.

mod answer;
mod client;
mod download;
mod error;
mod link;
mod retry;
mod secret;
mod server_events;

pub use self::{
    answer::{Duplicate, Rejected, SendAnswer},
    client::{Client, ClientOptions},
    download::Download,
    error::{Error, ProblemBody, Result},
    retry::RetryOptions,
    secret::Secret,
    server_events::{ServerEvent, ServerEvents},
};
