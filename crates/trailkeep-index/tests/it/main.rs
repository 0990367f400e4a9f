//! The index from outside: no row is lost, damage is noticed, the bytes stay.
#![cfg(test)]

mod damage;
mod golden;
mod never_lost;
