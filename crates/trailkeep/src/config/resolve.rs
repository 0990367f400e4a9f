//! From raw settings to what the parts take: the one place where they are checked.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use trailkeep_analyze::AnalyzeOptions;
use trailkeep_api::{BodyLimits, ServerOptions, SqlAccess, TlsFiles};
use trailkeep_event::EventLimits;
use trailkeep_ingest::{DiskMarks, QueueLimits, StoreOptions};
use trailkeep_journal::JournalOptions;
use trailkeep_query::QueryOptions;
use trailkeep_segment::Compaction;

use super::raw::{RawAnalyze, RawLog, RawServer};
use super::{RawConfig, Size};
use crate::failure::{Exit, Failure};

/// The smallest tail worth a segment of its own.
const SEAL_BYTES_MIN: u64 = 4 * 1024;
/// What an analysis needs before it counts anything.
const ANALYSIS_BYTES_MIN: u64 = 1 << 20;
/// A journal write holds at least one group and the framing, beside the largest event.
const JOURNAL_WRITE_BYTES_MIN: u64 = 1 << 20;

/// What the parts take.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) address: SocketAddr,
    pub(crate) admin_address: Option<SocketAddr>,
    pub(crate) listen: Listen,
    pub(crate) server: ServerOptions,
    pub(crate) answer_timeout: Duration,
    pub(crate) body: BodyLimits,
    pub(crate) bodies_bytes_max: usize,
    pub(crate) tails_max: usize,
    pub(crate) data: PathBuf,
    pub(crate) store: StoreOptions,
    pub(crate) query: QueryOptions,
    pub(crate) queries_max: usize,
    pub(crate) exports_max: usize,
    pub(crate) analyze: AnalyzeOptions,
    pub(crate) analyses_max: usize,
    pub(crate) sql: SqlAccess,
    pub(crate) log: RawLog,
}

/// How bytes travel.
#[derive(Clone, Debug)]
pub(crate) enum Listen {
    /// In the clear, on loopback.
    Plain,
    /// In the clear, behind a proxy.
    BehindProxy,
    /// By TLS.
    Tls(TlsFiles),
}

/// Checks the settings and turns them into what the parts take.
pub(crate) fn resolve(raw: &RawConfig) -> anyhow::Result<Config> {
    check(raw)?;
    let server = &raw.server;
    let (address, listen) = (address("server.listen", &server.listen)?, listen(server)?);
    if matches!(listen, Listen::Plain) && !address.ip().is_loopback() {
        let message = format!("refused to serve plain HTTP on `{address}`, which others can reach");
        let hint = "give --tls-cert and --tls-key, listen on 127.0.0.1, or set behind_proxy = true \
                    in [server] where a proxy in front ends TLS";
        return Err(Failure::new(Exit::Usage, message).hint(hint).into());
    }
    Ok(Config {
        address,
        admin_address: admin_address(server)?,
        listen,
        server: server_options(server),
        answer_timeout: Duration::from_secs(server.answer_timeout_s),
        body: body_limits(server),
        bodies_bytes_max: server.bodies_bytes_max.in_memory(),
        tails_max: server.tails_max,
        data: raw.store.data.clone(),
        store: store_options(raw),
        query: QueryOptions { duration_max: Duration::from_secs(raw.query.duration_max_s) },
        queries_max: raw.query.queries_max,
        exports_max: raw.query.exports_max,
        analyze: analyze_options(&raw.analyze),
        analyses_max: raw.analyze.analyses_max,
        sql: if raw.analyze.sql { SqlAccess::Operators } else { SqlAccess::Off },
        log: raw.log.clone(),
    })
}

fn check(raw: &RawConfig) -> anyhow::Result<()> {
    let (store, disk, compaction) = (&raw.store, &raw.disk, &raw.compaction);
    at_least("store.seal_bytes", store.seal_bytes, SEAL_BYTES_MIN)?;
    at_least("store.tail_bytes_max", store.tail_bytes_max, store.seal_bytes.0)?;
    at_least(
        "store.journal_write_bytes_max",
        store.journal_write_bytes_max,
        JOURNAL_WRITE_BYTES_MIN.saturating_add(raw.event.event_bytes_max.0),
    )?;
    let file_bytes_min = store.journal_write_bytes_max.0.saturating_mul(2);
    at_least("store.journal_file_bytes", store.journal_file_bytes, file_bytes_min)?;
    at_least("disk.high_bytes", disk.high_bytes, disk.low_bytes.0)?;
    at_least("analyze.memory_bytes_max", raw.analyze.memory_bytes_max, ANALYSIS_BYTES_MIN)?;
    at_least("event.input_bytes_max", raw.event.input_bytes_max, 1024)?;
    if !store.journal_file_bytes.0.is_multiple_of(4096) {
        let rule = format!("is a multiple of 4096 bytes, and not {}", store.journal_file_bytes.0);
        return Err(wrong("store.journal_file_bytes", &rule));
    }
    if compaction.inputs_min < 2 || compaction.inputs_max < compaction.inputs_min {
        return Err(wrong("compaction.inputs_min", "is at least 2 and at most inputs_max"));
    }
    for (key, value) in [
        ("server.connections_max", raw.server.connections_max),
        ("server.tails_max", raw.server.tails_max),
        ("query.queries_max", raw.query.queries_max),
        ("query.exports_max", raw.query.exports_max),
        ("analyze.rows_max", raw.analyze.rows_max),
        ("analyze.threads", raw.analyze.threads),
        ("analyze.analyses_max", raw.analyze.analyses_max),
        ("event.events_max", raw.event.events_max),
    ] {
        if value == 0 {
            return Err(wrong(key, "is at least 1, and not 0"));
        }
    }
    Ok(())
}

fn at_least(key: &str, size: Size, bytes_min: u64) -> anyhow::Result<()> {
    if size.0 >= bytes_min {
        return Ok(());
    }
    Err(wrong(key, &format!("is at least {bytes_min} bytes, and not {}", size.0)))
}

fn wrong(key: &str, rule: &str) -> anyhow::Error {
    Failure::new(Exit::Usage, format!("the setting `{key}` {rule}")).into()
}

fn address(key: &str, text: &str) -> anyhow::Result<SocketAddr> {
    let rule = || format!("is an IP address and a port, like 127.0.0.1:8080, and not `{text}`");
    text.parse().map_err(|_error| wrong(key, &rule()))
}

fn admin_address(server: &RawServer) -> anyhow::Result<Option<SocketAddr>> {
    let key = "server.admin_listen";
    let Some(text) = &server.admin_listen else { return Ok(None) };
    let address = address(key, text)?;
    if !address.ip().is_loopback() {
        return Err(wrong(key, &format!("is a loopback address, and not `{text}`")));
    }
    Ok(Some(address))
}

fn listen(server: &RawServer) -> anyhow::Result<Listen> {
    match (&server.tls_cert, &server.tls_key) {
        (Some(cert), Some(key)) => {
            Ok(Listen::Tls(TlsFiles { cert: cert.clone(), key: key.clone() }))
        }
        (None, None) if server.behind_proxy => Ok(Listen::BehindProxy),
        (None, None) => Ok(Listen::Plain),
        _ => Err(wrong("server.tls_cert", "and `server.tls_key` are given together")),
    }
}

fn server_options(server: &RawServer) -> ServerOptions {
    ServerOptions {
        connections_max: server.connections_max,
        header_bytes_max: server.header_bytes_max.in_memory(),
        headers_max: server.headers_max,
        handshake_timeout: Duration::from_secs(server.handshake_timeout_s),
        header_timeout: Duration::from_secs(server.header_timeout_s),
        idle_timeout: Duration::from_secs(server.idle_timeout_s),
        write_timeout: Duration::from_secs(server.write_timeout_s),
        linger_timeout: Duration::from_secs(server.linger_timeout_s),
        shutdown_timeout: Duration::from_secs(server.shutdown_timeout_s),
    }
}

fn body_limits(server: &RawServer) -> BodyLimits {
    BodyLimits {
        wire_bytes_max: server.body_bytes_max.in_memory(),
        decoded_bytes_max: server.body_decoded_bytes_max.in_memory(),
        decoded_ratio_max: server.body_decoded_ratio_max,
        decoded_bytes_free: server.body_decoded_bytes_free.in_memory(),
        progress_bytes_min: server.body_progress_bytes_min.in_memory(),
        progress_timeout: Duration::from_secs(server.body_progress_timeout_s),
        total_timeout: Duration::from_secs(server.body_timeout_s),
    }
}

fn analyze_options(analyze: &RawAnalyze) -> AnalyzeOptions {
    AnalyzeOptions {
        memory_max: analyze.memory_bytes_max.in_memory(),
        duration_max: Duration::from_secs(analyze.duration_max_s),
        rows_max: analyze.rows_max,
        threads: analyze.threads,
    }
}

fn store_options(raw: &RawConfig) -> StoreOptions {
    let (store, event, compaction, disk) = (&raw.store, &raw.event, &raw.compaction, &raw.disk);
    StoreOptions {
        event: EventLimits {
            event_bytes_max: event.event_bytes_max.in_memory(),
            input_bytes_max: event.input_bytes_max.in_memory(),
            depth_max: event.depth_max,
            keys_max: event.keys_max,
        },
        events_max: event.events_max,
        queue: QueueLimits {
            bytes_max: store.queue_bytes_max.in_memory(),
            key_bytes_max: store.queue_key_bytes_max.in_memory(),
        },
        account_events_per_second_max: store.account_events_per_second_max,
        seal_bytes: store.seal_bytes.0,
        seal_interval: Duration::from_secs(store.seal_interval_s),
        tail_bytes_max: store.tail_bytes_max.0,
        journal: JournalOptions {
            file_bytes: store.journal_file_bytes.0,
            write_bytes_max: store.journal_write_bytes_max.in_memory(),
        },
        compaction: Compaction {
            inputs_min: compaction.inputs_min,
            inputs_max: compaction.inputs_max,
            small_rows_max: compaction.small_rows_max,
            rows_max: compaction.rows_max,
            bytes_max: compaction.bytes_max.0,
        },
        garbage_delay: Duration::from_secs(store.garbage_delay_s),
        disk: DiskMarks {
            high_bytes: disk.high_bytes.0,
            low_bytes: disk.low_bytes.0,
            reserve_bytes: disk.reserve_bytes.0,
        },
    }
}
