//! Carries events to a server: bounded queue, retries.
