//! The settings as a file has them.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use trailkeep_api::{App, BodyBudget, BodyLimits, Envelope, ServerOptions};
use trailkeep_event::EventLimits;
use trailkeep_ingest::StoreOptions;
use trailkeep_segment::Compaction;

use super::Size;

/// All settings; `config/trailkeep.toml` says what each is for.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawConfig {
    pub(crate) server: RawServer,
    pub(crate) event: RawEvent,
    pub(crate) store: RawStore,
    pub(crate) compaction: RawCompaction,
    pub(crate) disk: RawDisk,
    pub(crate) query: RawQuery,
    pub(crate) analyze: RawAnalyze,
    pub(crate) log: RawLog,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawServer {
    pub(crate) listen: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) admin_listen: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tls_cert: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tls_key: Option<PathBuf>,
    pub(crate) behind_proxy: bool,
    pub(crate) connections_max: usize,
    pub(crate) header_bytes_max: Size,
    pub(crate) headers_max: usize,
    pub(crate) handshake_timeout_s: u64,
    pub(crate) header_timeout_s: u64,
    pub(crate) idle_timeout_s: u64,
    pub(crate) write_timeout_s: u64,
    pub(crate) linger_timeout_s: u64,
    pub(crate) shutdown_timeout_s: u64,
    pub(crate) answer_timeout_s: u64,
    pub(crate) body_bytes_max: Size,
    pub(crate) body_decoded_bytes_max: Size,
    pub(crate) body_decoded_ratio_max: usize,
    pub(crate) body_decoded_bytes_free: Size,
    pub(crate) body_progress_bytes_min: Size,
    pub(crate) body_progress_timeout_s: u64,
    pub(crate) body_timeout_s: u64,
    pub(crate) bodies_bytes_max: Size,
    pub(crate) tails_max: usize,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "a limit ends in `_max`")]
pub(crate) struct RawEvent {
    pub(crate) event_bytes_max: Size,
    pub(crate) input_bytes_max: Size,
    pub(crate) depth_max: usize,
    pub(crate) keys_max: usize,
    pub(crate) events_max: usize,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawStore {
    pub(crate) data: PathBuf,
    pub(crate) seal_bytes: Size,
    pub(crate) seal_interval_s: u64,
    pub(crate) tail_bytes_max: Size,
    pub(crate) queue_bytes_max: Size,
    pub(crate) queue_key_bytes_max: Size,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account_events_per_second_max: Option<u32>,
    pub(crate) journal_file_bytes: Size,
    pub(crate) journal_write_bytes_max: Size,
    pub(crate) garbage_delay_s: u64,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawCompaction {
    pub(crate) inputs_min: usize,
    pub(crate) inputs_max: usize,
    pub(crate) small_rows_max: u64,
    pub(crate) rows_max: u64,
    pub(crate) bytes_max: Size,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the unit stands at the end")]
pub(crate) struct RawDisk {
    pub(crate) high_bytes: Size,
    pub(crate) low_bytes: Size,
    pub(crate) reserve_bytes: Size,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawQuery {
    pub(crate) duration_max_s: u64,
    pub(crate) queries_max: usize,
    pub(crate) exports_max: usize,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawAnalyze {
    pub(crate) sql: bool,
    pub(crate) duration_max_s: u64,
    pub(crate) memory_bytes_max: Size,
    pub(crate) rows_max: usize,
    pub(crate) threads: usize,
    pub(crate) analyses_max: usize,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawLog {
    pub(crate) level: String,
    pub(crate) format: LogFormat,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// The longest that one query may take where the configuration does not say.
const QUERY_DURATION_MAX: Duration = Duration::from_secs(30);
/// What one analysis takes where the configuration does not say.
const ANALYSIS_MEMORY_BYTES_MAX: u64 = 256 << 20;
const ANALYSIS_ROWS_MAX: usize = 10_000;
const ANALYSIS_THREADS: usize = 2;

impl Default for RawServer {
    fn default() -> Self {
        let (options, body) = (ServerOptions::STANDARD, BodyLimits::STANDARD);
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            admin_listen: None,
            tls_cert: None,
            tls_key: None,
            behind_proxy: false,
            connections_max: options.connections_max,
            header_bytes_max: Size::of(options.header_bytes_max),
            headers_max: options.headers_max,
            handshake_timeout_s: options.handshake_timeout.as_secs(),
            header_timeout_s: options.header_timeout.as_secs(),
            idle_timeout_s: options.idle_timeout.as_secs(),
            write_timeout_s: options.write_timeout.as_secs(),
            linger_timeout_s: options.linger_timeout.as_secs(),
            shutdown_timeout_s: options.shutdown_timeout.as_secs(),
            answer_timeout_s: Envelope::STANDARD_ANSWER_TIMEOUT.as_secs(),
            body_bytes_max: Size::of(body.wire_bytes_max),
            body_decoded_bytes_max: Size::of(body.decoded_bytes_max),
            body_decoded_ratio_max: body.decoded_ratio_max,
            body_decoded_bytes_free: Size::of(body.decoded_bytes_free),
            body_progress_bytes_min: Size::of(body.progress_bytes_min),
            body_progress_timeout_s: body.progress_timeout.as_secs(),
            body_timeout_s: body.total_timeout.as_secs(),
            bodies_bytes_max: Size::of(BodyBudget::STANDARD_BYTES),
            tails_max: App::TAILS_MAX,
        }
    }
}

impl Default for RawEvent {
    fn default() -> Self {
        let limits = EventLimits::STANDARD;
        Self {
            event_bytes_max: Size::of(limits.event_bytes_max),
            input_bytes_max: Size::of(limits.input_bytes_max),
            depth_max: limits.depth_max,
            keys_max: limits.keys_max,
            events_max: StoreOptions::standard().events_max,
        }
    }
}

impl Default for RawStore {
    fn default() -> Self {
        let options = StoreOptions::standard();
        Self {
            data: PathBuf::from("trailkeep-data"),
            seal_bytes: Size(options.seal_bytes),
            seal_interval_s: options.seal_interval.as_secs(),
            tail_bytes_max: Size(options.tail_bytes_max),
            queue_bytes_max: Size::of(options.queue.bytes_max),
            queue_key_bytes_max: Size::of(options.queue.key_bytes_max),
            account_events_per_second_max: options.account_events_per_second_max,
            journal_file_bytes: Size(options.journal.file_bytes),
            journal_write_bytes_max: Size::of(options.journal.write_bytes_max),
            garbage_delay_s: options.garbage_delay.as_secs(),
        }
    }
}

impl Default for RawCompaction {
    fn default() -> Self {
        let Compaction { inputs_min, inputs_max, small_rows_max, rows_max, bytes_max } =
            Compaction::STANDARD;
        let bytes_max = Size(bytes_max);
        Self { inputs_min, inputs_max, small_rows_max, rows_max, bytes_max }
    }
}

impl Default for RawDisk {
    fn default() -> Self {
        let marks = StoreOptions::standard().disk;
        Self {
            high_bytes: Size(marks.high_bytes),
            low_bytes: Size(marks.low_bytes),
            reserve_bytes: Size(marks.reserve_bytes),
        }
    }
}

impl Default for RawQuery {
    fn default() -> Self {
        Self {
            duration_max_s: QUERY_DURATION_MAX.as_secs(),
            queries_max: App::QUERIES_MAX,
            exports_max: App::EXPORTS_MAX,
        }
    }
}

impl Default for RawAnalyze {
    fn default() -> Self {
        Self {
            sql: false,
            duration_max_s: QUERY_DURATION_MAX.as_secs(),
            memory_bytes_max: Size(ANALYSIS_MEMORY_BYTES_MAX),
            rows_max: ANALYSIS_ROWS_MAX,
            threads: ANALYSIS_THREADS,
            analyses_max: App::ANALYSES_MAX,
        }
    }
}

impl Default for RawLog {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Text }
    }
}

#[cfg(test)]
impl RawConfig {
    /// Returns a configuration in which every key has a value.
    pub(crate) fn full() -> Self {
        let mut full = Self::default();
        full.server.admin_listen = Some(String::new());
        full.server.tls_cert = Some(PathBuf::new());
        full.server.tls_key = Some(PathBuf::new());
        full.store.account_events_per_second_max = Some(1);
        full
    }
}
