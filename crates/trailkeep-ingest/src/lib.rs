//! The one writer: admits by policy, redacts, decides duplicates, appends, sequences, seals.
