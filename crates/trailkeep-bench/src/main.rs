//! Prints figures: load, durable acks, recovery; development only.
fn main() {}
