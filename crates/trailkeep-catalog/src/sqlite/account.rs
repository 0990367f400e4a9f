//! The accounts that a seal brings, many with one statement.

use std::collections::HashSet;

use sqlx::{QueryBuilder, Sqlite};

use super::work::Work;
use crate::account::{no_slug, slug_candidates};
use crate::limits::STATEMENT_ROWS_MAX;
use crate::{AccountRecord, Result};

/// Adds the accounts that do not exist; costs one statement for
/// [`STATEMENT_ROWS_MAX`](crate::limits::STATEMENT_ROWS_MAX) new ones, two for old ones, and more
/// for each whose slug is taken.
pub(super) async fn add_accounts(work: &mut Work, accounts: &[AccountRecord]) -> Result<()> {
    for accounts in accounts.chunks(STATEMENT_ROWS_MAX) {
        let n_added = insert(work, accounts).await?;
        if usize::try_from(n_added) == Ok(accounts.len()) {
            continue;
        }
        let stored = stored(work, accounts).await?;
        for account in accounts.iter().filter(|account| !stored.contains(&account.account_id)) {
            add_under_another_slug(work, account).await?;
        }
    }
    Ok(())
}

async fn add_under_another_slug(work: &mut Work, account: &AccountRecord) -> Result<()> {
    for slug in slug_candidates(&account.slug).skip(1) {
        if insert(work, &[AccountRecord { slug, ..account.clone() }]).await? == 1 {
            return Ok(());
        }
    }
    Err(no_slug(account))
}

/// Adds the accounts whose id and slug are free, and returns how many they were.
async fn insert(work: &mut Work, accounts: &[AccountRecord]) -> Result<u64> {
    let mut insert =
        QueryBuilder::<Sqlite>::new("INSERT INTO accounts (account_id, slug, name, created_at) ");
    insert.push_values(accounts, |mut row, account| {
        row.push_bind(&*account.account_id)
            .push_bind(&*account.slug)
            .push_bind(account.name.as_deref())
            .push_bind(account.created_at.0);
    });
    insert.push(" ON CONFLICT DO NOTHING");
    work.run(insert.build()).await
}

/// Returns which of the accounts are stored.
async fn stored(work: &mut Work, accounts: &[AccountRecord]) -> Result<HashSet<String>> {
    let mut find =
        QueryBuilder::<Sqlite>::new("SELECT account_id FROM accounts WHERE account_id IN (");
    let mut ids = find.separated(", ");
    for account in accounts {
        ids.push_bind(&*account.account_id);
    }
    ids.push_unseparated(")");
    let found: Vec<(String,)> = work.rows(find.build_query_as()).await?;
    Ok(found.into_iter().map(|(account_id,)| account_id).collect())
}
