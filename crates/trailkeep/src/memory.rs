//! The allocator.

use std::ffi::{c_int, c_long};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The number of `mi_option_purge_delay` in `mimalloc.h`, the same in versions 2 and 3.
const PURGE_DELAY: c_int = 15;
/// How long freed memory is kept for the next use, in milliseconds. A load frees some hundred MiB a
/// second and asks for as much again: giving it back after a second, as is usual, and getting it
/// again as zeroed pages took a tenth of the processor time of a load.
const KEPT_MS: c_long = 10_000;

/// Keeps freed memory for ten seconds before the system gets it back, unless the environment
/// variable `MIMALLOC_PURGE_DELAY` says otherwise.
pub(crate) fn keep_for_a_while() {
    #[expect(unsafe_code, reason = "the allocator's options have no safe interface")]
    // SAFETY: the option exists, any number is a valid value, and no other thread runs yet.
    unsafe {
        libmimalloc_sys::mi_option_set_default(PURGE_DELAY, KEPT_MS);
    }
}
