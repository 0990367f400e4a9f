//! From the journal's order to log indexes.

use trailkeep_event::{Batch, Partition, SequencedBatch};

use crate::Heads;

/// Gives each row of a frame its index in its account's log, and moves the heads.
///
/// Frames of a partition are given in order, each once. Costs one hash look-up a row.
pub fn sequence(
    heads: &mut Heads,
    partition: Partition,
    frame: u64,
    batch: Batch,
) -> SequencedBatch {
    let created_at = batch.created_at();
    let seqs: Box<[u64]> =
        batch.rows().map(|row| heads.append(row.row.account_id(), created_at)).collect();
    assert_eq!(seqs.len(), batch.n_rows(), "every row has an index");
    SequencedBatch { partition, frame, batch, seqs }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trailkeep_event::{BatchWriter, Field, Micros, RowBuilder, ValueRef};

    fn batch(accounts: &[&str]) -> Batch {
        let mut writer = BatchWriter::new();
        for account in accounts {
            let mut builder = RowBuilder::default();
            builder.set(Field::AccountId, ValueRef::Text(account));
            builder.set(Field::Action, ValueRef::Text("x"));
            builder.set(Field::OccurredAt, ValueRef::Time(Micros(0)));
            writer.push(builder.finish().view());
        }
        writer.finish(Micros(5)).unwrap()
    }

    #[test]
    fn indexes_follow_the_order_of_the_journal() {
        let partition = Partition::new(0).unwrap();
        let mut heads = Heads::default();
        let first = sequence(&mut heads, partition, 0, batch(&["a", "b", "a"]));
        let second = sequence(&mut heads, partition, 1, batch(&["a", "c"]));
        assert_eq!(first.seqs.as_ref(), [0, 0, 1]);
        assert_eq!(second.seqs.as_ref(), [2, 0]);
        assert_eq!(heads.get("a").size, 3);
        assert_eq!(heads.get("a").created_at, Micros(5));
        assert_eq!(heads.n_accounts(), 3);
    }
}
