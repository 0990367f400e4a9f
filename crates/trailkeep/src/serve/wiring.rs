//! Puts the routes together with what they work on.

use std::sync::Arc;

use anyhow::Context;
use prometheus_client::registry::Registry;
use tokio::sync::Semaphore;
use trailkeep_api::{
    App, BackUp, BodyBudget, BodyIntake, Envelope, HttpMetrics, Keys, Measure, Server, Shutdown,
    StoreMetrics, Transport, app_routes, metrics_routes,
};
use trailkeep_io::RealDisk;

use crate::backup::back_up;
use crate::config::Config;
use crate::local::LocalStore;
use crate::stats::measure;

const METRICS_PREFIX: &str = "trailkeep";

/// The servers, bound but not answering yet.
#[derive(Debug)]
pub(super) struct Servers {
    pub(super) public: Server,
    /// Where operators look: it never speaks TLS and never leaves the machine.
    pub(super) admin: Option<Server>,
    /// The keys that are answered to.
    pub(super) keys: Arc<Keys>,
}

/// Puts everything together and binds the addresses.
pub(super) fn wire(
    local: &LocalStore,
    config: &Config,
    transport: Transport,
    shutdown: Shutdown,
) -> anyhow::Result<Servers> {
    let machine = &local.machine;
    let mut registry = Registry::with_prefix(METRICS_PREFIX);
    let metrics = HttpMetrics::register(&mut registry);
    registry.register_collector(Box::new(StoreMetrics(local.store.clone())));
    let keys = Keys::new(Arc::clone(local.store.catalog()), Arc::clone(&machine.clock));
    machine.runtime.block_on(keys.reload()).context("could not read the keys")?;
    let keys = Arc::new(keys);
    let budget = BodyBudget::new(config.bodies_bytes_max);
    let app = App {
        store: local.store.clone(),
        engine: local.engine(config.query),
        analyzer: local.analyzer(config.analyze),
        sql: config.sql,
        keys: Arc::clone(&keys),
        clock: Arc::clone(&machine.clock),
        entropy: Arc::clone(&machine.entropy),
        intake: BodyIntake::new(config.body, budget, metrics.clone()),
        shutdown,
        queries: Arc::new(Semaphore::new(config.queries_max)),
        analyses: Arc::new(Semaphore::new(config.analyses_max)),
        exports: Arc::new(Semaphore::new(config.exports_max)),
        bulk: Arc::new(Semaphore::new(bulk_max())),
        tails: Arc::new(Semaphore::new(config.tails_max)),
        back_up: make_back_up(local),
        measure: make_measure(local)?,
    };
    let envelope = Envelope {
        entropy: Arc::clone(&machine.entropy),
        clock: Arc::clone(&machine.clock),
        metrics: metrics.clone(),
        answer_timeout: config.answer_timeout,
    };
    let (runtime, options) = (&machine.runtime, config.server);
    let routes = envelope.clone().wrap(app_routes(app)?);
    let public = Server::bind(config.address, transport, options, routes, metrics.clone());
    let public = runtime.block_on(public)?;
    let admin_routes = envelope.wrap(metrics_routes(Arc::new(registry)));
    let admin = config.admin_address.map(|address| {
        let bound = Server::bind(address, Transport::Plain, options, admin_routes, metrics);
        runtime.block_on(bound)
    });
    Ok(Servers { public, admin: admin.transpose()?, keys })
}

fn make_back_up(local: &LocalStore) -> Arc<BackUp> {
    let store = local.store.clone();
    let (runtime, clock) =
        (local.machine.runtime.handle().clone(), Arc::clone(&local.machine.clock));
    Arc::new(move |directory| {
        let manifest = back_up(&store, &runtime, &*clock, directory)?;
        Ok(serde_json::to_value(manifest.summary())?)
    })
}

fn make_measure(local: &LocalStore) -> anyhow::Result<Arc<Measure>> {
    let (store, disk) = (local.store.clone(), RealDisk::open(&local.data)?);
    Ok(Arc::new(move || {
        let stats = measure(store.shelf(), &disk, store.gauges().accounts)?;
        Ok(serde_json::to_value(stats)?)
    }))
}

/// Returns how many large bodies are read at once.
fn bulk_max() -> usize {
    let n_processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    n_processors.saturating_sub(1).max(1)
}
