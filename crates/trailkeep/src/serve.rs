//! Runs the server.

mod signals;
mod wiring;

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use trailkeep_api::{Shutdown, ShutdownTrigger, Transport, shutdown_pair};

use self::signals::Signals;
use self::wiring::{Servers, wire};
use crate::arguments::Environment;
use crate::config::{self, Config, Listen, RawConfig};
use crate::demo;
use crate::first_start::{Keeping, given_key, make_first_key};
use crate::local::LocalStore;
use crate::logging;

const EXAMPLES: &str = "\
Examples:
  trailkeep serve --demo
  trailkeep serve --data /var/lib/trailkeep --listen 127.0.0.1:8080
  trailkeep serve --config /etc/trailkeep.toml --tls-cert cert.pem --tls-key key.pem

The first start of a store makes an operator key: from TRAILKEEP_BOOTSTRAP_KEY (at least 32 bytes)
or the file that TRAILKEEP_BOOTSTRAP_KEY_FILE names, else a random one that is printed once.
SIGTERM and SIGINT finish the requests under way and seal the store; a second one ends at once.";

/// How to run the server. A flag wins over the configuration.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ServeArguments {
    /// The configuration; see `trailkeep config`
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data directory
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where the API listens; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Where /metrics is served; a loopback address
    #[arg(long, value_name = "ADDRESS")]
    admin_listen: Option<String>,
    /// The PEM file of the certificate chain
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The PEM file of the private key
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Fill an empty store with a demonstration account and say what to try
    #[arg(long)]
    demo: bool,
}

impl ServeArguments {
    fn config(&self) -> anyhow::Result<Config> {
        let mut raw = config::read(self.config.as_deref())?;
        self.apply(&mut raw);
        config::resolve(&raw)
    }

    fn apply(&self, raw: &mut RawConfig) {
        if let Some(data) = &self.data {
            raw.store.data.clone_from(data);
        }
        if let Some(listen) = &self.listen {
            raw.server.listen.clone_from(listen);
        }
        raw.server.admin_listen = self.admin_listen.clone().or(raw.server.admin_listen.take());
        if self.tls_cert.is_some() {
            raw.server.tls_cert.clone_from(&self.tls_cert);
            raw.server.tls_key.clone_from(&self.tls_key);
        }
    }
}

pub(crate) fn run(arguments: &ServeArguments, environment: &Environment) -> anyhow::Result<()> {
    let config = arguments.config()?;
    logging::start(&config)?;
    let transport = transport(&config.listen)?;
    let local = LocalStore::open_or_make(&config.data, config.store.clone())?;
    let served = serve(arguments, environment, &config, (&local, transport));
    tracing::info!("closing the store");
    // Also after an error: what was acknowledged is sealed, not left to the next start.
    let closed = local.close();
    served?;
    closed?;
    tracing::info!("the store is closed");
    Ok(())
}

fn transport(listen: &Listen) -> anyhow::Result<Transport> {
    Ok(match listen {
        Listen::Plain => Transport::Plain,
        Listen::BehindProxy => Transport::BehindProxy,
        Listen::Tls(files) => Transport::Tls(files.load()?),
    })
}

fn serve(
    arguments: &ServeArguments,
    environment: &Environment,
    config: &Config,
    (local, transport): (&LocalStore, Transport),
) -> anyhow::Result<()> {
    let was_empty = demo::is_empty(&local.store);
    let given_key = given_key(environment)?;
    let keeping = if arguments.demo { Keeping::InFile } else { Keeping::Nowhere };
    let scheme = if matches!(transport, Transport::Tls(_)) { "https" } else { "http" };
    let runtime = &local.machine.runtime;
    let (trigger, shutdown) = shutdown_pair();
    let servers = wire(local, config, transport, shutdown.clone())?;
    let url = format!("{scheme}://{}", servers.public.local_addr());
    // Once the address is ours: a key that is shown for a server that never ran would be lost.
    let first_key = make_first_key(local, &servers.keys, (given_key, keeping))?;
    first_key.announce(&url);
    if arguments.demo && was_empty {
        demo::fill(local)?;
    }
    if let Some(admin) = &servers.admin {
        tracing::info!("metrics on http://{}/metrics", admin.local_addr());
    }
    tracing::info!("listening on {url}");
    if arguments.demo {
        demo::announce(&local.data, &url);
    }
    let run = Box::pin(until_signal(servers, trigger, shutdown));
    runtime.block_on(run)
}

/// Serves until the first signal, then lets requests finish; a second signal ends the process.
async fn until_signal(
    Servers { public, admin, .. }: Servers,
    trigger: ShutdownTrigger,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    let mut signals = Signals::listen().context("could not listen for signals")?;
    let both = async {
        let admin = async {
            if let Some(admin) = admin {
                admin.run(shutdown.clone()).await;
            }
        };
        tokio::join!(public.run(shutdown.clone()), admin);
    };
    let mut both = Box::pin(both);
    tokio::select! {
        name = signals.next() => {
            tracing::info!(signal = name, "stopping; a second signal ends at once");
            trigger.trigger();
        }
        () = &mut both => return Ok(()),
    }
    signals.end_at_next();
    both.await;
    Ok(())
}
