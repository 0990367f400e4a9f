//! Conversion from outside: real records, hostile records, the built-in mappings.
#![cfg(test)]

mod builtin;
mod document;
mod properties;
mod real_data;
mod support;
