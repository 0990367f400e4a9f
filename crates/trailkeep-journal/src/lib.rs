//! Appends batches durably in one order, with group commit, recovery and tailing readers.
