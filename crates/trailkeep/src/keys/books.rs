//! Where keys are kept: a store of this machine, or one behind a server.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use serde::Deserialize;
use trailkeep_api::{Keys, NewKey};
use trailkeep_client::Client;
use trailkeep_event::{Micros, Recorder};

use super::view::{KeyView, MadeKey};
use crate::arguments::Environment;
use crate::failure::{Exit, Failure};
use crate::local::LocalStore;
use crate::place::{Place, PlaceArguments};

const PATH: &str = "/api/v1/keys";
const TIMEOUT: Duration = Duration::from_mins(1);

/// Where keys are kept.
#[derive(Debug)]
pub(super) enum Books {
    Local(Box<LocalStore>),
    Remote(Client),
}

#[derive(Debug, Deserialize)]
struct KeyList {
    items: Vec<KeyView>,
}

impl Books {
    /// Opens the books, does one thing with them, and closes them.
    pub(super) fn with<T>(
        place: &PlaceArguments,
        environment: &Environment,
        act: impl FnOnce(&Self) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let books = match place.resolve(environment)? {
            Place::Remote(client) => Self::Remote(client),
            Place::Local(data, config) => {
                Self::Local(Box::new(LocalStore::open(&data, config.store.clone())?))
            }
        };
        let done = act(&books);
        if let Self::Local(local) = books {
            local.close()?;
        }
        done
    }

    /// Makes a key.
    pub(super) fn create(&self, new: &NewKey) -> anyhow::Result<MadeKey> {
        match self {
            Self::Remote(client) => {
                let answer = client.post(PATH, &serde_json::to_vec(new)?, TIMEOUT)?;
                Ok(client.parse(&answer)?)
            }
            Self::Local(local) => {
                let machine = &local.machine;
                let now = Micros(machine.clock.now_micros());
                let minted = new.mint(&*machine.entropy, now);
                let (record, token) =
                    minted.map_err(|rule| Failure::new(Exit::Usage, rule.to_owned()))?;
                let keys = keys_of(local);
                machine.runtime.block_on(keys.add(&record)).context("could not store the key")?;
                note(local, "key.created", &record.key_id)?;
                Ok(MadeKey { token, key: record.into() })
            }
        }
    }

    /// Returns all keys.
    pub(super) fn list(&self) -> anyhow::Result<Vec<KeyView>> {
        match self {
            Self::Remote(client) => {
                let list: KeyList = client.parse(&client.get(PATH, &[])?)?;
                Ok(list.items)
            }
            Self::Local(local) => {
                let keys = local.machine.runtime.block_on(keys_of(local).all());
                let keys = keys.context("could not read the keys")?;
                Ok(keys.into_iter().map(KeyView::from).collect())
            }
        }
    }

    /// Revokes a key.
    pub(super) fn revoke(&self, key_id: &str) -> anyhow::Result<()> {
        match self {
            Self::Remote(client) => Ok(client.delete(&format!("{PATH}/{key_id}"))?),
            Self::Local(local) => {
                let revoked = local.machine.runtime.block_on(keys_of(local).revoke(key_id));
                if !revoked.context("could not revoke the key")? {
                    let message = format!("there is no key `{key_id}`, or it is revoked already");
                    return Err(Failure::new(Exit::NotFound, message).into());
                }
                note(local, "key.revoked", key_id)
            }
        }
    }
}

fn keys_of(local: &LocalStore) -> Keys {
    Keys::new(Arc::clone(local.store.catalog()), Arc::clone(&local.machine.clock))
}

fn note(local: &LocalStore, action: &str, key_id: &str) -> anyhow::Result<()> {
    let metadata = serde_json::json!({ "by": "command_line", "key_id": key_id });
    let entry = local.store.system_event(action, "notice", &metadata.to_string());
    local.store.record(entry).map_err(|error| anyhow!(error)).context("could not record the change")
}
