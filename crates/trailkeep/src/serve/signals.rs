//! The signals that end the server.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// How a process ends that was told twice, by the custom of shells: 128 + SIGINT.
const INTERRUPTED: i32 = 130;

/// SIGTERM and SIGINT.
#[derive(Debug)]
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Takes both signals over.
    pub(super) fn listen() -> io::Result<Self> {
        let terminate = signal(SignalKind::terminate())?;
        Ok(Self { terminate, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for one of them and returns its name.
    pub(super) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }

    /// Ends the process at the next signal, whatever it does then. What was acknowledged is
    /// durable; the next start replays the journal.
    #[expect(
        clippy::disallowed_methods,
        reason = "nobody joins it: it lives until the process ends"
    )]
    pub(super) fn end_at_next(mut self) {
        drop(tokio::spawn(async move {
            let name = self.next().await;
            tracing::warn!(signal = name, "ending at once");
            end();
        }));
    }
}

#[expect(clippy::exit, reason = "the second signal asks for exactly this")]
fn end() {
    std::process::exit(INTERRUPTED);
}
