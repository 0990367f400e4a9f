//! What a server answers to events.

use serde::Deserialize;

/// The answer to a body of events, given once every accepted one is durable.
#[derive(Clone, Debug, Deserialize)]
pub struct SendAnswer {
    /// How many events were admitted.
    pub accepted: usize,
    /// The events that were admitted before.
    pub duplicates: Vec<Duplicate>,
    /// The events that were not admitted.
    pub rejected: Vec<Rejected>,
}

/// An event that was admitted before.
#[derive(Clone, Debug, Deserialize)]
pub struct Duplicate {
    /// Its number in the body, from 0.
    pub index: usize,
    /// The first one's identifier.
    pub id: String,
}

/// An event that was not admitted.
#[derive(Clone, Debug, Deserialize)]
pub struct Rejected {
    /// Its number in the body, from 0.
    pub index: usize,
    /// What programs branch on.
    pub code: String,
    /// A JSON pointer into the event.
    pub pointer: String,
    /// A sentence for people.
    pub detail: String,
}
