//! What an answer may take.

use std::time::Duration;

use trailkeep_analyze::{AnalyzeOptions, Error};
use trailkeep_scope::ReadScope;

use crate::world::{OPTIONS, World, request};

#[test]
fn an_answer_that_needs_too_much_memory_is_refused() {
    let world = World::made(6000);
    let analyzer = world.analyzer(AnalyzeOptions { memory_max: 64 << 10, ..OPTIONS });
    let scope = ReadScope::everything();
    let few = request("", &["outcome"], &["count"]);
    assert!(analyzer.aggregate(&scope, &few).is_ok());
    let many = [
        request("", &["correlation_id"], &["count"]),
        request("", &[], &["count_distinct correlation_id"]),
        request("", &["outcome"], &["p95 duration_us"]),
    ];
    for many in many {
        let error = analyzer.aggregate(&scope, &many).unwrap_err();
        assert!(matches!(error, Error::TooLarge { bytes: 65_536 }), "{error:?}");
    }
    let many = [
        "SELECT correlation_id, count(*) FROM events GROUP BY 1",
        "SELECT count(DISTINCT correlation_id) FROM events",
        "SELECT a.id FROM events a JOIN events b ON a.correlation_id = b.correlation_id",
        "SELECT * FROM events ORDER BY correlation_id",
    ];
    for text in many {
        let error = analyzer.sql(&scope, text).unwrap_err();
        assert!(matches!(error, Error::TooLarge { bytes: 65_536 }), "{text} {error:?}");
    }
}

#[test]
fn an_answer_that_takes_too_long_is_refused() {
    let world = World::made(100);
    let analyzer = world.analyzer(AnalyzeOptions { duration_max: Duration::ZERO, ..OPTIONS });
    let scope = ReadScope::everything();
    let error = analyzer.aggregate(&scope, &request("", &[], &["count"])).unwrap_err();
    assert!(matches!(error, Error::TooSlow { seconds: 0 }), "{error:?}");
    let error = analyzer.sql(&scope, "SELECT count(*) FROM events").unwrap_err();
    assert!(matches!(error, Error::TooSlow { seconds: 0 }), "{error:?}");
}

#[test]
fn one_thread_and_many_give_the_same_answer() {
    let world = World::made(2000);
    let scope = ReadScope::everything();
    let asked = request("", &["route"], &["count", "p95 duration_ms", "count_distinct ip"]);
    let text = "SELECT route, count(*), avg(duration_us) FROM events GROUP BY route";
    let of = |threads| {
        let analyzer = world.analyzer(AnalyzeOptions { threads, ..OPTIONS });
        (analyzer.aggregate(&scope, &asked).unwrap(), analyzer.sql(&scope, text).unwrap())
    };
    let one = of(1);
    assert_eq!(of(2), one);
    assert_eq!(of(5), one);
}

#[test]
fn a_statement_runs_on_a_thread_that_may_block() {
    let world = World::made(50);
    let analyzer = world.analyzer(OPTIONS);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let answer = runtime.block_on(async {
        let run = move || analyzer.sql(&ReadScope::everything(), "SELECT count(*) FROM events");
        tokio::task::spawn_blocking(run).await.unwrap()
    });
    assert_eq!(answer.unwrap().items.len(), 1);
}
