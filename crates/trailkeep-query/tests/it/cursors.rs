//! Cursors are signed and belong to their query.

use trailkeep_event::Micros;
use trailkeep_query::{Error, ListRequest, Order};
use trailkeep_scope::ReadScope;

use crate::world::{START, World, engine, event, request};

#[test]
fn a_cursor_of_another_query_is_refused() {
    let mut world = World::new();
    let events: Vec<String> = (0..9).map(|n| event("acme", n, &n.to_string())).collect();
    world.write(&events, START);
    let everything = ReadScope::everything();
    let first = request("action:thing.done", Order::Descending, 4);
    let page = world.engine.list(&everything, &first).unwrap();
    let next = ListRequest { cursor: page.next_cursor.clone(), ..first };

    // The page's size and the total are the reader's to change.
    let same = ListRequest { limit: 2, include_total: false, ..next.clone() };
    assert_eq!(world.engine.list(&everything, &same).unwrap().entries.len(), 2);
    let others = [
        ("filter", ListRequest { filter: request("", next.order, 1).filter, ..next.clone() }),
        ("order", ListRequest { order: Order::Ascending, ..next.clone() }),
        ("from", ListRequest { from: Some(Micros(START)), ..next.clone() }),
        ("to", ListRequest { to: Some(Micros(START + 1)), ..next.clone() }),
    ];
    for (what, other) in others {
        let error = world.engine.list(&everything, &other).unwrap_err();
        assert!(matches!(error, Error::Cursor { .. }), "{what}: {error:?}");
        assert!(error.to_string().contains("another query"), "{what}: {error}");
    }
    let elsewhere = engine(&world.shelf, 2).list(&everything, &next).unwrap_err();
    assert!(matches!(elsewhere, Error::Cursor { .. }), "signed by another server");
}

/// A cursor opens nothing: the scope of the reader who shows it counts.
#[test]
fn a_cursor_gives_no_rights() {
    let mut world = World::new();
    let events: Vec<String> =
        (0..9).map(|n| event(["acme", "globex"][n % 2], 5, &n.to_string())).collect();
    world.write(&events, START);
    let mut request = request("", Order::Ascending, 2);
    request.cursor = world.engine.list(&ReadScope::everything(), &request).unwrap().next_cursor;
    let scope =
        ReadScope { accounts: trailkeep_scope::Allow::only(["globex"]), ..ReadScope::everything() };
    request.limit = 9;
    let page = world.engine.list(&scope, &request).unwrap();
    assert_eq!((page.entries.len(), page.total), (4, Some(4)));
}
