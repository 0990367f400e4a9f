//! Segments and the tail, through their public interface.
#![cfg(test)]

mod damage;
mod merging;
mod rows;
mod scanning;
mod sealing;
mod speed_tmp;
mod tail;
