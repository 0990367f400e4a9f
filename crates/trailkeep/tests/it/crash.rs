//! SIGKILL at random instants under load: what was acknowledged is there exactly once, whatever
//! step was cut off.

mod client;
mod server;
mod step;
mod stop;
mod tally;
mod walk;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use trailkeep_io::{Clock, SystemClock};
use trailkeep_testkit::Random;

use self::client::Client;
use self::server::{Aim, Api, Server};
use self::step::Step;
use self::stop::Stop;
use self::tally::Tally;
use self::walk::check_everything;

const SEED: u64 = 20_260_420;
const SEED_VARIABLE: &str = "TRAILKEEP_CRASH_SEED";
const KILLS_MIN: u64 = 200;
const STEP_HITS_MIN: u64 = 5;
/// Leaves time for the last look: the whole is bounded to four minutes.
const DURATION_MAX: Duration = Duration::from_secs(220);
const CLIENTS: u64 = 4;
/// How many kills lie between two looks at everything.
const CHECK_KILLS: u64 = 20;
const INSTANT_MILLIS_MAX: u64 = 250;
/// Most of these kills fall right after a step has begun, some in its middle.
const AIM_MICROS_MAX: u64 = 10_000;

/// Seals every few batches, merges every two segments and soon removes what was replaced, so that
/// a random instant often lies in one of these.
const CONFIG: &str = r#"
[store]
seal_bytes = "64 KiB"
seal_interval_s = 1
journal_file_bytes = "8 MiB"
journal_write_bytes_max = "4 MiB"
garbage_delay_s = 1

[compaction]
inputs_min = 2
small_rows_max = 500
rows_max = 4000

[disk]
high_bytes = 0
low_bytes = 0
reserve_bytes = 0

[log]
level = "info,trailkeep::step=debug"
format = "json"
"#;

/// Promises 1 and 2 of the design, an acknowledged event is durable and an event with a source id
/// is admitted once, across 200 kills with appends, seals, merges, catalog commits and removals in
/// flight; each step is hit at least 5 times.
#[test]
fn acknowledged_events_survive_200_kills() {
    let seed = seed();
    report(&format!("seed {seed}; {SEED_VARIABLE} sets another"));
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("trailkeep.toml");
    let data = folder.path().join("data");
    write(&config, CONFIG);
    // A walk takes longer than a second, and must not find its files removed.
    let patient = folder.path().join("patient.toml");
    write(&patient, &CONFIG.replace("garbage_delay_s = 1", "garbage_delay_s = 600"));
    let clock = SystemClock::new();
    let mut random = Random::new(seed);
    let mut clients: Vec<Client> =
        (0..CLIENTS).map(|number| Client::new(number, random.number())).collect();
    let mut tally = Tally::default();
    while tally.kills() < KILLS_MIN || tally.least().1 < STEP_HITS_MIN {
        let elapsed = clock.monotonic();
        assert!(elapsed < DURATION_MAX, "out of time after {elapsed:?}\n{tally}");
        let looks = tally.kills().is_multiple_of(CHECK_KILLS);
        let server = Server::start(&data, if looks { &patient } else { &config });
        check_latest(server.api(), &clients);
        if looks {
            check_everything(server.api(), &mut clients);
        }
        let aim = aim(&mut random, &tally);
        let steps = kill_under_load(server, &mut clients, aim);
        report(&format!("{:7.3?} kill {} in {steps:?}", clock.monotonic(), tally.kills()));
        tally.add(&steps);
    }
    settle_and_check(&data, &patient, &mut clients);
    report(&format!("{:?}\n{tally}{}", clock.monotonic(), client::summary(&clients)));
}

#[expect(clippy::disallowed_methods, reason = "a test's own file need not survive")]
fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "the seed of a failed run can be given again")]
fn seed() -> u64 {
    std::env::var(SEED_VARIABLE).map_or(SEED, |text| text.parse().unwrap())
}

/// Half of the kills fall at random instants, half in the step that was hit least.
fn aim(random: &mut Random, tally: &Tally) -> Aim {
    if random.below(2) == 0 {
        return Aim::Instant(Duration::from_millis(random.below(INSTANT_MILLIS_MAX)));
    }
    Aim::Step(tally.least().0, Duration::from_micros(random.skewed(AIM_MICROS_MAX)))
}

/// Loads the server, kills it where the aim says and returns the steps that were cut off.
fn kill_under_load(mut server: Server, clients: &mut [Client], aim: Aim) -> Vec<Step> {
    let stop = Stop::default();
    std::thread::scope(|scope| {
        let api = server.api().clone();
        for client in clients {
            let (api, stop) = (api.clone(), &stop);
            scope.spawn(move || client.run(&api, stop));
        }
        server.wait_for(aim);
        stop.set();
        server.kill()
    })
}

/// After a restart, what was acknowledged last before the kill is found by its identifier.
fn check_latest(api: &Api, clients: &[Client]) {
    for (marker, id) in clients.iter().flat_map(Client::latest) {
        let entry = api.get(&format!("/api/v1/events/{id}"), &[]);
        assert_eq!(entry["correlation_id"], marker, "entry {id} is another event: {entry}");
    }
}

/// Sends once more what was not answered, looks at everything and lets `doctor` look too.
fn settle_and_check(data: &Path, config: &Path, clients: &mut [Client]) {
    let server = Server::start(data, config);
    check_latest(server.api(), clients);
    for client in clients.iter_mut() {
        client.settle(server.api());
    }
    check_everything(server.api(), clients);
    server.kill();
    let doctor = Command::new(env!("CARGO_BIN_EXE_trailkeep"))
        .args(["doctor", "--data"])
        .arg(data)
        .arg("--config")
        .arg(config)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&doctor.stdout);
    let complained = String::from_utf8_lossy(&doctor.stderr);
    assert!(doctor.status.success(), "{}: {said}\n{complained}", doctor.status);
}

#[expect(clippy::print_stdout, reason = "what was hit belongs to the test's output")]
fn report(text: &str) {
    println!("{text}");
}
