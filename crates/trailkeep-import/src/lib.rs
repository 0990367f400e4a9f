//! Turns other systems' records into events by a declarative mapping.
