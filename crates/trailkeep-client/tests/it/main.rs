//! The client against a scripted server on the loopback interface.
#![cfg(test)]

mod client;
mod server;
