//! Makes, lists and revokes keys.

mod books;
mod view;

use clap::{Args, Subcommand};
use trailkeep_api::NewKey;
use trailkeep_event::Micros;
use trailkeep_io::{Clock, SystemClock};
use trailkeep_scope::{Allow, ReadScope, WriteScope};

use self::books::Books;
use crate::arguments::Environment;
use crate::failure::{Exit, Failure};
use crate::output::{print, say};
use crate::place::PlaceArguments;

const EXAMPLES: &str = "\
Examples:
  trailkeep keys create --name billing --account acme --write --server URL --key-file operator-key
  trailkeep keys create --name auditor --read --expires 90d --data DIR
  trailkeep keys list --data DIR
  trailkeep keys revoke key_0123456789abcdef --server URL --key-file operator-key

A new token is printed to stdout this once and stored nowhere. Key changes are entries of the log.";

/// What to do with keys.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct KeysArguments {
    #[command(subcommand)]
    verb: KeysVerb,
}

#[derive(Debug, Subcommand)]
enum KeysVerb {
    /// Makes a key and prints its token
    Create(Box<CreateArguments>),
    /// Lists the keys, also those that are no longer good
    List(ListArguments),
    /// Revokes a key at once
    Revoke(RevokeArguments),
}

#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "flags of the command line")]
struct CreateArguments {
    /// The key's name for people
    #[arg(long)]
    name: String,
    /// Its bearer may read entries
    #[arg(long)]
    read: bool,
    /// Its bearer may write events
    #[arg(long)]
    write: bool,
    /// Its bearer may administer the store
    #[arg(long)]
    operator: bool,
    /// Only this account; may be repeated
    #[arg(long = "account", value_name = "ACCOUNT")]
    accounts: Vec<String>,
    /// Write only events of this application; may be repeated
    #[arg(long = "application", value_name = "APPLICATION", requires = "write")]
    applications: Vec<String>,
    /// Only this category; may be repeated
    #[arg(long = "category", value_name = "CATEGORY")]
    categories: Vec<String>,
    /// Events may create their account
    #[arg(long, requires = "write")]
    accounts_create: bool,
    /// The most events a second
    #[arg(long, value_name = "N", requires = "write")]
    events_per_second: Option<u32>,
    /// The largest sample rate that an event may state
    #[arg(long, value_name = "N", default_value_t = 1)]
    sample_rate_max: u32,
    /// When it ends: 90d, 12h, or a time (RFC 3339)
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    /// Print the key and its token as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

#[derive(Args, Debug)]
struct ListArguments {
    /// Print the keys as JSON, one a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

#[derive(Args, Debug)]
struct RevokeArguments {
    /// The key's identifier, from `keys list`
    key_id: String,
    #[command(flatten)]
    place: PlaceArguments,
}

pub(crate) fn run(arguments: &KeysArguments, environment: &Environment) -> anyhow::Result<()> {
    match &arguments.verb {
        KeysVerb::Create(arguments) => create(arguments, environment),
        KeysVerb::List(arguments) => list(arguments, environment),
        KeysVerb::Revoke(arguments) => revoke(arguments, environment),
    }
}

fn create(arguments: &CreateArguments, environment: &Environment) -> anyhow::Result<()> {
    let new = new_key(arguments, Micros(SystemClock::new().now_micros()))?;
    let made = Books::with(&arguments.place, environment, |books| books.create(&new))?;
    if arguments.json {
        return print(&serde_json::to_string(&made)?);
    }
    say(&format!("made {}; its token, shown this once:", made.key.key_id));
    print(&made.token)
}

fn list(arguments: &ListArguments, environment: &Environment) -> anyhow::Result<()> {
    let keys = Books::with(&arguments.place, environment, Books::list)?;
    let now = Micros(SystemClock::new().now_micros());
    for key in keys {
        let line = if arguments.json { serde_json::to_string(&key)? } else { key.line(now) };
        print(&line)?;
    }
    Ok(())
}

fn revoke(arguments: &RevokeArguments, environment: &Environment) -> anyhow::Result<()> {
    let key_id = &arguments.key_id;
    let odd = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    if key_id.is_empty() || key_id.contains(odd) {
        return Err(Failure::new(Exit::Usage, format!("`{key_id}` is no key's identifier")).into());
    }
    Books::with(&arguments.place, environment, |books| books.revoke(key_id))?;
    say(&format!("revoked {key_id}"));
    Ok(())
}

fn new_key(arguments: &CreateArguments, now: Micros) -> anyhow::Result<NewKey> {
    if !(arguments.read || arguments.write || arguments.operator) {
        let failure = Failure::new(Exit::Usage, "the key may do nothing");
        return Err(failure.hint("give --read, --write or --operator").into());
    }
    let read = ReadScope {
        accounts: allow(&arguments.accounts),
        categories: allow(&arguments.categories),
    };
    let write = WriteScope {
        accounts: allow(&arguments.accounts),
        applications: allow(&arguments.applications),
        categories: allow(&arguments.categories),
        accounts_create: arguments.accounts_create,
        sample_rate_max: arguments.sample_rate_max,
        events_per_second_max: arguments.events_per_second,
    };
    let expires_at = arguments.expires.as_ref().map(|text| expiry(text, now)).transpose()?;
    Ok(NewKey {
        name: arguments.name.clone(),
        read: arguments.read.then_some(read),
        write: arguments.write.then_some(write),
        operator: arguments.operator,
        expires_at: expires_at.map(|at| at.to_string()),
    })
}

fn allow(things: &[String]) -> Allow {
    if things.is_empty() { Allow::All } else { Allow::only(things.iter().cloned()) }
}

const SECOND_MICROS: i64 = 1_000_000;

fn expiry(text: &str, now: Micros) -> anyhow::Result<Micros> {
    if let Ok(at) = Micros::parse(text) {
        return Ok(at);
    }
    let units = [('d', 86_400), ('h', 3600), ('m', 60)];
    let micros = units.iter().find_map(|(unit, seconds)| {
        let number: i64 = text.strip_suffix(*unit)?.parse().ok().filter(|number| *number > 0)?;
        number.checked_mul(*seconds)?.checked_mul(SECOND_MICROS)
    });
    let wrong = || {
        let message = format!("--expires `{text}` is neither a time nor a span like 90d or 12h");
        Failure::new(Exit::Usage, message)
    };
    Ok(now.plus(micros.ok_or_else(wrong)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiries() {
        for (text, seconds) in [("90d", Some(7_776_000)), ("12h", Some(43_200)), ("1m", Some(60))]
            .into_iter()
            .chain(["d", "0d", "-1d", "1y", ""].map(|text| (text, None)))
        {
            let at = expiry(text, Micros(0)).ok();
            assert_eq!(at, seconds.map(|seconds: i64| Micros(seconds * 1_000_000)), "{text}");
        }
        assert!(expiry("2026-01-01T00:00:00Z", Micros(0)).is_ok());
    }
}
