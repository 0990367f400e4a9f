//! Identity, keys and settings.

use trailkeep_event::Micros;
use trailkeep_scope::{Allow, ReadScope};

use super::{identity, key};
use crate::{Catalog, Error, KeyRecord, SETTING_BYTES_MAX};

pub(super) async fn the_identity_is_drawn_once(catalog: &dyn Catalog) {
    let first = identity("first", 1);
    assert_eq!(catalog.identity(&first).await.unwrap(), first);
    assert_eq!(catalog.identity(&identity("second", 2)).await.unwrap(), first);
}

pub(super) async fn a_key_is_revoked_once(catalog: &dyn Catalog) {
    let all = key("all", 1);
    let read = ReadScope { accounts: Allow::only(["acme"]), categories: Allow::All };
    let some = KeyRecord {
        read: Some(read),
        write: None,
        operator: false,
        expires_at: None,
        ..key("a", 2)
    };
    catalog.create_key(&some).await.unwrap();
    catalog.create_key(&all).await.unwrap();
    for taken in [key("all", 3), key("other", 1)] {
        let refused = catalog.create_key(&taken).await;
        assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
    }
    assert_eq!(catalog.keys().await.unwrap(), [all.clone(), some.clone()]);

    assert!(catalog.revoke_key("all", Micros(50)).await.unwrap());
    assert!(!catalog.revoke_key("all", Micros(60)).await.unwrap());
    assert!(!catalog.revoke_key("unknown", Micros(60)).await.unwrap());
    let revoked = KeyRecord { revoked_at: Some(Micros(50)), ..all };
    assert_eq!(catalog.keys().await.unwrap(), [revoked, some]);
}

pub(super) async fn a_setting_is_replaced(catalog: &dyn Catalog) {
    assert_eq!(catalog.setting("logging").await.unwrap(), None);
    for value in ["{}", "", "{\"a\":1}"] {
        catalog.set_setting("logging", value).await.unwrap();
        assert_eq!(catalog.setting("logging").await.unwrap().as_deref(), Some(value));
    }
    let long = "x".repeat(SETTING_BYTES_MAX + 1);
    let refused = catalog.set_setting("logging", &long).await;
    assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
}
