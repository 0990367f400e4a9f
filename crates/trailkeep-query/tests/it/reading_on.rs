//! A reader that fell behind reads on by position.

use proptest::prelude::*;
use trailkeep_event::{Cut, Entry, Position};
use trailkeep_filter::Filter;
use trailkeep_query::Stretch;
use trailkeep_scope::{Allow, ReadScope};
use trailkeep_testkit::EventMaker;

use crate::world::{START, World};

fn write(world: &mut World, maker: &mut EventMaker, n_events: usize) {
    let events: Vec<String> = maker.by_ref().take(n_events).collect();
    world.write(&events, START + 100_000_000);
}

/// Reads a stretch to its end, doing something between the steps.
fn read(
    world: &mut World,
    (scope, filter): (&ReadScope, &Filter),
    (from, to): (Cut, Cut),
    mut between: impl FnMut(&mut World),
) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut rest = Some(Stretch::new(from, to));
    while let Some(stretch) = rest {
        let (more, behind) = world.engine.read_on(scope, filter, &stretch).unwrap();
        assert!(behind.is_none() || !more.is_empty(), "a step that leads nowhere");
        entries.extend(more);
        rest = behind;
        between(world);
    }
    entries
}

fn expected(
    world: &World,
    scope: &ReadScope,
    filter: &Filter,
    (from, to): (Cut, Cut),
) -> Vec<Entry> {
    let inside = |position: Position| !from.covers(position) && to.covers(position);
    let mut entries = world.entries.clone();
    entries.retain(|entry| {
        inside(entry.stamp.position) && scope.covers(entry) && filter.matches(entry)
    });
    entries.sort_by_key(|entry| entry.stamp.position);
    entries
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// Each entry between two moments comes once and in order, wherever it is by then.
    #[test]
    fn a_stretch_is_what_became_durable_meanwhile(
        seed in 0_u64..1000,
        steps in prop::collection::vec((1_usize..200, 0_u8..4), 2..7),
        query in prop::sample::select(&["", "status:>=400", "license"][..]),
        scoped: bool,
    ) {
        let (mut world, mut maker) = (World::new(), EventMaker::new(seed).with_accounts(6));
        let mut cuts = vec![world.engine.end()];
        for (n_events, then) in &steps {
            write(&mut world, &mut maker, *n_events);
            cuts.push(world.engine.end());
            if *then == 0 {
                world.seal();
            }
            if *then == 1 && world.shelf.view().sealed.len() > 1 {
                world.compact();
            }
        }
        let mut scope = ReadScope::everything();
        if scoped {
            scope.accounts = Allow::only(["account-0", "account-1", "account-3"]);
        }
        let filter = Filter::parse(query).unwrap();
        for window in [(0, cuts.len() - 1), (1, cuts.len() - 1), (0, 1), (1, 2), (1, 1)] {
            let window = (cuts[window.0], cuts[window.1]);
            let expected = expected(&world, &scope, &filter, window);
            // What is written and sealed while it is read changes nothing.
            let found = read(&mut world, (&scope, &filter), window, |world| {
                write(world, &mut maker, 3);
                world.seal();
            });
            prop_assert_eq!(found, expected);
        }
    }
}
