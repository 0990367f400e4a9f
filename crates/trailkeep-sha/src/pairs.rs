//! Two messages at a time, block by block.

use crate::{BLOCK_BYTES, Block, Digest};

const START: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// A state and the block that is to be worked into it.
pub(crate) struct Step<'a> {
    pub(crate) state: &'a mut [u32; 8],
    pub(crate) block: &'a Block,
}

/// A message that is being hashed.
struct Lane<'a> {
    state: [u32; 8],
    blocks: &'a [Block],
    digest: &'a mut Digest,
}

impl Lane<'_> {
    /// Ends the message where its blocks are used up.
    #[inline]
    fn is_done(&mut self) -> bool {
        if !self.blocks.is_empty() {
            return false;
        }
        for (bytes, word) in self.digest.as_chunks_mut::<4>().0.iter_mut().zip(self.state) {
            *bytes = word.to_be_bytes();
        }
        true
    }
}

/// Hashes padded messages two at a time: when one ends, the next takes its place. `ends` says where
/// each ends, in blocks; `compress` works two blocks into their states.
#[inline]
pub(crate) fn digest_pairs(
    blocks: &[Block],
    ends: impl Iterator<Item = usize>,
    digests: &mut [Digest],
    compress: impl Fn(Step<'_>, Step<'_>),
) {
    let mut start = 0;
    let mut waiting = ends.zip(digests).map(|(end, digest)| {
        let blocks = blocks.get(start..end).unwrap_or_default();
        start = end;
        Lane { state: START, blocks, digest }
    });
    let (Some(mut one), other) = (waiting.next(), waiting.next()) else { return };
    let mut last = other;
    while let Some(other) = &mut last {
        let (Some((left, one_rest)), Some((right, other_rest))) =
            (one.blocks.split_first(), other.blocks.split_first())
        else {
            break;
        };
        compress(
            Step { state: &mut one.state, block: left },
            Step { state: &mut other.state, block: right },
        );
        (one.blocks, other.blocks) = (one_rest, other_rest);
        if other.is_done() {
            last = waiting.next();
        }
        if one.is_done() {
            // What is left goes on in the first lane.
            match waiting.next().or_else(|| last.take()) {
                Some(next) => one = next,
                None => return,
            }
        }
    }
    let (mut idle, block) = (START, [0; BLOCK_BYTES]);
    while let Some((left, rest)) = one.blocks.split_first() {
        let idle = Step { state: &mut idle, block: &block };
        compress(Step { state: &mut one.state, block: left }, idle);
        one.blocks = rest;
    }
    one.is_done();
}
