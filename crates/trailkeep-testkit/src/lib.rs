//! Data makers and check helpers for tests; development only.
