//! How a server, and whatever works for it, learns that it should end and is waited for.

use tokio::sync::watch;
use trailkeep_io::Tasks;

/// Makes the two ends of a shutdown.
pub fn shutdown_pair() -> (ShutdownTrigger, Shutdown) {
    let (sender, receiver) = watch::channel(false);
    (ShutdownTrigger(sender), Shutdown { receiver, tasks: Tasks::new() })
}

/// The end that asks. Dropping it asks too.
#[derive(Debug)]
pub struct ShutdownTrigger(watch::Sender<bool>);

impl ShutdownTrigger {
    /// Asks everything that holds the other end to finish.
    pub fn trigger(&self) {
        self.0.send_replace(true);
    }
}

/// The end that is asked; clones are asked together.
#[derive(Clone, Debug)]
pub struct Shutdown {
    receiver: watch::Receiver<bool>,
    tasks: Tasks,
}

impl Shutdown {
    /// Waits until a shutdown is asked for; from then on it returns at once.
    pub async fn requested(&self) {
        let mut receiver = self.receiver.clone();
        // An error means that the trigger is gone: nobody could ask any more.
        drop(receiver.wait_for(|requested| *requested).await);
    }

    /// Returns the tasks and threads that work for requests: [`Server::run`](crate::Server::run)
    /// waits for them at the end.
    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }
}
