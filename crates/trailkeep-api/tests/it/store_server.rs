//! A server over a real store in a folder of its own, and a client for it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use prometheus_client::registry::Registry;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::timeout;
use trailkeep_analyze::{AnalyzeOptions, Analyzer};
use trailkeep_api::{
    App, BodyBudget, BodyIntake, BodyLimits, Drained, Envelope, HttpMetrics, Keys, NewKey, Server,
    Shutdown, ShutdownTrigger, SqlAccess, StoreMetrics, Transport, app_routes, metrics_routes,
    shutdown_pair,
};
use trailkeep_catalog::{Catalog, SqliteCatalog};
use trailkeep_event::Micros;
use trailkeep_ingest::{DiskMarks, Env, Store, StoreOptions};
use trailkeep_io::{Clock, Disk, DiskStore, Entropy, RealDisk, SimClock, SimEntropy, Tasks};
use trailkeep_query::{Engine, QueryOptions};
use trailkeep_scope::{Allow, ReadScope, WriteScope};

use crate::support::{LONG, OPTIONS, body, status, talk_over};

/// What the server's clock says at first.
pub(crate) const NOW: &str = "2026-04-20T12:00:00.000Z";
/// More events than this in one body are too many.
pub(crate) const EVENTS_MAX: usize = 2000;
/// How many live tails there may be.
pub(crate) const TAILS_MAX: usize = 8;
/// How many questions are answered at once.
pub(crate) const QUERIES_MAX: usize = 4;
/// How many exports there may be.
pub(crate) const EXPORTS_MAX: usize = 4;
const ANALYSES: AnalyzeOptions = AnalyzeOptions {
    memory_max: 1 << 20,
    duration_max: Duration::from_secs(30),
    rows_max: 1000,
    threads: 2,
};
/// Room for answers of any size that a test asks for.
const ROOMY_ANALYSES: AnalyzeOptions =
    AnalyzeOptions { memory_max: 256 << 20, rows_max: 10_000, ..ANALYSES };
/// How many events a second the bearer of [`LIMITED`] may send.
pub(crate) const LIMITED_PER_SECOND: u32 = 10;

/// The token of a key that may do everything.
pub(crate) const OPERATOR: &str = "operator";
/// The token of a key that may read half of the accounts.
pub(crate) const READER: &str = "reader";
/// The token of a key that may write to one account, application and category, which it may not
/// create.
pub(crate) const WRITER: &str = "writer";
/// The token of a key that may write everything, but not fast.
pub(crate) const LIMITED: &str = "limited";
/// No token at all.
pub(crate) const NOBODY: &str = "";

/// The accounts that [`READER`] may read; [`WRITER`] writes to the first.
pub(crate) const READABLE: [&str; 2] = ["acme", "account-0"];

/// The parameters of a query string.
pub(crate) type Parameters<'a> = &'a [(&'a str, &'a str)];

pub(crate) struct StoreServer {
    pub(crate) address: SocketAddr,
    pub(crate) store: Store,
    pub(crate) clock: SimClock,
    pub(crate) trigger: ShutdownTrigger,
    /// The places of questions.
    pub(crate) queries: Arc<Semaphore>,
    /// The places of exports.
    pub(crate) exports: Arc<Semaphore>,
    /// The routes, for who wants an answer without a connection.
    pub(crate) routes: Router,
    running: JoinSet<Drained>,
    tasks: Tasks,
    _folder: TempDir,
}

/// Runs a test on a server of its own and closes the store after it.
pub(crate) fn served(test: impl AsyncFnOnce(&StoreServer)) {
    served_with(SqlAccess::Operators, test);
}

/// The same, with another access to SQL.
pub(crate) fn served_with(sql: SqlAccess, test: impl AsyncFnOnce(&StoreServer)) {
    run(sql, ANALYSES, test);
}

/// Runs a test whose analyses have all the room that they need.
pub(crate) fn served_roomy(test: impl AsyncFnOnce(&StoreServer)) {
    run(SqlAccess::Operators, ROOMY_ANALYSES, test);
}

fn run(sql: SqlAccess, analyses: AnalyzeOptions, test: impl AsyncFnOnce(&StoreServer)) {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let server = StoreServer::start(sql, analyses).await;
        test(&server).await;
        server.stop().await;
    });
}

impl StoreServer {
    async fn start(sql: SqlAccess, analyses: AnalyzeOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = SimClock::new(Micros::parse(NOW).unwrap().0);
        let tasks = Tasks::new();
        let (store, catalog) = open_store(folder.path(), &clock, &tasks).await;
        let (trigger, shutdown) = shutdown_pair();
        let app = App { sql, ..app(&store, catalog, &clock, shutdown.clone(), analyses).await };
        let (queries, exports) = (Arc::clone(&app.queries), Arc::clone(&app.exports));
        let mut registry = Registry::with_prefix("trailkeep");
        let metrics = HttpMetrics::register(&mut registry);
        registry.register_collector(Box::new(StoreMetrics(store.clone())));
        let envelope = Envelope {
            entropy: Arc::clone(&app.entropy),
            clock: Arc::clone(&app.clock),
            metrics: metrics.clone(),
            answer_timeout: LONG,
        };
        let routes = app_routes(app).unwrap().merge(metrics_routes(Arc::new(registry)));
        let routes = envelope.wrap(routes);
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = Server::bind(any_port, Transport::Plain, OPTIONS, routes.clone(), metrics)
            .await
            .unwrap();
        let address = server.local_addr();
        let mut running = JoinSet::new();
        running.spawn(server.run(shutdown));
        Self {
            address,
            store,
            clock,
            trigger,
            queries,
            exports,
            routes,
            running,
            tasks,
            _folder: folder,
        }
    }

    async fn stop(mut self) {
        self.trigger.trigger();
        // The server waits for what works for its routes, as long as there are any.
        drop(self.routes);
        let drained = timeout(LONG, self.running.join_next()).await.unwrap().unwrap().unwrap();
        assert_eq!(drained, Drained { n_cut: 0 });
        let store = self.store.clone();
        spawn_blocking(move || store.close()).await.unwrap().unwrap();
        self.tasks.join(LONG).await.unwrap();
    }

    /// Seals what was sent so far.
    pub(crate) async fn seal(&self) {
        let store = self.store.clone();
        spawn_blocking(move || store.flush()).await.unwrap().unwrap();
    }

    /// Makes a call and returns its whole answer.
    pub(crate) async fn call(&self, call: Call<'_>) -> String {
        talk_over(self.connect().await, call.bytes()).await
    }

    /// Makes a call whose answer need not end.
    pub(crate) async fn open(&self, call: Call<'_>) -> Answering {
        let mut stream = self.connect().await;
        stream.write_all(&call.bytes()).await.unwrap();
        Answering { stream, read: String::new() }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends events and returns the answer to them.
    pub(crate) async fn send(&self, token: &str, events: &str) -> Value {
        json(&self.call(Call { token, body: events.as_bytes(), ..SEND }).await)
    }

    /// Asks for a list and returns the whole answer.
    pub(crate) async fn list(&self, token: &str, parameters: Parameters<'_>) -> String {
        let path = format!("/api/v1/events?{}", query(parameters));
        self.call(Call { token, path: &path, ..GET }).await
    }

    /// Asks for a list and returns a member of each of its items, null where it is absent.
    pub(crate) async fn listed(
        &self,
        token: &str,
        parameters: Parameters<'_>,
        member: &str,
    ) -> Vec<Value> {
        let page = json(&self.list(token, parameters).await);
        page["items"].as_array().unwrap().iter().map(|item| item[member].clone()).collect()
    }

    /// Walks over all pages and returns their entries.
    pub(crate) async fn walk(&self, token: &str, parameters: Parameters<'_>) -> Vec<Value> {
        self.walk_on(token, parameters, None).await
    }

    /// Walks over all pages from a cursor on.
    pub(crate) async fn walk_on(
        &self,
        token: &str,
        parameters: Parameters<'_>,
        mut cursor: Option<String>,
    ) -> Vec<Value> {
        let mut entries = Vec::new();
        loop {
            let mut parameters = parameters.to_vec();
            parameters.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let mut page = json(&self.list(token, &parameters).await);
            entries.append(page["items"].as_array_mut().unwrap());
            cursor = page["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                return entries;
            }
        }
    }
}

/// One request.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) token: &'a str,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    /// Further header lines, each with its line end.
    pub(crate) headers: &'a str,
    pub(crate) body: &'a [u8],
}

pub(crate) const GET: Call<'static> =
    Call { token: OPERATOR, method: "GET", path: "/", headers: "", body: b"" };
pub(crate) const SEND: Call<'static> = Call { method: "POST", path: "/api/v1/events", ..GET };

impl Call<'_> {
    fn bytes(&self) -> Vec<u8> {
        let Self { token, method, path, headers, body } = *self;
        let length = body.len();
        let bearer = match token {
            NOBODY => String::new(),
            token => format!("authorization: Bearer {token}\r\n"),
        };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{bearer}\
             content-length: {length}\r\n{headers}\r\n"
        );
        [head.as_bytes(), body].concat()
    }
}

/// An answer that is still coming.
pub(crate) struct Answering {
    stream: TcpStream,
    read: String,
}

impl Answering {
    /// Reads until a text has come and returns all that has.
    pub(crate) async fn until(&mut self, text: &str) -> &str {
        let read = async {
            let mut bytes = vec![0; 64 * 1024];
            while !self.read.contains(text) {
                let n_bytes = self.stream.read(&mut bytes).await.unwrap();
                assert!(n_bytes > 0, "the answer ended without {text:?}: {}", self.read);
                self.read.push_str(std::str::from_utf8(&bytes[..n_bytes]).unwrap());
            }
        };
        timeout(LONG, read).await.expect("it never came");
        &self.read
    }

    /// Reads to the end.
    pub(crate) async fn end(mut self) -> String {
        let rest = self.stream.read_to_string(&mut self.read);
        timeout(LONG, rest).await.expect("the answer did not end").unwrap();
        self.read
    }
}

/// Checks that a call went well and returns its JSON.
pub(crate) fn json(answer: &str) -> Value {
    assert!((200..300).contains(&status(answer)), "{answer}");
    serde_json::from_str(body(answer)).unwrap()
}

/// Returns parameters as they stand in a path.
pub(crate) fn query(parameters: Parameters<'_>) -> String {
    let escaped = |text: &str| -> String {
        let escape = |byte: u8| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        };
        text.bytes().map(escape).collect()
    };
    let pairs = parameters.iter().map(|(name, value)| format!("{name}={}", escaped(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// Returns an event with some more members.
pub(crate) fn event(account: &str, members: &str) -> String {
    let comma = if members.is_empty() { "" } else { "," };
    format!(
        r#"{{"account_id":"{account}","action":"a","occurred_at":"2026-04-20T11:00:00Z"{comma}{members}}}"#
    )
}

async fn open_store(folder: &Path, clock: &SimClock, tasks: &Tasks) -> (Store, Arc<dyn Catalog>) {
    let catalog = SqliteCatalog::open(&folder.join("catalog.sqlite")).await.unwrap();
    let catalog: Arc<dyn Catalog> = Arc::new(catalog);
    let disk: Arc<dyn Disk> = Arc::new(RealDisk::open(folder).unwrap());
    let env = Env {
        clock: Arc::new(clock.clone()),
        entropy: Arc::new(SimEntropy::new(1)),
        objects: Arc::new(DiskStore::new(Arc::clone(&disk), "objects")),
        disk,
        catalog: Arc::clone(&catalog),
        runtime: tokio::runtime::Handle::current(),
    };
    let mut options = StoreOptions::standard();
    options.events_max = EVENTS_MAX;
    options.journal.file_bytes = 4 << 20;
    options.journal.write_bytes_max = 1 << 20;
    options.disk = DiskMarks { high_bytes: 0, low_bytes: 0, reserve_bytes: 0 };
    let tasks = tasks.clone();
    let opened = spawn_blocking(move || trailkeep_ingest::open(env, options, &tasks));
    (opened.await.unwrap().unwrap(), catalog)
}

async fn app(
    store: &Store,
    catalog: Arc<dyn Catalog>,
    clock: &SimClock,
    shutdown: Shutdown,
    analyses: AnalyzeOptions,
) -> App {
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    let entropy: Arc<dyn Entropy> = Arc::new(SimEntropy::new(2));
    let keys = Keys::new(catalog, Arc::clone(&clock));
    for (token, key) in first_keys() {
        let record = key.record(token, &*entropy, Micros(clock.now_micros())).unwrap();
        keys.add(&record).await.unwrap();
    }
    let mut unused = Registry::default();
    let metrics = HttpMetrics::register(&mut unused);
    let budget = BodyBudget::new(BodyBudget::STANDARD_BYTES);
    App {
        engine: Engine::new(
            Arc::clone(store.shelf()),
            &store.identity().cursor_key,
            Arc::clone(&clock),
            QueryOptions { duration_max: Duration::from_secs(30) },
        ),
        analyzer: Analyzer::new(Arc::clone(store.shelf()), Arc::clone(&clock), analyses),
        sql: SqlAccess::Operators,
        store: store.clone(),
        keys: Arc::new(keys),
        clock,
        entropy,
        intake: BodyIntake::new(BodyLimits::STANDARD, budget, metrics),
        shutdown,
        queries: Arc::new(Semaphore::new(QUERIES_MAX)),
        analyses: Arc::new(Semaphore::new(QUERIES_MAX)),
        exports: Arc::new(Semaphore::new(EXPORTS_MAX)),
        bulk: Arc::new(Semaphore::new(1)),
        tails: Arc::new(Semaphore::new(TAILS_MAX)),
        back_up: Arc::new(|folder| Ok(serde_json::json!({ "directory": folder }))),
        measure: Arc::new(|| Ok(serde_json::json!({ "rows": 1 }))),
    }
}

fn first_keys() -> [(&'static str, NewKey); 4] {
    let key = |name: &str, read, write| NewKey {
        name: name.to_owned(),
        read,
        write,
        operator: false,
        expires_at: None,
    };
    let read = ReadScope { accounts: Allow::only(READABLE), categories: Allow::All };
    let write = WriteScope {
        accounts: Allow::only(READABLE.into_iter().take(1)),
        applications: Allow::only(["web"]),
        categories: Allow::only(["api"]),
        accounts_create: false,
        sample_rate_max: 10,
        events_per_second_max: None,
    };
    let slow =
        WriteScope { events_per_second_max: Some(LIMITED_PER_SECOND), ..WriteScope::everything() };
    let all = key("first", Some(ReadScope::everything()), Some(WriteScope::everything()));
    [
        (OPERATOR, NewKey { operator: true, ..all }),
        (READER, key("half of the accounts", Some(read), None)),
        (WRITER, key("one application", None, Some(write))),
        (LIMITED, key("slow", None, Some(slow))),
    ]
}
