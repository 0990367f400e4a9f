//! The HTTP border over real TCP: as a hostile client meets it, and over a real store.
#![cfg(test)]

mod access;
mod analyses;
mod bodies;
mod connections;
mod crash;
mod differential;
mod exporting;
mod listing;
mod operations;
mod problems;
mod requirements;
mod routes;
mod sending;
mod shutdown;
mod store_server;
mod support;
mod tailing;
mod tls;
