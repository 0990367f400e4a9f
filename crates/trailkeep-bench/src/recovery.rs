//! How soon after a SIGKILL the first question is answered.

use anyhow::{Result, bail, ensure};

use crate::bench::Bench;
use crate::figure::Figure;
use crate::load::{DATA, check_count};
use crate::quantity::mebibytes;
use crate::report::{begin, note};
use crate::sender::Sender;
use crate::server::Server;
use crate::workload::Workload;

const UNSEALED_BYTES: u64 = 64 << 20;
/// Keeps what is sent now unsealed until the kill.
const CONFIG: &str = "[store]\nseal_bytes = 268435456\nseal_interval_s = 3600\n";
/// How many bodies are sent before the tail is looked at again.
const BODIES_A_ROUND: usize = 4;
/// How many rounds there are at most.
const ROUNDS_MAX: usize = 200;
const FIRST_QUESTION: &str = "/api/v1/events?limit=50";

/// Goes on with the data directory of the plain load, in which everything is sealed.
pub(crate) fn measure(bench: &mut Bench, workload: &Workload) -> Result<()> {
    begin("Recovery: SIGKILL with the load sealed and 64 MiB unsealed");
    let data = bench.dir.join(DATA);
    let server = Server::start(&data, Some(CONFIG))?;
    let sealed = server.n_entries()?;
    let unsealed = fill(bench, workload, &server)?;
    let tail_bytes = server.metric("trailkeep_tail_bytes")?;
    server.kill()?;

    let (server, took_all) = bench.timed(|| {
        let server = Server::start(&data, Some(CONFIG))?;
        let answer = server.connect()?.get(FIRST_QUESTION)?;
        ensure!(answer.status == 200, "the first question was {}", answer.describe());
        Ok(server)
    })?;
    // Sealed and unsealed, once each: nothing acknowledged was lost, nothing is there twice.
    check_count(&server, sealed + unsealed)?;
    server.stop()?;

    bench.report.add(Figure::new("unsealed at the kill", mebibytes(tail_bytes), "MiB"));
    let figure = Figure::new("start to first answer", took_all.as_secs_f64(), "s");
    bench.report.add(figure.at_most(2.0));
    note("the exact total after the kill equals what was acknowledged");
    Ok(())
}

/// Sends until so much is unsealed, and returns how many events that were.
fn fill(bench: &Bench, workload: &Workload, server: &Server) -> Result<u64> {
    let mut n_events = 0;
    let rounds = workload.bodies.chunks(BODIES_A_ROUND).cycle().take(ROUNDS_MAX);
    for bodies in rounds {
        if server.metric("trailkeep_tail_bytes")? >= UNSEALED_BYTES {
            return Ok(n_events);
        }
        let sender = Sender { server, workload, clock: &bench.clock, n_connections: 1 };
        n_events += sender.send_these(bodies)?.n_events;
    }
    bail!("the tail does not grow: it is sealed too early")
}
