//! RFC 6962 trees, tiles, inclusion and consistency proofs, signed notes, GGM secrets, as pure
//! functions.
//!
//! | part | what | specification |
//! |---|---|---|
//! | [`Hash`](struct@Hash), [`Subtree`], [`Edge`] | hashes of a tree; the right edge, which grows | RFC 6962, 2.1 |
//! | [`inclusion_nodes`], [`verify_inclusion`], ... | proofs: what they consist of, and checking | RFC 6962, 2.1.1 and 2.1.2 |
//! | [`TilePath`], [`Tile`] | the tree in pieces of 256 hashes | C2SP tlog-tiles |
//! | [`Note`], [`Verifier`], [`Signer`] | signed texts, Ed25519 and timestamped cosignatures | C2SP signed-note, tlog-cosignature |
//! | [`Checkpoint`], [`TlogProof`], [`Policy`] | a tree's head, one entry's proof, who is trusted | C2SP tlog-checkpoint, tlog-proof, tlog-policy |
//! | [`Leaf`], [`section_digest`], ... | what a leaf says of an entry | `docs/format/ledger.md` |
//! | [`Secret`], [`SecretBlock`] | secrets of which single ones can be forgotten | `docs/format/ledger.md` |
//!
//! Promises: whatever bytes are read, the answer is a value or an error, in bounded time and
//! memory.
//!
//! Never does: I/O, time, randomness; of an event it knows its numbered sections only.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod checkpoint;
mod commitment;
mod edge;
mod hash;
mod key;
mod leaf;
mod log_name;
mod note;
mod policy;
mod proof;
mod secret;
mod secret_block;
mod subtree;
mod text;
mod tile;
mod tile_path;
mod tlog_proof;

pub use self::{
    checkpoint::{Checkpoint, CheckpointError},
    commitment::{EVENT_DOMAIN, SALT_DOMAIN, SECTION_DOMAIN, Salt, event_digest, section_digest},
    edge::Edge,
    hash::{HASH_BYTES, Hash, leaf_hash, node_hash},
    key::{KeyError, KeyKind, Signer, Verdict, Verifier},
    leaf::{LEAF_BYTES, Leaf, LeafKind},
    log_name::{LogId, log_signer},
    note::{Note, NoteError, NoteSignature},
    policy::{Policy, PolicyError, PolicyLog, PolicyWitness, Seen},
    proof::{
        PROOF_HASHES_MAX, ProofError, consistency_nodes, inclusion_nodes, root_of,
        verify_consistency, verify_inclusion,
    },
    secret::{SECRET_BYTES, Secret},
    secret_block::{BLOCK_SECRETS, SecretBlock, SecretBlockError, Secrets},
    subtree::Subtree,
    tile::{TILE_HASHES, Tile},
    tile_path::{TileKind, TilePath},
    tlog_proof::{TlogProof, TlogProofError},
};
