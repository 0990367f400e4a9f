//! Sends events into a store of this machine or to a server.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use trailkeep_client::Client;
use trailkeep_event::BodyFormat;
use trailkeep_ingest::{RETRY_AFTER, Submitter, Unavailable, admit};
use trailkeep_scope::WriteScope;

use super::chunk::n_u64;
use crate::arguments::Environment;
use crate::local::LocalStore;
use crate::output::say;
use crate::place::{Place, PlaceArguments};

/// How often events are sent again whose answer was lost. It is harmless: each has its identity.
const LOST_TRIES_MAX: u32 = 5;
/// How often a busy store is asked again before the import stops: ten minutes.
const BUSY_TRIES_MAX: u32 = 600;

/// Sends events.
#[derive(Debug)]
pub(super) enum Sender {
    Local(Box<LocalStore>, Submitter),
    Remote(Client),
}

/// What became of events that were sent.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) accepted: u64,
    pub(super) duplicates: u64,
    pub(super) rejected: Vec<Refused>,
}

/// An event that was not admitted.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) index: usize,
    pub(super) code: String,
    pub(super) pointer: String,
    pub(super) detail: String,
}

impl Sender {
    /// Opens the store, or makes ready for the server.
    pub(super) fn open(place: &PlaceArguments, environment: &Environment) -> anyhow::Result<Self> {
        Ok(match place.resolve(environment)? {
            Place::Remote(client) => Self::Remote(client),
            Place::Local(data, config) => {
                let local = LocalStore::open_or_make(&data, config.store.clone())?;
                let scope = Arc::new(WriteScope::everything());
                Self::Local(Box::new(local), Submitter { key_id: Arc::from("import"), scope })
            }
        })
    }

    /// Sends events, one a line, and returns once those that are admitted are durable.
    pub(super) fn send(&self, ndjson: &[u8]) -> anyhow::Result<Sent> {
        match self {
            Self::Local(local, submitter) => submit(local, submitter, ndjson),
            Self::Remote(client) => post(client, ndjson),
        }
    }

    /// Seals the store and lets it go.
    pub(super) fn close(self) -> anyhow::Result<()> {
        match self {
            Self::Local(local, _submitter) => local.close(),
            Self::Remote(_client) => Ok(()),
        }
    }
}

fn post(client: &Client, ndjson: &[u8]) -> anyhow::Result<Sent> {
    let mut tries = 0_u32;
    let answer = loop {
        match client.send_events(ndjson) {
            Err(error @ trailkeep_client::Error::AnswerLost { .. }) if tries < LOST_TRIES_MAX => {
                tries = tries.saturating_add(1);
                say(&format!(
                    "{error}; sending the same events again, which makes no second entry"
                ));
                std::thread::sleep(RETRY_AFTER);
            }
            done => break done?,
        }
    };
    Ok(Sent {
        accepted: n_u64(answer.accepted),
        duplicates: n_u64(answer.duplicates.len()),
        rejected: answer
            .rejected
            .into_iter()
            .map(|rejected| Refused {
                index: rejected.index,
                code: rejected.code,
                pointer: rejected.pointer,
                detail: rejected.detail,
            })
            .collect(),
    })
}

fn submit(local: &LocalStore, submitter: &Submitter, ndjson: &[u8]) -> anyhow::Result<Sent> {
    let options = local.store.options();
    for _try in 0..BUSY_TRIES_MAX {
        let (limits, events_max) = (&options.event, options.events_max);
        let events = admit(ndjson, BodyFormat::Lines, limits, events_max, &submitter.scope)?;
        let submitted = local.machine.runtime.block_on(local.store.submit(submitter, events));
        match submitted {
            Ok(answer) => {
                return Ok(Sent {
                    accepted: n_u64(answer.accepted),
                    duplicates: n_u64(answer.duplicates.len()),
                    rejected: answer
                        .rejected
                        .into_iter()
                        .map(|(index, rejection)| Refused {
                            index,
                            code: rejection.code.as_str().to_owned(),
                            pointer: rejection.pointer,
                            detail: rejection.detail,
                        })
                        .collect(),
                });
            }
            Err(error) => match wait_after(error) {
                Some(wait) => std::thread::sleep(wait),
                None => return Err(error).context("could not write to the store"),
            },
        }
    }
    bail!("the store is busy for too long")
}

/// Returns how long to wait where waiting helps.
fn wait_after(error: Unavailable) -> Option<Duration> {
    match error {
        Unavailable::KeyQuota { retry_after } | Unavailable::AccountQuota { retry_after } => {
            Some(retry_after)
        }
        Unavailable::KeyBusy | Unavailable::Busy | Unavailable::SourceIds => Some(RETRY_AFTER),
        Unavailable::DiskFull | Unavailable::Closing | Unavailable::Stopped => None,
    }
}
