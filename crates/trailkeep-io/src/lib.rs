//! The outside world as values: clock, disk, entropy and tasks, each real, simulated and
//! fault-injecting.
//!
//! | what | real | simulated |
//! |---|---|---|
//! | [`Clock`] | [`SystemClock`] | [`SimClock`], which moves when told to |
//! | [`Entropy`] | [`SystemEntropy`] | [`SimEntropy`], which repeats |
//! | [`Disk`] | [`RealDisk`] | [`SimDisk`], which fails and loses its power when told to |
//!
//! On top of any disk: [`durable`] changes small files whole and durably, [`DiskStore`] keeps
//! objects. [`Tasks`] starts tasks and threads that live on; [`share`] lets some threads do
//! one piece of work and waits for them.
//!
//! Promises: a program that takes these as arguments runs the same on a simulated machine that
//! loses power between any two writes; what a call here says is durable survives that.
//!
//! Never does: decide anything about events.

mod clock;
mod disk;
mod disk_path;
mod disk_store;
pub mod durable;
mod entropy;
mod error;
mod real_disk;
mod share;
mod sim_clock;
mod sim_disk;
mod sim_entropy;
mod size;
mod spawn;
mod splitmix;
mod system_clock;
mod system_entropy;

pub use self::{
    clock::Clock,
    disk::{DirEntry, Disk, DiskFile, OpenMode, Space},
    disk_store::DiskStore,
    entropy::Entropy,
    error::Error,
    real_disk::{DirLock, RealDisk},
    share::share,
    sim_clock::SimClock,
    sim_disk::{Fault, FaultKind, FaultOp, OpCounts, SimDisk},
    sim_entropy::SimEntropy,
    spawn::{Tasks, yield_to_small_requests},
    system_clock::SystemClock,
    system_entropy::SystemEntropy,
};
