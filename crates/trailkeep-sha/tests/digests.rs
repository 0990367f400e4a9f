//! Against `sha2`.
#![cfg(test)]

use proptest::prelude::*;
use sha2::{Digest, Sha256};
use trailkeep_sha::Messages;

fn check(messages: &[Vec<u8>]) {
    let mut together = Messages::default();
    together.push(&[b"before"]);
    together.clear();
    for (n, message) in messages.iter().enumerate() {
        together.buffer().extend_from_slice(b"taken back");
        together.take_back();
        if n % 2 == 0 {
            let (head, tail) = message.split_at(message.len() / 3);
            together.push(&[head, &[], tail]);
        } else {
            together.buffer().extend_from_slice(message);
            together.end();
        }
    }
    let mut digests = vec![[9; 32]];
    together.digests(&mut digests);
    assert_eq!(digests.len(), messages.len());
    for (message, digest) in messages.iter().zip(&digests) {
        assert_eq!(*digest, <[u8; 32]>::from(Sha256::digest(message)), "{} bytes", message.len());
    }
}

#[test]
fn every_length_beside_every_other() {
    check(&[]);
    check(&[vec![]]);
    for length in 0..200_u8 {
        let message = |length: u8| (0..length).map(|n| n.wrapping_mul(7)).collect::<Vec<u8>>();
        check(&[message(length)]);
        check(&[message(length), message(199 - length), message(64), message(length)]);
    }
}

proptest! {
    #[test]
    fn any_messages(messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..700), 0..40)) {
        check(&messages);
    }
}
