//! The trailkeep binary: arguments, configuration, wiring and signals.
fn main() {}
