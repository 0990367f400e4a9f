//! The binary as a user meets it: spawned, with files, signals and exit codes.
#![cfg(test)]

mod backup;
mod command;
mod config;
mod crash;
mod doctor;
mod exit_codes;
mod export;
mod figures;
mod import;
mod keys;
mod look;
mod real_data;
mod reference;
mod serve;
mod server;
mod tail;
