//! Logs that grow, through their public interface.
#![cfg(test)]

mod growth;
