//! The outside world as values: clock, disk, entropy and tasks, each real, simulated and
//! fault-injecting.
//!
//! Promises: a program that takes these as arguments runs the same on a simulated machine that
//! loses power between any two writes.
//!
//! Never does: decide anything about events.

mod clock;
mod disk;
mod entropy;

pub use self::{
    clock::Clock,
    disk::{DirEntry, Disk, DiskFile, OpenMode, Space},
    entropy::Entropy,
};
