#![cfg(test)]
//! The formats of schema version 1 against golden files, the format's page, and vectors that
//! others wrote.

mod differential;
mod golden;
mod page;
mod vectors;
