//! Leases, each change in one statement.

use std::time::Duration;

use trailkeep_event::Micros;

use super::row::{number, stored};
use super::work::Work;
use crate::lease::lease_end;
use crate::{Lease, Result};

pub(super) async fn acquire(
    work: &mut Work,
    resource: &str,
    owner: &str,
    now: Micros,
    ttl: Duration,
) -> Result<Option<Lease>> {
    const ACQUIRE: &str = "INSERT INTO leases (resource, owner, epoch, until_at)
        VALUES ($1, $2, 1, $3)
        ON CONFLICT (resource) DO UPDATE
        SET owner = excluded.owner, epoch = leases.epoch + 1, until_at = excluded.until_at
        WHERE leases.owner IS NULL OR leases.owner = excluded.owner OR leases.until_at <= $4
        RETURNING epoch";
    let until = lease_end(now, ttl);
    let rows = sqlx::query_as(ACQUIRE).bind(resource).bind(owner).bind(until.0).bind(now.0);
    let Some((epoch,)) = work.row::<(i64,)>(rows).await? else { return Ok(None) };
    let (resource, owner) = (resource.to_owned(), owner.to_owned());
    Ok(Some(Lease { resource, owner, epoch: number(epoch)?, until }))
}

pub(super) async fn renew(
    work: &mut Work,
    lease: &Lease,
    now: Micros,
    ttl: Duration,
) -> Result<Option<Lease>> {
    const RENEW: &str =
        "UPDATE leases SET until_at = $1 WHERE resource = $2 AND owner = $3 AND epoch = $4";
    let until = lease_end(now, ttl);
    let renew = sqlx::query(RENEW)
        .bind(until.0)
        .bind(&lease.resource)
        .bind(&lease.owner)
        .bind(stored(lease.epoch)?);
    let n_renewed = work.run(renew).await?;
    Ok((n_renewed == 1).then(|| Lease { until, ..lease.clone() }))
}

pub(super) async fn release(work: &mut Work, lease: &Lease) -> Result<()> {
    const RELEASE: &str =
        "UPDATE leases SET owner = NULL WHERE resource = $1 AND owner = $2 AND epoch = $3";
    let release =
        sqlx::query(RELEASE).bind(&lease.resource).bind(&lease.owner).bind(stored(lease.epoch)?);
    work.run(release).await.map(|_| ())
}

/// Tells whether a lease is the current one, and keeps it so until the transaction ends: an
/// update that changes nothing locks the row, also where several transactions write at a time.
pub(super) async fn holds(work: &mut Work, lease: &Lease) -> Result<bool> {
    const FENCE: &str =
        "UPDATE leases SET epoch = epoch WHERE resource = $1 AND owner = $2 AND epoch = $3";
    let fence =
        sqlx::query(FENCE).bind(&lease.resource).bind(&lease.owner).bind(stored(lease.epoch)?);
    Ok(work.run(fence).await? == 1)
}
