//! A blocked Bloom filter: 11 bits an entry, one cache line a question, about 1 % false hits.

use crate::Fingerprint;

const BLOCK_WORDS: usize = 8;
const BITS_PER_ENTRY: usize = 11;
const PROBES: u32 = 7;

/// A set that may say yes wrongly and never says no wrongly.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    words: Vec<u64>,
}

impl Filter {
    /// Makes an empty filter with room for `n_entries`.
    pub(crate) fn with_room(n_entries: usize) -> Self {
        let n_blocks = n_entries.saturating_mul(BITS_PER_ENTRY).div_ceil(BLOCK_WORDS * 64).max(1);
        Self { words: vec![0; n_blocks.saturating_mul(BLOCK_WORDS)] }
    }

    pub(crate) fn insert(&mut self, fingerprint: Fingerprint) {
        let (block, mut bits) = self.place(fingerprint);
        for _probe in 0..PROBES {
            let (word, mask) = probe(&mut bits);
            if let Some(slot) = self.words.get_mut(block.saturating_add(word)) {
                *slot |= mask;
            }
        }
    }

    pub(crate) fn contains(&self, fingerprint: Fingerprint) -> bool {
        let (block, mut bits) = self.place(fingerprint);
        (0..PROBES).all(|_probe| {
            let (word, mask) = probe(&mut bits);
            self.words.get(block.saturating_add(word)).is_none_or(|slot| slot & mask != 0)
        })
    }

    /// Returns the first word of the fingerprint's block and its probe bits.
    fn place(&self, fingerprint: Fingerprint) -> (usize, u64) {
        let mut wide = [0_u8; 16];
        for (slot, byte) in wide.iter_mut().zip(fingerprint.0) {
            *slot = byte;
        }
        let wide = u128::from_le_bytes(wide);
        let high = u64::try_from(wide & u128::from(u32::MAX)).unwrap_or(0);
        let low = u64::try_from((wide >> 32) & u128::from(u64::MAX)).unwrap_or(0);
        let n_blocks = u64::try_from(self.words.len() / BLOCK_WORDS).unwrap_or(1);
        let block = high.wrapping_mul(n_blocks) >> 32;
        (usize::try_from(block).unwrap_or(0).saturating_mul(BLOCK_WORDS), low)
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        let (words, _rest) = bytes.as_chunks::<8>();
        Self { words: words.iter().map(|word| u64::from_le_bytes(*word)).collect() }
    }
}

/// Takes nine bits: which word of the block, and which bit of it.
fn probe(bits: &mut u64) -> (usize, u64) {
    let nine = *bits & 511;
    *bits >>= 9;
    (usize::try_from(nine >> 6).unwrap_or(0), 1 << (nine & 63))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SourceKey, SourceRef};

    #[test]
    fn says_yes_to_all_it_has_and_seldom_to_others() {
        let key = SourceKey::new([1; 16]);
        let print = |n: i64| key.fingerprint("a", SourceRef::Line { job: "j", line: n });
        let mut filter = Filter::with_room(10_000);
        (0..10_000).for_each(|n| filter.insert(print(n)));
        let filter = Filter::from_bytes(&filter.to_bytes());
        assert!((0..10_000).all(|n| filter.contains(print(n))));
        let wrong = (10_000..20_000).filter(|n| filter.contains(print(*n))).count();
        assert!(wrong < 300, "{wrong} of 10,000");
        assert!(filter.to_bytes().len() * 8 <= 12 * 10_000);
    }
}
