//! Where the store is: on this machine, or behind a server.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use trailkeep_client::{Client, ClientOptions, RetryOptions, Secret};

use crate::arguments::Environment;
use crate::config::{self, Config};
use crate::failure::{Exit, Failure, in_one_line};
use crate::logging;
use crate::output::say;

/// How long a request may take: longer than the server's own limit.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(2);
/// The longest file of keys, certificates or a mapping that is read.
const SMALL_BYTES_MAX: u64 = 1 << 20;

/// Where the store is.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Store")]
pub(crate) struct PlaceArguments {
    #[arg(
        help = "A running server, like http://127.0.0.1:8080",
        long,
        value_name = "URL",
        conflicts_with = "data"
    )]
    pub(crate) server: Option<String>,
    #[arg(
        help = "The key for the server; TRAILKEEP_KEY where absent",
        long,
        value_name = "KEY",
        requires = "server"
    )]
    pub(crate) key: Option<Secret>,
    /// A file with the key for the server
    #[arg(long, value_name = "FILE", requires = "server", conflicts_with = "key")]
    pub(crate) key_file: Option<PathBuf>,
    /// A PEM file of certificates to trust, where the server's is not signed by a usual authority
    #[arg(long, value_name = "FILE", requires = "server")]
    pub(crate) ca_cert: Option<PathBuf>,
    /// A data directory on which no server runs
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The configuration, for --data
    #[arg(long, value_name = "FILE", conflicts_with = "server")]
    pub(crate) config: Option<PathBuf>,
}

/// Where the store is, checked.
#[derive(Debug)]
pub(crate) enum Place {
    /// In a data directory of this machine.
    Local(PathBuf, Box<Config>),
    /// Behind a server.
    Remote(Client),
}

impl PlaceArguments {
    /// Finds out where the store is; nothing is opened yet.
    pub(crate) fn resolve(&self, environment: &Environment) -> anyhow::Result<Place> {
        if self.server.is_some() {
            return self.client(environment).map(Place::Remote);
        }
        let raw = config::read(self.config.as_deref())?;
        let data = match (&self.data, &self.config) {
            (Some(data), _) => data.clone(),
            (None, Some(_)) => raw.store.data.clone(),
            (None, None) => {
                let failure = Failure::new(Exit::Usage, "which store?");
                let hint = "name a running server with --server URL, or with --data DIR a \
                            directory on which none runs";
                return Err(failure.hint(hint).into());
            }
        };
        logging::start_quiet();
        Ok(Place::Local(data, Box::new(config::resolve(&raw)?)))
    }

    /// Makes a client of the server.
    pub(crate) fn client(&self, environment: &Environment) -> anyhow::Result<Client> {
        let server = self.server.clone().unwrap_or_default();
        let trusted_pem = self.ca_cert.as_deref().map(read_small).transpose()?;
        let retry = RetryOptions::STANDARD;
        let key = self.key(environment)?;
        let options = ClientOptions { server, key, trusted_pem, timeout: REQUEST_TIMEOUT, retry };
        Ok(Client::new(options)?.on_wait(say_waiting))
    }

    fn key(&self, environment: &Environment) -> anyhow::Result<Secret> {
        if let Some(path) = &self.key_file {
            let bytes = read_small(path)?;
            let text = String::from_utf8(bytes).context("the key file is not text")?;
            return Ok(Secret::new(&text));
        }
        let key = self.key.clone().or_else(|| environment.key.as_deref().map(Secret::new));
        let missing = || {
            let hint = "give --key-file FILE, --key KEY, or set TRAILKEEP_KEY";
            Failure::new(Exit::Usage, "a server needs a key").hint(hint)
        };
        Ok(key.ok_or_else(missing)?)
    }
}

/// Says at once that the server is not there, not only when waiting for it was in vain.
fn say_waiting(error: &trailkeep_client::Error, waits: Duration) {
    say(&format!("{}; trying again for about {} s", in_one_line(error), waits.as_secs().max(1)));
}

/// Reads a file that a person gave and that cannot be large.
pub(crate) fn read_small(path: &Path) -> anyhow::Result<Vec<u8>> {
    use std::io::Read;
    let open = || -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path)?;
        let read = file.take(SMALL_BYTES_MAX.saturating_add(1)).read_to_end(&mut bytes)?;
        if u64::try_from(read).is_ok_and(|read| read > SMALL_BYTES_MAX) {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        Ok(bytes)
    };
    open().with_context(|| format!("could not read `{}`", path.display())).context(Exit::Usage)
}
