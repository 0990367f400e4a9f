//! The HTTP border over real TCP, as a hostile client meets it.
#![cfg(test)]

mod bodies;
mod connections;
mod problems;
mod routes;
mod shutdown;
mod support;
mod tls;
