//! Leases.

use std::time::Duration;

use trailkeep_event::Micros;

use crate::Catalog;

const TTL: Duration = Duration::from_micros(100);

pub(super) async fn one_owner_at_a_time(catalog: &dyn Catalog) {
    // (owner, now) and the epoch that it gets
    let cases = [
        ("a", 0, Some(1)),
        ("b", 99, None),
        ("a", 50, Some(2)),
        ("b", 149, None),
        ("b", 150, Some(3)),
        ("a", 200, None),
    ];
    for (owner, now, epoch) in cases {
        let lease = catalog.acquire("builder", owner, Micros(now), TTL).await.unwrap();
        assert_eq!(lease.as_ref().map(|lease| lease.epoch), epoch, "{owner} at {now}");
        assert!(lease.is_none_or(|lease| lease.owner == owner && lease.until == Micros(now + 100)));
    }
    let other = catalog.acquire("forwarder", "a", Micros(200), TTL).await.unwrap();
    assert_eq!(other.unwrap().epoch, 1, "resources do not share leases");
}

pub(super) async fn a_lease_is_renewed_and_given_back_by_its_holder_only(catalog: &dyn Catalog) {
    let old = catalog.acquire("builder", "a", Micros(0), TTL).await.unwrap().unwrap();
    let lease = catalog.acquire("builder", "a", Micros(0), TTL).await.unwrap().unwrap();
    assert_eq!(catalog.renew(&old, Micros(10), TTL).await.unwrap(), None);
    let renewed = catalog.renew(&lease, Micros(10), TTL).await.unwrap().unwrap();
    assert_eq!((renewed.epoch, renewed.until), (2, Micros(110)));

    catalog.release(&old).await.unwrap();
    assert_eq!(catalog.acquire("builder", "b", Micros(20), TTL).await.unwrap(), None);
    catalog.release(&renewed).await.unwrap();
    assert_eq!(catalog.renew(&renewed, Micros(20), TTL).await.unwrap(), None);
    let next = catalog.acquire("builder", "b", Micros(20), TTL).await.unwrap();
    assert_eq!(next.unwrap().epoch, 3, "an epoch is never given out again");
}
