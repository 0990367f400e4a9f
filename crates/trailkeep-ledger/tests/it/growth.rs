//! The trees are those of the entries, whatever the order of turns, seals and restarts.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::sync::Arc;

use trailkeep_event::{Batch, BatchWriter, IdKey, Micros, Partition, Row, SequencedBatch};
use trailkeep_ledger::{
    BlockId, GrowError, Growth, Heads, LeafBatch, LogHead, Logs, entry_leaf, leaf_kind, sequence,
};
use trailkeep_merkle::{Edge, Hash, LeafKind, LogId, Secret, SecretBlock};
use trailkeep_testkit::{EventMaker, row_of};

const LEDGER_KEY: [u8; 32] = [3; 32];

fn id_key() -> IdKey {
    IdKey::new([9; 16])
}

/// The block that a store would have drawn: one for each name.
fn block(id: &BlockId) -> SecretBlock {
    let mut seed = [0; 16];
    seed[..8].copy_from_slice(&id.log.0.to_be_bytes());
    seed[8..].copy_from_slice(&id.number.to_be_bytes());
    SecretBlock::new(Secret(seed))
}

fn batches(n_rows: usize, rows_each: usize) -> Vec<Arc<SequencedBatch>> {
    let (mut heads, mut frame) = (Heads::default(), 0);
    let rows: Vec<Row> =
        EventMaker::new(4).with_source_ids().take(n_rows).map(|line| row_of(&line)).collect();
    let batch = |rows: &[Row]| -> Batch {
        let mut writer = BatchWriter::new();
        for row in rows {
            writer.push(row.view());
        }
        writer.finish(Micros(1_000_000)).unwrap()
    };
    rows.chunks(rows_each)
        .map(|rows| {
            frame += 1;
            Arc::new(sequence(&mut heads, Partition::new(0).unwrap(), frame, batch(rows)))
        })
        .collect()
}

fn grow(logs: &mut Logs, batches: &[Arc<SequencedBatch>]) -> Result<(), GrowError> {
    let blocks = |wanted: &[BlockId]| Ok(wanted.iter().map(block).collect());
    logs.grow(&id_key(), batches, blocks, |error| error)
}

fn new() -> Logs {
    Logs::new(LEDGER_KEY, [], HashMap::new())
}

/// What the logs must be: each leaf made alone.
fn expected(batches: &[Arc<SequencedBatch>]) -> BTreeMap<String, Edge> {
    let mut edges: BTreeMap<String, Edge> = BTreeMap::new();
    for entry in batches.iter().flat_map(|batch| batch.entries(&KEY)) {
        let account = entry.row.account_id();
        let log = LogId::of_account(&LEDGER_KEY, account);
        let number = entry.stamp.seq >> 16;
        let leaf = u16::try_from(entry.stamp.seq & 0xffff).unwrap();
        let secret = block(&BlockId { log, number }).secret(leaf).unwrap();
        let leaf = entry_leaf(&entry.row, &entry.stamp, &secret);
        edges.entry(account.to_owned()).or_default().append(leaf.hash(), |_, _| {});
    }
    edges
}

static KEY: std::sync::LazyLock<IdKey> = std::sync::LazyLock::new(id_key);

fn edges(logs: &Logs) -> BTreeMap<String, Edge> {
    logs.heads().map(|head| (head.account_id.to_string(), head.edge.clone())).collect()
}

#[test]
fn many_at_once_are_the_same_as_one_by_one() {
    let batches = batches(3_000, 77);
    let mut logs = new();
    for turn in batches.chunks(5) {
        grow(&mut logs, turn).unwrap();
    }
    assert_eq!(edges(&logs), expected(&batches));
    let mut hashes = Vec::new();
    LeafBatch::default().hashes(&[], &mut hashes);
    assert!(hashes.is_empty());
}

#[test]
fn a_restart_goes_on_where_the_mark_was() {
    let batches = batches(2_000, 50);
    let (sealed, rest) = batches.split_at(13);
    let mut logs = new();
    grow(&mut logs, sealed).unwrap();
    let Growth { heads, tiles } = logs.mark();
    assert!(!heads.is_empty());
    grow(&mut logs, rest).unwrap();
    let behind = logs.mark();
    assert_eq!(logs.mark(), Growth::default(), "nothing changed since");

    let mut again = Logs::new(LEDGER_KEY, heads, HashMap::new());
    grow(&mut again, rest).unwrap();
    assert_eq!(edges(&again), edges(&logs));
    let mut later = again.mark();
    let sorted = |mut heads: Vec<LogHead>| {
        heads.sort_by(|a, b| a.account_id.cmp(&b.account_id));
        heads
    };
    assert_eq!(sorted(std::mem::take(&mut later.heads)), sorted(behind.heads));
    assert_eq!(later.tiles, behind.tiles);
    // Level 1 has a hash for each 256 leaves, before the mark or behind it.
    let n_tiles: u64 = logs.heads().map(|head| head.edge.size() / 256).sum();
    assert_eq!(u64::try_from(tiles.len() + later.tiles.len()).unwrap(), n_tiles);
}

#[test]
fn heads_are_signed_once_after_each_change() {
    let batches = batches(600, 100);
    let mut logs = new();
    assert!(!logs.has_unsigned());
    grow(&mut logs, &batches[..3]).unwrap();
    let n_logs = logs.heads().count();
    let first = logs.take_unsigned(2);
    assert_eq!(first.len(), 2);
    assert_eq!(first.len() + logs.take_unsigned(1_000).len(), n_logs);
    assert!(!logs.has_unsigned());
    grow(&mut logs, &batches[3..]).unwrap();
    let again: Vec<LogHead> = logs.take_unsigned(1_000);
    assert_eq!(again.len(), edges(&logs).len());
    // After a restart the heads that are there are signed again.
    let heads: Vec<LogHead> = logs.heads().cloned().collect();
    let mut restarted = Logs::new(LEDGER_KEY, heads, HashMap::new());
    assert_eq!(restarted.take_unsigned(1_000).len(), again.len());
}

/// T7, T1: what comes to a signed size with another root is found.
#[test]
fn a_log_that_was_signed_with_another_root_is_broken() {
    let batches = batches(400, 20);
    let mut logs = new();
    let mut signed = HashMap::new();
    for (n, batch) in batches.iter().enumerate() {
        grow(&mut logs, std::slice::from_ref(batch)).unwrap();
        if n == 10 {
            let head = |head: &LogHead| (head.log, (head.edge.size(), head.edge.root()));
            signed = logs.heads().map(head).collect();
        }
    }
    let check = |signed: HashMap<LogId, (u64, Hash)>| {
        let mut logs = Logs::new(LEDGER_KEY, [], signed);
        grow(&mut logs, &batches).unwrap();
        logs.broken()
    };
    assert_eq!(check(signed.clone()), None);
    let (log, (size, _root)) = signed.iter().next().map(|(log, head)| (*log, *head)).unwrap();
    signed.insert(log, (size, Hash::EMPTY_ROOT));
    assert_eq!(check(signed), Some(log));
}

#[test]
fn what_is_not_next_is_refused() {
    let batches = batches(40, 10);
    let mut logs = new();
    grow(&mut logs, &batches[..1]).unwrap();
    assert!(grow(&mut logs, &batches[2..]).is_err());
    let mut logs = new();
    grow(&mut logs, &batches[..1]).unwrap();
    assert!(grow(&mut logs, &batches[..1]).is_err());
    // Secrets that are missing are told, not waited for.
    let mut logs = new();
    let too_few = |_: &[BlockId]| Ok(Vec::new());
    let refused = logs.grow(&id_key(), &batches, too_few, |error| error);
    assert!(matches!(refused, Err(GrowError::NoSecret { .. })), "{refused:?}");
    // An error of the secrets leaves the logs as they were.
    let mut logs = new();
    let none = |_: &[BlockId]| Err("none");
    assert!(logs.grow(&id_key(), &batches, none, |_| "not next").is_err());
    assert!(!logs.has_unsigned());
    let fine = |wanted: &[BlockId]| Ok::<_, Infallible>(wanted.iter().map(block).collect());
    logs.grow(&id_key(), &batches, fine, |error| unreachable!("{error}")).unwrap();
}

#[test]
fn only_system_entries_are_more_than_events() {
    let kind = |category: &str, action: &str| {
        let mut builder = trailkeep_event::RowBuilder::default();
        builder.set(trailkeep_event::Field::Category, trailkeep_event::ValueRef::Text(category));
        builder.set(trailkeep_event::Field::Action, trailkeep_event::ValueRef::Text(action));
        builder.set(trailkeep_event::Field::AccountId, trailkeep_event::ValueRef::Text("a"));
        builder.set(trailkeep_event::Field::OccurredAt, trailkeep_event::ValueRef::Time(Micros(0)));
        leaf_kind(&builder.finish())
    };
    for (category, action, expected) in [
        ("api", "ledger.erased", LeafKind::Event),
        ("system", "ledger.erased", LeafKind::Erasure),
        ("system", "ledger.purged", LeafKind::Purge),
        ("system", "key.created", LeafKind::Configuration),
        ("system", "settings.logging", LeafKind::Configuration),
        ("system", "journal.tail_cut", LeafKind::Gap),
        ("system", "ledger.receipt", LeafKind::Receipt),
        ("system", "ledger.continued", LeafKind::Continuation),
        ("system", "ledger.anchored", LeafKind::Anchored),
        ("system", "keyring", LeafKind::Event),
    ] {
        assert_eq!(kind(category, action), expected, "{category} {action}");
    }
}
