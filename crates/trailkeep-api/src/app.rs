//! Everything the routes work on.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post};
use tokio::sync::Semaphore;
use trailkeep_analyze::Analyzer;
use trailkeep_ingest::Store;
use trailkeep_io::{Clock, Entropy};
use trailkeep_query::Engine;

use crate::body::BodyIntake;
use crate::desk::Desk;
use crate::keys::Keys;
use crate::server::Shutdown;
use crate::{Result, docs_routes, health_routes, openapi, routes};

/// Makes a backup into a folder of the server's machine and describes it. Blocks.
pub type BackUp = dyn Fn(&Path) -> std::result::Result<serde_json::Value, WorkError> + Send + Sync;

/// Tells what the store holds and what it takes of the disk. Blocks.
pub type Measure = dyn Fn() -> std::result::Result<serde_json::Value, WorkError> + Send + Sync;

/// Why a backup was not made or the store not measured, with what lies behind it.
pub type WorkError = Box<dyn std::error::Error + Send + Sync>;

/// Who may run SQL, within what they may read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SqlAccess {
    /// Nobody.
    Off,
    /// The bearers of operator keys.
    Operators,
}

/// Everything the routes work on. Cloning shares it.
#[derive(Clone)]
pub struct App {
    /// Where events are written.
    pub store: Store,
    /// Where questions are answered.
    pub engine: Engine,
    /// Where questions about many entries at once are answered.
    pub analyzer: Analyzer,
    /// Who may run SQL.
    pub sql: SqlAccess,
    /// The keys that are valid now.
    pub keys: Arc<Keys>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// What takes in bodies.
    pub intake: BodyIntake,
    /// Tells live tails to end.
    pub shutdown: Shutdown,
    /// How many questions are answered at once; one key has at most half of the places.
    pub queries: Arc<Semaphore>,
    /// How many questions about many entries are answered at once, each on several threads; one
    /// key has at most half of the places.
    pub analyses: Arc<Semaphore>,
    /// How many exports there may be, each on a thread of its own; one key has at most half of the
    /// places.
    pub exports: Arc<Semaphore>,
    /// How many large bodies are read at once, each on a thread of its own: one processor less
    /// than there are, so that small requests always find one.
    pub bulk: Arc<Semaphore>,
    /// How many live tails there may be; one key has at most half of the places.
    pub tails: Arc<Semaphore>,
    /// Makes a backup.
    pub back_up: Arc<BackUp>,
    /// Measures the store.
    pub measure: Arc<Measure>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("store", &self.store).finish_non_exhaustive()
    }
}

impl App {
    /// How many questions are answered at once where the configuration names none.
    pub const QUERIES_MAX: usize = 16;
    /// How many questions about many entries are answered at once where the configuration names
    /// none.
    pub const ANALYSES_MAX: usize = 4;
    /// How many exports there may be where the configuration names none.
    pub const EXPORTS_MAX: usize = 4;
    /// How many live tails there may be where the configuration names none.
    pub const TAILS_MAX: usize = 256;
}

/// Makes every route of the public address, without the envelope, and starts the threads that work
/// for them: they end with the routes.
///
/// # Errors
/// Where a thread cannot be started or the API's own document cannot be written.
pub fn app_routes(app: App) -> Result<Router> {
    let docs = docs_routes(&openapi())?;
    let readiness = Arc::new(routes::health::StoreReadiness(app.store.clone()));
    let api = Router::new()
        .route("/api/v1/events", post(routes::send::send).get(routes::list::list))
        .route("/api/v1/events/tail", get(routes::tail::tail))
        .route("/api/v1/events/export", get(routes::export::by_link).post(routes::export::export))
        .route("/api/v1/events/facets", get(routes::facets::facets))
        .route("/api/v1/events/complete", get(routes::facets::complete))
        .route("/api/v1/events/histogram", get(routes::histogram::histogram))
        .route("/api/v1/events/aggregate", post(routes::aggregate::aggregate))
        .route("/api/v1/sql", post(routes::sql::sql))
        .route("/api/v1/events/{id}", get(routes::entry::entry))
        .route("/api/v1/keys", post(routes::keys::create).get(routes::keys::list))
        .route("/api/v1/keys/{key_id}", delete(routes::keys::revoke))
        .route("/api/v1/backup", post(routes::backup::back_up))
        .route("/api/v1/stats", get(routes::stats::stats))
        .with_state(Desk::new(app)?);
    Ok(api.merge(docs).merge(health_routes(readiness)))
}
