//! Histograms against the same made slowly.

use std::collections::BTreeMap;

use trailkeep_analyze::{Cell, GroupBy, Histogram, HistogramRequest, SeriesOf, Step};
use trailkeep_event::Micros;
use trailkeep_filter::Filter;
use trailkeep_scope::ReadScope;

use crate::naive;
use crate::world::{OPTIONS, START, World};

fn asked(q: &str, split: Option<&str>) -> HistogramRequest {
    HistogramRequest {
        filter: Filter::parse(q).unwrap(),
        from: None,
        to: None,
        step: None,
        split: split.map(|name| GroupBy::parse(name).unwrap()),
        limit: 10,
    }
}

fn run(world: &World, request: &HistogramRequest) -> Histogram {
    world.analyzer(OPTIONS).histogram(&ReadScope::everything(), request).unwrap()
}

/// Checks every bucket of every series.
fn check(world: &World, request: &HistogramRequest, split: Option<&str>) -> Histogram {
    let found = run(world, request);
    let mut expected: BTreeMap<(String, String), (u64, u64)> = BTreeMap::new();
    for entry in &world.entries {
        let at = entry.view().sort_at();
        let inside = request.from.is_none_or(|from| at >= from)
            && request.to.is_none_or(|to| at < to)
            && request.filter.matches(entry);
        if inside {
            let value = split.map_or("all".into(), |name| naive::value(entry, name));
            let start = found.step.floor(at).to_string();
            let slot = expected.entry((value.to_string(), start)).or_default();
            slot.0 += 1;
            slot.1 += naive::weight(entry);
        }
    }
    let rows: u64 = expected.values().map(|(rows, _)| rows).sum();
    assert_eq!(found.rows, rows);
    assert_eq!(found.estimated, expected.values().map(|(_, estimated)| estimated).sum::<u64>());
    for series in &found.series {
        let value = match &series.of {
            SeriesOf::All => "\"all\"".to_owned(),
            SeriesOf::Value(cell) => serde_json::to_string(cell).unwrap(),
            SeriesOf::Other => continue,
        };
        for ((at, rows), estimated) in found.times.iter().zip(&series.rows).zip(&series.estimated) {
            let expected = expected.remove(&(value.clone(), at.to_string())).unwrap_or_default();
            assert_eq!((*rows, *estimated), expected, "{value} {at}");
        }
    }
    let others: Vec<_> =
        found.series.iter().filter(|series| series.of == SeriesOf::Other).collect();
    let shown: u64 = others.iter().flat_map(|series| &series.rows).sum();
    assert_eq!(shown, expected.values().map(|(rows, _)| rows).sum::<u64>());
    let gaps = found.times.windows(2).map(|pair| pair[1].0 - pair[0].0);
    assert!(gaps.into_iter().all(|gap| gap == found.step.micros()));
    found
}

#[test]
fn every_bucket_agrees_with_plain_evaluation() {
    let world = World::made(3000);
    for split in [None, Some("outcome"), Some("status"), Some("metadata.sdk"), Some("actor_id")] {
        for q in ["", "account:account-0 status:>=400", "account:nobody"] {
            let mut request = asked(q, split);
            let whole = check(&world, &request, split);
            assert!(whole.times.len() <= 200);
            for step in ["10m", "1d", "7d", "30d"] {
                request.step = Some(Step::parse(step).unwrap());
                assert_eq!(check(&world, &request, split).step.name(), step);
            }
            request.step = None;
            request.from = Some(Micros(START + 3_600_000_000));
            request.to = Some(Micros(START + 7_200_000_001));
            let hour = check(&world, &request, split);
            assert_eq!((hour.step.name(), hour.times.len()), ("30s", 121));
            request.from = Some(Micros(START - 86_400_000_000));
            assert_eq!(check(&world, &request, split).times[0], Micros(START - 86_400_000_000));
        }
    }
}

#[test]
fn the_most_frequent_values_have_series_and_the_others_share_one() {
    let world = World::made(600);
    let request = HistogramRequest { limit: 2, ..asked("", Some("account_id")) };
    let found = check(&world, &request, Some("account_id"));
    let kinds: Vec<&SeriesOf> = found.series.iter().map(|series| &series.of).collect();
    assert_eq!(kinds.len(), 3);
    assert_eq!(*kinds[2], SeriesOf::Other);
    assert_eq!(*kinds[0], SeriesOf::Value(Cell::Text("account-0".into())));
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(json["step"], "5m");
    assert_eq!(json["times"][0], "2026-01-01T00:00:00.000Z");
    assert_eq!(json["series"][0]["value"], "account-0");
    assert_eq!(json["series"][2]["other"], true);
    assert!(json["series"][2]["rows"].is_array());
}

#[test]
fn nothing_at_all_has_no_buckets_but_a_window_has() {
    let world = World::new();
    let mut request = asked("", None);
    let found = check(&world, &request, None);
    assert_eq!((found.times.len(), found.series.len()), (0, 1));
    request.from = Some(Micros(START));
    assert_eq!(check(&world, &request, None).times.len(), 0);
    request.to = Some(Micros(START + 86_400_000_000));
    let day = check(&world, &request, None);
    assert_eq!((day.step.name(), day.times.len()), ("10m", 144));
    assert_eq!(day.series[0].rows, vec![0; 144]);
    request.step = Some(Step::parse("1s").unwrap());
    let error = world.analyzer(OPTIONS).histogram(&ReadScope::everything(), &request);
    let message = "a step of 1s makes 86400 buckets, at most 10000 are made; take a longer one";
    assert_eq!(error.unwrap_err().to_string(), message);
}
