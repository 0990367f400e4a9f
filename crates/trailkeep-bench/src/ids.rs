//! Load of events with ids of their own into a store that holds many.

use anyhow::Result;

use crate::bench::Bench;
use crate::figure::Figure;
use crate::load::{DATA, check_count};
use crate::quantity::per_second;
use crate::report::{begin, note};
use crate::sender::Sender;
use crate::server::Server;
use crate::workload::Workload;

/// How many events with ids are loaded.
const EVENTS: u64 = 1_000_000;

/// Goes on with the data directory of the plain load; `plain` is its events a second. The same
/// bodies are sent twice: the second time every event is a duplicate.
pub(crate) fn measure(bench: &mut Bench, plain: f64) -> Result<()> {
    begin("Load of events with source ids into the loaded store");
    let Some(workload) = Workload::with_ids(bench, EVENTS)? else {
        bench.report.skip("events with ids", "there is no gen.py");
        return Ok(());
    };
    let server = Server::start(&bench.dir.join(DATA), None)?;
    let before = server.n_entries()?;
    let n_connections = bench.options.connections;
    let sender =
        Sender { server: &server, workload: &workload, clock: &bench.clock, n_connections };
    let sent = sender.send_all()?;
    check_count(&server, before + workload.n_events())?;
    let again = sender.send_all()?;
    check_count(&server, before + workload.n_events())?;
    server.stop()?;
    let speed = per_second(sent.n_events, sent.took);
    bench.report.add(Figure::new("load, with ids", speed, "events/s"));
    let ratio = Figure::new("with ids / without, into the empty store", speed / plain, "x");
    bench.report.add(ratio.at_least(0.8));
    let speed = per_second(again.n_events, again.took);
    bench.report.add(Figure::new("the same bodies again: all duplicates", speed, "events/s"));
    note("the exact total is the same after the duplicates");
    Ok(())
}
