//! Parses the one query language into a typed predicate and evaluates it on an event.
