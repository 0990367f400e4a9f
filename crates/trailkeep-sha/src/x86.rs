//! The SHA instructions of x86 processors, for two blocks in turns.

#![expect(
    unsafe_code,
    reason = "the instructions have no safe interface; each use says why it holds"
)]

use std::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_blend_epi16, _mm_loadu_si128, _mm_set_epi64x,
    _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi8,
    _mm_shuffle_epi32, _mm_storeu_si128,
};
use std::is_x86_feature_detected;

use crate::BLOCK_BYTES;
use crate::pairs::Step;

/// The constants of FIPS 180-4, 4.2.2.
static K: [[[u32; 4]; 4]; 4] = [
    [
        [0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5],
        [0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5],
        [0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3],
        [0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174],
    ],
    [
        [0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc],
        [0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da],
        [0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7],
        [0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967],
    ],
    [
        [0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13],
        [0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85],
        [0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3],
        [0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070],
    ],
    [
        [0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5],
        [0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3],
        [0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208],
        [0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2],
    ],
];

/// Proves that the processor has the instructions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instructions(());

impl Instructions {
    pub(crate) fn find() -> Option<Self> {
        let found = is_x86_feature_detected!("sha")
            && is_x86_feature_detected!("ssse3")
            && is_x86_feature_detected!("sse4.1");
        found.then_some(Self(()))
    }

    /// Works two blocks into their states.
    #[inline]
    #[expect(clippy::unused_self, reason = "to have it is the proof")]
    pub(crate) fn compress(self, mut one: Step<'_>, mut other: Step<'_>) {
        // SAFETY: `find` saw that the processor has the instructions, and nothing else makes this.
        unsafe { compress(&mut one, &mut other) }
    }
}

#[target_feature(enable = "sha,ssse3,sse4.1")]
fn compress(one: &mut Step<'_>, other: &mut Step<'_>) {
    let (mut a, mut b) = (Registers::load(one.state), Registers::load(other.state));
    let (a_before, b_before) = (a, b);
    let [mut v0, mut v1, mut v2, mut v3] = words(one.block);
    let [mut w0, mut w1, mut w2, mut w3] = words(other.block);
    let [first, rest @ ..] = &K;
    let [k0, k1, k2, k3] = first.each_ref().map(|k| load(k));
    (a, b) = (rounds(a, v0, k0), rounds(b, w0, k0));
    (a, b) = (rounds(a, v1, k1), rounds(b, w1, k1));
    (a, b) = (rounds(a, v2, k2), rounds(b, w2, k2));
    (a, b) = (rounds(a, v3, k3), rounds(b, w3, k3));
    for k in rest {
        let [k0, k1, k2, k3] = k.each_ref().map(|k| load(k));
        (v0, w0) = (scheduled(v0, v1, v2, v3), scheduled(w0, w1, w2, w3));
        (a, b) = (rounds(a, v0, k0), rounds(b, w0, k0));
        (v1, w1) = (scheduled(v1, v2, v3, v0), scheduled(w1, w2, w3, w0));
        (a, b) = (rounds(a, v1, k1), rounds(b, w1, k1));
        (v2, w2) = (scheduled(v2, v3, v0, v1), scheduled(w2, w3, w0, w1));
        (a, b) = (rounds(a, v2, k2), rounds(b, w2, k2));
        (v3, w3) = (scheduled(v3, v0, v1, v2), scheduled(w3, w0, w1, w2));
        (a, b) = (rounds(a, v3, k3), rounds(b, w3, k3));
    }
    a.add(a_before).store(one.state);
    b.add(b_before).store(other.state);
}

/// A state as the instructions take it: A, B, E, F and C, D, G, H.
#[derive(Clone, Copy)]
struct Registers {
    abef: __m128i,
    cdgh: __m128i,
}

impl Registers {
    #[target_feature(enable = "sha,ssse3,sse4.1")]
    #[inline]
    fn load(state: &[u32; 8]) -> Self {
        let ([low, high], _) = state.as_chunks::<4>() else { return Self::zero() };
        let cdab = _mm_shuffle_epi32::<0xb1>(load(low));
        let efgh = _mm_shuffle_epi32::<0x1b>(load(high));
        Self { abef: _mm_alignr_epi8::<8>(cdab, efgh), cdgh: _mm_blend_epi16::<0xf0>(efgh, cdab) }
    }

    #[target_feature(enable = "sha,ssse3,sse4.1")]
    #[inline]
    fn zero() -> Self {
        let zero = _mm_set_epi64x(0, 0);
        Self { abef: zero, cdgh: zero }
    }

    #[target_feature(enable = "sha,ssse3,sse4.1")]
    #[inline]
    fn add(self, other: Self) -> Self {
        Self {
            abef: _mm_add_epi32(self.abef, other.abef),
            cdgh: _mm_add_epi32(self.cdgh, other.cdgh),
        }
    }

    #[target_feature(enable = "sha,ssse3,sse4.1")]
    #[inline]
    fn store(self, state: &mut [u32; 8]) {
        let feba = _mm_shuffle_epi32::<0x1b>(self.abef);
        let dchg = _mm_shuffle_epi32::<0xb1>(self.cdgh);
        let abcd = _mm_blend_epi16::<0xf0>(feba, dchg);
        let efgh = _mm_alignr_epi8::<8>(dchg, feba);
        if let ([low, high], _) = state.as_chunks_mut::<4>() {
            store(low, abcd);
            store(high, efgh);
        }
    }
}

/// Four rounds.
#[target_feature(enable = "sha,ssse3,sse4.1")]
#[inline]
fn rounds(state: Registers, words: __m128i, k: __m128i) -> Registers {
    let low = _mm_add_epi32(words, k);
    let high = _mm_shuffle_epi32::<0x0e>(low);
    let cdgh = _mm_sha256rnds2_epu32(state.cdgh, state.abef, low);
    let abef = _mm_sha256rnds2_epu32(state.abef, cdgh, high);
    Registers { abef, cdgh }
}

/// Returns the next four words of the schedule, which take the place of the oldest.
#[target_feature(enable = "sha,ssse3,sse4.1")]
#[inline]
fn scheduled(v0: __m128i, v1: __m128i, v2: __m128i, v3: __m128i) -> __m128i {
    let sum = _mm_add_epi32(_mm_sha256msg1_epu32(v0, v1), _mm_alignr_epi8::<4>(v3, v2));
    _mm_sha256msg2_epu32(sum, v3)
}

/// Reads a block's sixteen words, which are big-endian.
#[target_feature(enable = "sha,ssse3,sse4.1")]
#[inline]
fn words(block: &[u8; BLOCK_BYTES]) -> [__m128i; 4] {
    let swap = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
    let mut words = [swap; 4];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks::<16>().0) {
        // SAFETY: the sixteen bytes are there, and the load needs no alignment.
        let loaded = unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) };
        *word = _mm_shuffle_epi8(loaded, swap);
    }
    words
}

#[target_feature(enable = "sha,ssse3,sse4.1")]
#[inline]
fn load(words: &[u32; 4]) -> __m128i {
    // SAFETY: the sixteen bytes are there, and the load needs no alignment.
    unsafe { _mm_loadu_si128(words.as_ptr().cast()) }
}

#[target_feature(enable = "sha,ssse3,sse4.1")]
#[inline]
fn store(words: &mut [u32; 4], register: __m128i) {
    // SAFETY: there is room for the sixteen bytes, and the store needs no alignment.
    unsafe { _mm_storeu_si128(words.as_mut_ptr().cast(), register) }
}
