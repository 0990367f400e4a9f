//! The journal on a simulated disk: order, power cuts, faults, damage.
#![cfg(test)]

mod append;
mod cut_tail;
mod damage;
mod faults;
mod golden;
mod power;
mod release;
mod repair;
mod support;
