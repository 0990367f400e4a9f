//! The store on a simulated machine, through its public interface.
//!
//! Queries are another crate of this layer: what is stored is read here straight from the shelf.
#![cfg(test)]

mod clock;
mod damage;
mod duplicates;
mod every_byte;
mod every_change;
mod faults;
mod lifecycle;
mod limits;
mod machine;
mod power;
mod real;
mod script;
mod stored;
