//! All logs of a store while they grow.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use trailkeep_event::{EntryRef, IdKey, Micros, SequencedBatch};
use trailkeep_merkle::{BLOCK_SECRETS, Edge, Hash, LogId, Secret, SecretBlock, Secrets, Subtree};

use crate::LeafBatch;

/// How many levels of the tree one level of tiles spans.
const TILE_LEVELS: u8 = 8;

/// A block of secrets that a log needs.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct BlockId {
    /// Whose.
    pub log: LogId,
    /// Its number: the first leaf's index / 65,536.
    pub number: u64,
}

/// A hash of a tile of level 1 or above.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TileHash {
    /// Which log's.
    pub log: LogId,
    /// The tile's level: 1 has the roots of 256 leaves each.
    pub level: u8,
    /// The hash's number on its level.
    pub index: u64,
    /// The hash.
    pub hash: Hash,
}

/// The end of a log, with its tree's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogHead {
    /// Whose log it is.
    pub account_id: Box<str>,
    /// The log.
    pub log: LogId,
    /// When its last entry was admitted.
    pub created_at: Micros,
    /// The right edge of its tree, which knows its size and its root.
    pub edge: Edge,
}

/// What changed since the last mark: what a seal commits beside the rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Growth {
    /// The ends of the logs that grew.
    pub heads: Vec<LogHead>,
    /// The hashes above level 0 that are complete since, those of a log and level in order.
    pub tiles: Vec<TileHash>,
}

/// Why a batch is no continuation of the logs.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum GrowError {
    /// Another entry was next.
    #[error("entry {found} of log {log} came where entry {expected} was next")]
    NotNext {
        /// The log.
        log: LogId,
        /// How many leaves it has.
        expected: u64,
        /// The index that came.
        found: u64,
    },
    /// The entry was admitted before the one before it.
    #[error("entry {index} of log {log} was admitted before the one before it")]
    Earlier {
        /// The log.
        log: LogId,
        /// The entry's index.
        index: u64,
    },
    /// There is no secret for the entry's leaf.
    #[error("there is no secret for entry {index} of log {log}")]
    NoSecret {
        /// The log.
        log: LogId,
        /// The entry's index.
        index: u64,
    },
}

/// All logs of a store while they grow: a tree's edge and the next secrets of each. Memory is one
/// to two KiB a log.
pub struct Logs {
    ledger_key: [u8; 32],
    by_account: HashMap<Box<str>, usize>,
    all: Vec<Log>,
    /// Those that grew since they were last signed, and since the last mark.
    unsigned: Vec<usize>,
    unmarked: Vec<usize>,
    tiles: Vec<TileHash>,
    /// What logs must come to that are not there yet: it was signed.
    signed: HashMap<LogId, (u64, Hash)>,
    /// Those that came to a size with another root than was signed.
    broken: Vec<LogId>,
    leaf_batch: LeafBatch,
    hashes: Vec<Hash>,
}

impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logs").field("n_logs", &self.all.len()).finish_non_exhaustive()
    }
}

struct Log {
    head: LogHead,
    /// The secrets of the block that the log is in, from the next leaf on.
    secrets: Option<Secrets>,
    /// What the root must be at a size that is still to come: it was signed.
    expected: Option<(u64, Hash)>,
    is_unsigned: bool,
    is_unmarked: bool,
}

impl Log {
    fn next_block(&self) -> BlockId {
        BlockId { log: self.head.log, number: self.head.edge.size() / BLOCK_SECRETS }
    }

    /// Tells whether the next leaf's secret can be made.
    fn is_supplied(&self) -> bool {
        self.secrets.as_ref().is_some_and(|it| u64::from(it.position()) < BLOCK_SECRETS)
    }
}

impl Logs {
    /// Goes on where heads say that logs ended; `ledger_key` is the store's secret. `signed` has
    /// sizes and roots that were signed: a log that comes to such a size with another root is
    /// broken.
    pub fn new(
        ledger_key: [u8; 32],
        heads: impl IntoIterator<Item = LogHead>,
        signed: HashMap<LogId, (u64, Hash)>,
    ) -> Self {
        let mut logs = Self {
            ledger_key,
            by_account: HashMap::new(),
            all: Vec::new(),
            unsigned: Vec::new(),
            unmarked: Vec::new(),
            tiles: Vec::new(),
            signed,
            broken: Vec::new(),
            leaf_batch: LeafBatch::default(),
            hashes: Vec::new(),
        };
        for head in heads {
            logs.add(head);
        }
        logs
    }

    fn add(&mut self, head: LogHead) -> usize {
        let place = self.all.len();
        self.by_account.insert(head.account_id.clone(), place);
        // Heads that were signed before are signed again: nobody else remembers the signatures.
        let is_unsigned = head.edge.size() > 0;
        let size = head.edge.size();
        let expected = self.signed.remove(&head.log).filter(|(signed, _root)| *signed >= size);
        let mut log = Log { head, secrets: None, expected, is_unsigned, is_unmarked: false };
        if is_unsigned {
            self.unsigned.push(place);
        }
        if log.comes_wrong() {
            self.broken.push(log.head.log);
        }
        self.all.push(log);
        place
    }

    fn place_of(&mut self, account_id: &str) -> usize {
        if let Some(place) = self.by_account.get(account_id) {
            return *place;
        }
        let log = LogId::of_account(&self.ledger_key, account_id);
        let edge = Edge::default();
        self.add(LogHead { account_id: account_id.into(), log, created_at: Micros(0), edge })
    }

    /// Returns a log that came to a size with another root than was signed.
    pub fn broken(&self) -> Option<LogId> {
        self.broken.first().copied()
    }

    /// Returns the end of an account's log, where it has one.
    pub fn head(&self, account_id: &str) -> Option<&LogHead> {
        self.by_account.get(account_id).and_then(|place| self.all.get(*place)).map(|log| &log.head)
    }

    /// Returns the ends of all logs.
    pub fn heads(&self) -> impl Iterator<Item = &LogHead> {
        self.all.iter().map(|log| &log.head)
    }

    /// Appends the rows of batches that come next in the journal.
    ///
    /// `blocks` is asked for the blocks of secrets that are needed, all of a turn at once; it
    /// returns them, in that order, when they and the ones after them are durable.
    ///
    /// # Errors
    /// What `blocks` returns, and [`GrowError`], as what `from` makes of it, where the rows are not
    /// those that come next. Part of the entries may have been appended: after an error the logs are
    /// of no use any more.
    pub fn grow<E>(
        &mut self,
        id_key: &IdKey,
        batches: &[Arc<SequencedBatch>],
        mut blocks: impl FnMut(&[BlockId]) -> Result<Vec<SecretBlock>, E>,
        from: impl Fn(GrowError) -> E,
    ) -> Result<(), E> {
        let entries: Vec<(usize, EntryRef<'_>)> = batches
            .iter()
            .flat_map(|batch| batch.entries(id_key))
            .map(|entry| (self.place_of(entry.row.account_id()), entry))
            .collect();
        let mut rest = entries.as_slice();
        while !rest.is_empty() {
            self.supply(rest, &mut blocks)?;
            match self.grow_some(rest).map_err(&from)? {
                0 => return Err(from(self.without_secret(rest))),
                n_grown => rest = rest.get(n_grown..).unwrap_or_default(),
            }
        }
        Ok(())
    }

    /// Says that the first of these entries has no secret.
    fn without_secret(&self, entries: &[(usize, EntryRef<'_>)]) -> GrowError {
        let first = entries.first().and_then(|(place, _entry)| self.all.get(*place));
        let (log, index) = first.map_or((LogId(0), 0), |it| (it.head.log, it.head.edge.size()));
        GrowError::NoSecret { log, index }
    }

    /// Gets the secrets that the logs of these entries need to go on.
    fn supply<E>(
        &mut self,
        entries: &[(usize, EntryRef<'_>)],
        blocks: &mut impl FnMut(&[BlockId]) -> Result<Vec<SecretBlock>, E>,
    ) -> Result<(), E> {
        let mut places: Vec<usize> = entries
            .iter()
            .map(|(place, _entry)| *place)
            .filter(|place| self.all.get(*place).is_some_and(|log| !log.is_supplied()))
            .collect();
        places.sort_unstable();
        places.dedup();
        if places.is_empty() {
            return Ok(());
        }
        let wanted: Vec<BlockId> =
            places.iter().filter_map(|place| self.all.get(*place)).map(Log::next_block).collect();
        for (place, block) in places.into_iter().zip(blocks(&wanted)?) {
            let Some(log) = self.all.get_mut(place) else { continue };
            let leaf = u16::try_from(log.head.edge.size() % BLOCK_SECRETS).unwrap_or(0);
            log.secrets = Some(block.secrets_from(leaf));
        }
        Ok(())
    }

    /// Appends entries as long as there are secrets; returns how many.
    fn grow_some(&mut self, entries: &[(usize, EntryRef<'_>)]) -> Result<usize, GrowError> {
        let mut ready: Vec<(EntryRef<'_>, Secret)> = Vec::with_capacity(entries.len());
        for (place, entry) in entries {
            let Some(log) = self.all.get_mut(*place).filter(|log| log.is_supplied()) else {
                break;
            };
            let position = log.secrets.as_ref().map_or(0, Secrets::position);
            let secret = log.secrets.as_mut().and_then(Iterator::next).flatten();
            // A secret that was forgotten is of a leaf that was there before.
            let is_next = u64::from(position) == entry.stamp.seq % BLOCK_SECRETS;
            match secret {
                _ if !is_next => return Err(log.not_next(entry)),
                Some(secret) => ready.push((*entry, secret)),
                None => {
                    let index = entry.stamp.seq;
                    return Err(GrowError::NoSecret { log: log.head.log, index });
                }
            }
        }
        let mut hashes = std::mem::take(&mut self.hashes);
        self.leaf_batch.hashes(&ready, &mut hashes);
        for ((place, entry), hash) in entries.iter().zip(&hashes) {
            self.append(*place, entry, *hash)?;
        }
        self.hashes = hashes;
        Ok(ready.len())
    }

    fn append(&mut self, place: usize, entry: &EntryRef<'_>, leaf: Hash) -> Result<(), GrowError> {
        let Some(log) = self.all.get_mut(place) else { return Ok(()) };
        if log.head.edge.size() != entry.stamp.seq {
            return Err(log.not_next(entry));
        }
        if entry.stamp.created_at < log.head.created_at {
            return Err(GrowError::Earlier { log: log.head.log, index: entry.stamp.seq });
        }
        let (id, tiles) = (log.head.log, &mut self.tiles);
        log.head.edge.append(leaf, |subtree: Subtree, hash| {
            if subtree.level.is_multiple_of(TILE_LEVELS) {
                let level = subtree.level / TILE_LEVELS;
                tiles.push(TileHash { log: id, level, index: subtree.index, hash });
            }
        });
        log.head.created_at = entry.stamp.created_at;
        if log.comes_wrong() {
            self.broken.push(id);
        }
        if !std::mem::replace(&mut log.is_unsigned, true) {
            self.unsigned.push(place);
        }
        if !std::mem::replace(&mut log.is_unmarked, true) {
            self.unmarked.push(place);
        }
        Ok(())
    }

    /// Returns what changed since the last mark, and marks here: whoever takes it commits it, or
    /// drops these logs.
    pub fn mark(&mut self) -> Growth {
        let mut heads = Vec::with_capacity(self.unmarked.len());
        for place in std::mem::take(&mut self.unmarked) {
            let Some(log) = self.all.get_mut(place) else { continue };
            log.is_unmarked = false;
            heads.push(log.head.clone());
        }
        Growth { heads, tiles: std::mem::take(&mut self.tiles) }
    }

    /// Returns the hashes above level 0 that are complete since the last mark.
    pub fn tiles(&self) -> &[TileHash] {
        &self.tiles
    }

    /// Tells whether a log grew since it was last signed.
    pub fn has_unsigned(&self) -> bool {
        !self.unsigned.is_empty()
    }

    /// Returns the ends of up to `n_max` logs that grew since they were last signed, and takes them
    /// for signed: those that changed first come first.
    pub fn take_unsigned(&mut self, n_max: usize) -> Vec<LogHead> {
        let n_taken = n_max.min(self.unsigned.len());
        let mut heads = Vec::with_capacity(n_taken);
        for place in self.unsigned.drain(..n_taken) {
            let Some(log) = self.all.get_mut(place) else { continue };
            log.is_unsigned = false;
            heads.push(log.head.clone());
        }
        heads
    }
}

impl Log {
    /// Tells whether the log has the size that was signed, and another root.
    fn comes_wrong(&mut self) -> bool {
        let edge = &self.head.edge;
        let reached = self.expected.take_if(|(size, _root)| edge.size() >= *size);
        reached.is_some_and(|(size, root)| edge.size() != size || edge.root() != root)
    }

    fn not_next(&self, entry: &EntryRef<'_>) -> GrowError {
        let expected = self.head.edge.size();
        GrowError::NotNext { log: self.head.log, expected, found: entry.stamp.seq }
    }
}
