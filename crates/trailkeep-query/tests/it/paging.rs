//! A walk over pages meets each entry of its first page's moment exactly once, whatever happens
//! meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use proptest::prelude::*;
use trailkeep_event::{EventId, Micros};
use trailkeep_query::Order;
use trailkeep_scope::ReadScope;
use trailkeep_testkit::EventMaker;

use crate::world::{START, World, engine, event, request, tags};

const ORDERS: [Order; 2] = [Order::Ascending, Order::Descending];
const ACCOUNTS: [&str; 3] = ["acme", "globex", "initech"];

/// Events of one microsecond, in a tail and two segments.
fn world_of_ties(n_events: usize) -> World {
    let mut world = World::new();
    for n in 0..n_events {
        world.write(&[event(ACCOUNTS[n % 3], 5, &n.to_string())], START + 9);
        if n == n_events / 3 || n == n_events / 2 {
            world.seal();
        }
    }
    world
}

/// 110 events in one microsecond, pages of 1, 20 and 100, while more events of that microsecond
/// arrive, and are sealed and compacted, between the pages.
#[test]
fn a_walk_neither_skips_nor_repeats_while_events_arrive() {
    let scope = ReadScope::everything();
    for order in ORDERS {
        for limit in [1, 20, 100] {
            let mut world = world_of_ties(110);
            let request = request("", order, limit);
            let expected = world.expected(&scope, &request);
            let (entries, totals) = world.walk(&scope, &request, |world, n_pages| {
                world.write(&[event(ACCOUNTS[n_pages % 3], 5, "late")], START + 10);
                match n_pages % 5 {
                    1 => world.seal(),
                    3 => world.compact(),
                    _ => {}
                }
            });
            assert_eq!(tags(&entries), tags(&expected), "{order:?}, pages of {limit}");
            assert_eq!(entries, expected);
            assert_eq!(totals, vec![110; 110_usize.div_ceil(limit)], "{order:?}, {limit}");
        }
    }
}

/// The same against a writer on another thread, which never pauses.
#[test]
fn a_walk_is_of_one_moment_under_a_concurrent_writer() {
    let mut world = world_of_ties(110);
    let engine = engine(&world.shelf, 1);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let done = &done;
        scope.spawn(move || {
            for n in 0_usize.. {
                if done.load(Ordering::Relaxed) || n == 120 {
                    break;
                }
                world.write(&[event(ACCOUNTS[n % 3], 5, "late")], START + 10);
                world.seal();
                if n % 4 == 3 {
                    world.compact();
                }
            }
        });
        for order in ORDERS {
            let mut request = request("", order, 7);
            let mut ids: Vec<EventId> = Vec::new();
            let mut total = None;
            loop {
                let page = engine.list(&ReadScope::everything(), &request).unwrap();
                ids.extend(page.entries.iter().map(|entry| entry.stamp.id));
                assert_eq!(*total.get_or_insert(page.total), page.total);
                let Some(cursor) = page.next_cursor else { break };
                request.cursor = Some(cursor);
            }
            let n_walked = u64::try_from(ids.len()).unwrap();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(u64::try_from(ids.len()).unwrap(), n_walked, "nothing twice");
            assert_eq!(Some(Some(n_walked)), total, "as many as the total says");
        }
        done.store(true, Ordering::Relaxed);
    });
}

/// An entry is visible as soon as it is written, sealed or not.
#[test]
fn a_new_walk_sees_what_arrived() {
    let mut world = world_of_ties(6);
    world.write(&[event("acme", 6, "new")], START + 10);
    let request = request("", Order::Descending, 1);
    let page = world.engine.list(&ReadScope::everything(), &request).unwrap();
    assert_eq!((tags(&page.entries), page.total), (vec!["new"], Some(7)));
}

/// Skewed entries sort at `created_at`, on pages as in windows.
#[test]
fn a_skewed_entry_is_listed_at_the_time_it_was_admitted() {
    let minutes = |n: i64| n * 60_000_000;
    let mut world = World::new();
    world.write(&[event("acme", minutes(60), "skewed"), event("acme", 5, "old")], START + 10);
    world.write(&[event("acme", 20, "later")], START + 30);
    for sealed in [false, true] {
        if sealed {
            world.seal();
        }
        let mut request = request("", Order::Ascending, 2);
        let everything = ReadScope::everything();
        let (entries, _) = world.walk(&everything, &request, |_, _| {});
        assert_eq!(tags(&entries), ["old", "skewed", "later"], "sealed: {sealed}");
        (request.from, request.to) = (Some(Micros(START + 10)), Some(Micros(START + 20)));
        let (entries, totals) = world.walk(&everything, &request, |_, _| {});
        assert_eq!((tags(&entries), totals), (vec!["skewed"], vec![1]), "sealed: {sealed}");
    }
}

const QUERIES: [&str; 8] = [
    "",
    "category:api",
    "status:>=400",
    "account_id:account-1",
    "-outcome:success",
    "path:/api/v1/licenses*",
    "license",
    "outcome:denied account_id:account-0",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Any walk over any shelf is the filtered and sorted list of everything.
    #[test]
    fn a_walk_is_the_filtered_list(
        seed in 0_u64..1000,
        steps in prop::collection::vec((1_usize..30, 0_u8..4), 1..6),
        query in prop::sample::select(&QUERIES[..]),
        limit in 1_usize..40,
        newest_first: bool,
        window in prop::option::of((0_i64..60, 0_i64..60)),
    ) {
        let mut world = World::new();
        let mut maker = EventMaker::new(seed);
        for (n_events, then) in steps {
            let events: Vec<String> = maker.by_ref().take(n_events).collect();
            world.write(&events, START + 100_000_000);
            match then {
                0 => world.seal(),
                1 => {
                    world.seal();
                    world.compact();
                }
                _ => {}
            }
        }
        let order = if newest_first { Order::Descending } else { Order::Ascending };
        let mut request = request(query, order, limit);
        if let Some((from, len)) = window {
            request.from = Some(Micros(START + from * 1_000_000));
            request.to = Some(Micros(START + (from + len) * 1_000_000));
        }
        let scope = ReadScope::everything();
        let expected = world.expected(&scope, &request);
        let (entries, totals) = world.walk(&scope, &request, |_, _| {});
        prop_assert_eq!(tags(&entries), tags(&expected));
        prop_assert_eq!(&entries, &expected);
        let total = u64::try_from(expected.len()).unwrap();
        prop_assert!(totals.iter().all(|of_page| *of_page == total));
    }
}

/// An event with some bytes in it, as many as a page has room for 128 of.
fn large(micros: i64, tag: &str) -> String {
    let filler = "x".repeat(63 * 1024);
    event("acme", micros, tag).replace('}', &format!(",\"request_body\":\"{filler}\"}}"))
}

/// "Every page has a limit": in bytes too, and it hides nothing.
#[test]
fn a_page_ends_before_it_holds_too_many_bytes() {
    let mut world = World::new();
    // Small ones first in either order: that the next ones are large is not known beforehand.
    for n in 0..400 {
        let tag = n.to_string();
        let is_small = !(10..390).contains(&n);
        let one = if is_small { event("acme", n, &tag) } else { large(n, &tag) };
        world.write(&[one], START + 1000);
        if n == 200 {
            world.seal();
        }
    }
    let scope = ReadScope::everything();
    let bytes = |page: &trailkeep_query::Page| -> usize {
        page.entries.iter().map(|entry| entry.row.as_bytes().len()).sum()
    };
    for order in ORDERS {
        let mut request = request("", order, 1000);
        let expected = world.expected(&scope, &request);
        let (mut entries, mut n_pages) = (Vec::new(), 0);
        loop {
            let page = world.engine.list(&scope, &request).unwrap();
            assert!(bytes(&page) <= trailkeep_query::Page::BYTES_MAX);
            assert_eq!(page.total, Some(400), "the total is of everything");
            n_pages += 1;
            entries.extend(page.entries);
            let Some(cursor) = page.next_cursor else { break };
            request.cursor = Some(cursor);
        }
        assert_eq!(tags(&entries), tags(&expected), "{order:?}");
        assert_eq!(n_pages, 3, "24 MiB are three pages");
    }
}
