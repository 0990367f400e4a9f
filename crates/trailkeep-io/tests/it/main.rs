//! What the disks, clocks, stores and tasks of this crate promise.
#![cfg(test)]

mod clock;
mod disk_conformance;
mod disk_store;
mod durable;
mod power_cut;
mod sim_disk;
mod spawn;
