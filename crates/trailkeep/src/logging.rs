//! Sets up the log.

use std::io;

use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};
use crate::failure::{Exit, Failure};

/// What is logged by the commands beside `serve`: what went wrong.
const QUIET: &str = "error";

/// Logs what the configuration asks for, to stderr.
pub(crate) fn start(config: &Config) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.log.level).map_err(|error| {
        Failure::new(Exit::Usage, format!("the setting `log.level` is not readable: {error}"))
    })?;
    let log = tracing_subscriber::fmt().with_writer(io::stderr).with_env_filter(filter);
    match config.log.format {
        LogFormat::Json => log.json().flatten_event(true).init(),
        LogFormat::Text => {
            let ansi = rustix::termios::isatty(io::stderr());
            log.with_ansi(ansi).init();
        }
    }
    Ok(())
}

/// Logs errors only, to stderr.
pub(crate) fn start_quiet() {
    let log = tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(false);
    log.with_env_filter(EnvFilter::new(QUIET)).init();
}
