//! Promise 8: what a scope does not cover does not exist.

use proptest::prelude::*;
use trailkeep_event::{Entry, Field, Fields};
use trailkeep_query::{FacetRequest, FieldPath, Order};
use trailkeep_scope::{Allow, ReadScope};
use trailkeep_testkit::EventMaker;

use crate::world::{START, World, request};

/// What an entry says but for its identifier and place, which the others' entries move.
fn said(entries: &[Entry]) -> Vec<(Vec<u8>, u64)> {
    entries.iter().map(|entry| (entry.row.as_bytes().to_vec(), entry.stamp.seq)).collect()
}

fn build(steps: &[(usize, u8)], seed: u64, keep: impl Fn(&str) -> bool) -> World {
    let mut world = World::new();
    let mut maker = EventMaker::new(seed).with_accounts(6);
    for (n_events, then) in steps {
        let events: Vec<String> =
            maker.by_ref().take(*n_events).filter(|event| keep(event)).collect();
        world.write(&events, START + 1_000_000_000);
        if *then == 0 && world.shelf.tail_rows() > 0 {
            world.seal();
        }
        if *then == 1 && world.shelf.view().sealed.len() > 1 {
            world.compact();
        }
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// A reader of half of the accounts gets what a store would answer that never had the others.
    #[test]
    fn the_others_leave_no_trace(
        seed in 0_u64..1000,
        steps in prop::collection::vec((1_usize..40, 0_u8..3), 1..6),
        query in prop::sample::select(&["", "status:>=400", "license", "-outcome:success"][..]),
        limit in 1_usize..30,
    ) {
        let allowed = ["account-0", "account-2", "account-4"];
        let accounts = Allow::only(allowed);
        let scope = ReadScope { accounts, ..ReadScope::everything() };
        let mut all = build(&steps, seed, |_| true);
        let mut half = build(&steps, seed, |event| allowed.iter().any(|id| event.contains(id)));
        let request = request(query, Order::Descending, limit);
        let (entries, totals) = all.walk(&scope, &request, |_, _| {});
        let everything = ReadScope::everything();
        let (expected, expected_totals) = half.walk(&everything, &request, |_, _| {});
        prop_assert_eq!(said(&entries), said(&expected));
        prop_assert_eq!(totals, expected_totals);

        let fields = ["account_id", "action", "status", "actor_id", "metadata.sdk"];
        let fields = fields.map(|name| FieldPath::parse(name).unwrap()).to_vec();
        let ask = FacetRequest { filter: request.filter, from: None, to: None, fields, limit };
        let facets = all.engine.facets(&scope, &ask).unwrap();
        prop_assert_eq!(facets, half.engine.facets(&everything, &ask).unwrap());
        let names = all.engine.complete_fields(&scope, "").unwrap();
        prop_assert_eq!(names, half.engine.complete_fields(&everything, "").unwrap());

        for entry in &all.entries {
            let found = all.engine.get(&scope, entry.stamp.id).unwrap();
            let covered = allowed.contains(&entry.text(Field::AccountId).unwrap());
            prop_assert_eq!(found.as_ref(), covered.then_some(entry));
        }
    }
}

#[test]
fn a_scope_of_categories_holds_for_lists_totals_and_single_entries() {
    let mut world = World::new();
    world.write(&EventMaker::new(3).take(300).collect::<Vec<_>>(), START + 1_000_000_000);
    let categories = Allow::only(["auth"]);
    let scope = ReadScope { categories, ..ReadScope::everything() };
    for sealed in [false, true] {
        if sealed {
            world.seal();
        }
        for query in ["", "category:api", "category:auth", "status:200"] {
            let request = request(query, Order::Ascending, 1000);
            let expected = world.expected(&scope, &request);
            let page = world.engine.list(&scope, &request).unwrap();
            assert_eq!(page.entries, expected, "{query}, sealed: {sealed}");
            assert_eq!(page.total, u64::try_from(expected.len()).ok(), "{query}");
        }
        for entry in &world.entries {
            let found = world.engine.get(&scope, entry.stamp.id).unwrap();
            assert_eq!(found.is_some(), entry.text(Field::Category) == Some("auth"));
        }
    }
}
