//! SHA-256 of many messages at once, two side by side where the processor can.
//!
//! A processor with SHA instructions waits for each of them longer than it takes to start the next:
//! two messages that are hashed in turns take little longer than one. Where it has none, `sha2` does
//! the work.
//!
//! Promises: the digests are those of `sha2`, which a property test compares.
//!
//! Never does: I/O.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod messages;
mod pairs;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use self::messages::Messages;

/// How many bytes a digest has.
pub const DIGEST_BYTES: usize = 32;
/// How many bytes are hashed at a time.
const BLOCK_BYTES: usize = 64;

type Digest = [u8; DIGEST_BYTES];
type Block = [u8; BLOCK_BYTES];
