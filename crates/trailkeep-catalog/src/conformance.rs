//! What every catalog must do, as one suite that each implementation runs, with the samples that
//! it is made of.

#![expect(clippy::unwrap_used, reason = "test code: a failure ends the test that runs the suite")]

mod access;
mod lease;
mod sample;
mod seal;
mod swap;

pub use self::sample::{account, cut, head, identity, key, lease, run, seal, segment};
use crate::Catalog;

/// Runs the suite; `make` returns an empty catalog each time.
///
/// # Panics
/// Where the catalog does not do what it must.
pub async fn conformance<C, F>(make: F)
where
    C: Catalog,
    F: AsyncFn() -> C,
{
    access::the_identity_is_drawn_once(&make().await).await;
    access::a_key_is_revoked_once(&make().await).await;
    access::a_setting_is_replaced(&make().await).await;
    lease::one_owner_at_a_time(&make().await).await;
    lease::a_lease_is_renewed_and_given_back_by_its_holder_only(&make().await).await;
    seal::a_seal_moves_everything(&make().await).await;
    seal::a_zombie_is_fenced(&make().await).await;
    seal::a_stale_seal_changes_nothing(&make().await).await;
    seal::a_wrong_seal_changes_nothing(&make().await).await;
    seal::a_taken_slug_does_not_stop_a_seal(&make().await).await;
    seal::a_seal_of_many_accounts_is_like_any_other(&make().await).await;
    swap::a_swap_replaces_segments(&make().await).await;
    swap::a_swap_replaces_runs(&make().await).await;
    swap::a_wrong_swap_changes_nothing(&make().await).await;
    swap::garbage_is_forgotten_when_it_is_removed(&make().await).await;
}
