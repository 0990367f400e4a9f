//! The first key of a new store.

use std::path::Path;

use anyhow::{Context, anyhow};
use trailkeep_api::{Keys, NewKey};
use trailkeep_client::Secret;
use trailkeep_event::{Micros, Recorder};
use trailkeep_io::{RealDisk, durable};
use trailkeep_scope::{ReadScope, WriteScope};

use crate::arguments::Environment;
use crate::demo::KEY_FILE;
use crate::failure::{Exit, Failure};
use crate::local::LocalStore;
use crate::output::say;
use crate::place::read_small;

/// A key that a person chose must be at least as long as one that nobody can guess.
const GIVEN_BYTES_MIN: usize = 32;

/// What became of the first key.
#[derive(Debug)]
pub(crate) enum FirstKey {
    /// The store has keys already.
    Existing,
    /// The environment gave it.
    Given,
    /// It was drawn and is in the demonstration's file.
    Saved,
    /// It was drawn and must be shown.
    Drawn(Secret),
}

/// What becomes of a key that is drawn.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Keeping {
    /// It is shown once and kept nowhere.
    Nowhere,
    /// It is kept in the demonstration's file.
    InFile,
}

/// Returns the key that the environment gives, where it does.
pub(crate) fn given_key(environment: &Environment) -> anyhow::Result<Option<Secret>> {
    let key = match (&environment.bootstrap_key, &environment.bootstrap_key_file) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            let message = "both TRAILKEEP_BOOTSTRAP_KEY and TRAILKEEP_BOOTSTRAP_KEY_FILE are set";
            return Err(Failure::new(Exit::Usage, message).into());
        }
        (Some(key), None) => Secret::new(key),
        (None, Some(path)) => {
            let text =
                String::from_utf8(read_small(path)?).context("the bootstrap key is not text")?;
            Secret::new(&text)
        }
    };
    if !key.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
        let message = "the bootstrap key has spaces or characters that no request header can carry";
        let hint = "make one with: openssl rand -hex 32";
        return Err(Failure::new(Exit::Usage, message).hint(hint).into());
    }
    if key.expose().len() < GIVEN_BYTES_MIN {
        let message = format!("the bootstrap key has fewer than {GIVEN_BYTES_MIN} bytes");
        let hint = "make one with: openssl rand -hex 32";
        return Err(Failure::new(Exit::Usage, message).hint(hint).into());
    }
    Ok(Some(key))
}

/// Makes an operator key where the store has none. A crash in here leaves either no key, and the
/// next start makes one, or a key that nobody saw: then `trailkeep keys create --data` helps.
pub(crate) fn make_first_key(
    local: &LocalStore,
    keys: &Keys,
    (given, keeping): (Option<Secret>, Keeping),
) -> anyhow::Result<FirstKey> {
    let machine = &local.machine;
    let known = machine.runtime.block_on(keys.all()).context("could not read the keys")?;
    if !known.is_empty() {
        return Ok(FirstKey::Existing);
    }
    let now = Micros(machine.clock.now_micros());
    let new = operator_key(if given.is_some() { "bootstrap" } else { "first start" });
    let (record, made) = match given {
        Some(token) => (new.record(token.expose(), &*machine.entropy, now), FirstKey::Given),
        None => match new.mint(&*machine.entropy, now) {
            Err(rule) => (Err(rule), FirstKey::Given),
            Ok((record, token)) if keeping == Keeping::InFile => {
                save(&local.data, &token)?;
                (Ok(record), FirstKey::Saved)
            }
            Ok((record, token)) => (Ok(record), FirstKey::Drawn(Secret::new(&token))),
        },
    };
    let record = record.map_err(|rule| anyhow!("{rule}"))?;
    machine.runtime.block_on(keys.add(&record)).context("could not store the first key")?;
    let metadata = serde_json::json!({ "by": "first_start", "key_id": record.key_id });
    let entry = local.store.system_event("key.created", "notice", &metadata.to_string());
    local.store.record(entry).context("could not record the first key")?;
    Ok(made)
}

/// Describes a key that may do everything.
pub(crate) fn operator_key(name: &str) -> NewKey {
    NewKey {
        name: name.to_owned(),
        read: Some(ReadScope::everything()),
        write: Some(WriteScope::everything()),
        operator: true,
        expires_at: None,
    }
}

fn save(data: &Path, token: &str) -> anyhow::Result<()> {
    let disk = RealDisk::open(data).context("could not open the data directory")?;
    durable::write(&disk, KEY_FILE, format!("{token}\n").as_bytes())
        .context("could not save the demonstration's key")
}

impl FirstKey {
    /// Shows the key where it was drawn. It is stored nowhere and cannot be shown again.
    pub(crate) fn announce(&self, url: &str) {
        let Self::Drawn(token) = self else { return };
        let token = token.expose();
        say(&format!(
            "\nThis is a new store. Its operator key, shown this once:\n\n  {token}\n\n\
             Send an event:\n\n  curl -H 'Authorization: Bearer {token}' \
             -H 'Content-Type: application/json' {url}/api/v1/events \\\n    \
             -d '{{\"account_id\":\"acme\",\"action\":\"hello\",\
             \"occurred_at\":\"2026-01-01T00:00:00Z\"}}'\n"
        ));
    }
}
