//! Remembers accounts, keys, segments, leases and cuts in one transactional store.
