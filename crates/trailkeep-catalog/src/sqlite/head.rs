//! The heads that a seal moves, many with one statement.

use std::slice;

use sqlx::{QueryBuilder, Sqlite};

use super::row::stored;
use super::work::Work;
use crate::limits::STATEMENT_ROWS_MAX;
use crate::seal::SEAL;
use crate::{Error, HeadRecord, Result};

/// Moves the heads; costs one statement for
/// [`STATEMENT_ROWS_MAX`](crate::limits::STATEMENT_ROWS_MAX) of them.
pub(super) async fn move_heads(work: &mut Work, heads: &[HeadRecord]) -> Result<()> {
    for heads in heads.chunks(STATEMENT_ROWS_MAX) {
        if !move_all(work, heads).await? {
            return Err(would_shrink(work, heads).await?);
        }
    }
    Ok(())
}

/// Names the log that would shrink: a head that was moved already may be moved again.
async fn would_shrink(work: &mut Work, heads: &[HeadRecord]) -> Result<Error> {
    for head in heads {
        if !move_all(work, slice::from_ref(head)).await? {
            let detail = format!("the log of `{}` would shrink", head.account_id);
            return Ok(Error::invalid(SEAL, detail));
        }
    }
    Ok(Error::damaged("a head could be moved alone, but not with others"))
}

/// Moves heads; `false`, with some of them moved, where one would move back.
async fn move_all(work: &mut Work, heads: &[HeadRecord]) -> Result<bool> {
    const MOVE: &str = " ON CONFLICT (account_id) DO UPDATE
        SET n_entries = excluded.n_entries, created_at = excluded.created_at
        WHERE heads.n_entries <= excluded.n_entries AND heads.created_at <= excluded.created_at";
    let sizes = heads.iter().map(|head| stored(head.size)).collect::<Result<Vec<i64>>>()?;
    let mut insert =
        QueryBuilder::<Sqlite>::new("INSERT INTO heads (account_id, n_entries, created_at) ");
    insert.push_values(heads.iter().zip(sizes), |mut row, (head, size)| {
        row.push_bind(&*head.account_id).push_bind(size).push_bind(head.created_at.0);
    });
    insert.push(MOVE);
    let n_moved = work.run(insert.build()).await?;
    Ok(usize::try_from(n_moved) == Ok(heads.len()))
}
