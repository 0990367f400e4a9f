//! Segments and the tail, through their public interface.
#![cfg(test)]

mod damage;
mod golden;
mod members;
mod merging;
mod pages;
mod power;
mod rows;
mod scanning;
mod sealing;
mod selecting;
mod tail;
