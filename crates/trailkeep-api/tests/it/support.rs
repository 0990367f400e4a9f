//! A server with short limits, and clients that write raw bytes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use prometheus_client::registry::Registry;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use trailkeep_api::{
    BodyBudget, BodyIntake, BodyLimits, Drained, Envelope, ErrorCode, HttpMetrics, PeerIp, Problem,
    Server, ServerOptions, ShutdownTrigger, Transport, body_format, metrics_routes, shutdown_pair,
};
use trailkeep_io::{SimClock, SimEntropy, Tasks};

pub(crate) const TICK: Duration = Duration::from_millis(10);
pub(crate) const SHORT: Duration = Duration::from_millis(100);
/// What is only reached when a test fails.
pub(crate) const LONG: Duration = Duration::from_secs(20);

pub(crate) const OPTIONS: ServerOptions = ServerOptions {
    connections_max: 16,
    header_timeout: LONG,
    idle_timeout: LONG,
    handshake_timeout: LONG,
    write_timeout: LONG,
    linger_timeout: LONG,
    shutdown_timeout: LONG,
    ..ServerOptions::STANDARD
};

pub(crate) const LIMITS: BodyLimits = BodyLimits {
    wire_bytes_max: 256 * 1024,
    decoded_bytes_max: 1024 * 1024,
    decoded_ratio_max: 100,
    decoded_bytes_free: 64 * 1024,
    progress_bytes_min: 1024,
    progress_timeout: LONG,
    total_timeout: LONG,
};

/// What a test may turn.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) options: ServerOptions,
    pub(crate) limits: BodyLimits,
    pub(crate) budget_bytes: usize,
    pub(crate) answer_timeout: Duration,
    pub(crate) transport: Transport,
}

pub(crate) const SETUP: Setup = Setup {
    options: OPTIONS,
    limits: LIMITS,
    budget_bytes: 2 * 1024 * 1024,
    answer_timeout: LONG,
    transport: Transport::Plain,
};

pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) budget: BodyBudget,
    /// Has a permit for each request of `/gate` that has begun.
    pub(crate) begun: Arc<Semaphore>,
    /// A permit lets one request of `/gate` go on.
    pub(crate) gate: Arc<Semaphore>,
    pub(crate) trigger: ShutdownTrigger,
    running: JoinSet<Drained>,
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::start_with(SETUP).await
    }

    pub(crate) async fn start_with(setup: Setup) -> Self {
        let mut registry = Registry::with_prefix("trailkeep");
        let metrics = HttpMetrics::register(&mut registry);
        let budget = BodyBudget::new(setup.budget_bytes);
        let begun = Arc::new(Semaphore::new(0));
        let gate = Arc::new(Semaphore::new(0));
        let intake = BodyIntake::new(setup.limits, budget.clone(), metrics.clone());
        let (trigger, shutdown) = shutdown_pair();
        let routes = Router::new()
            .route("/hello", get(async || "hello"))
            .route("/number/{number}", get(number))
            .route("/body", post(take_body))
            .route("/peer", get(async |Extension(peer): Extension<PeerIp>| peer.to_string()))
            .route("/panic", get(panics))
            .route("/broken", get(broken))
            .route("/stuck", get(std::future::pending::<()>))
            .route("/endless", get(endless))
            .with_state((intake, shutdown.tasks().clone()))
            .merge(gate_routes(Arc::clone(&begun), Arc::clone(&gate)))
            .merge(metrics_routes(Arc::new(registry)));
        let envelope = Envelope {
            entropy: Arc::new(SimEntropy::new(7)),
            clock: Arc::new(SimClock::new(0)),
            metrics: metrics.clone(),
            answer_timeout: setup.answer_timeout,
        };
        let routes = envelope.wrap(routes);
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let server =
            Server::bind(any_port, setup.transport, setup.options, routes, metrics).await.unwrap();
        let address = server.local_addr();
        let mut running = JoinSet::new();
        running.spawn(server.run(shutdown));
        Self { address, budget, begun, gate, trigger, running }
    }

    pub(crate) async fn connect(&self) -> Client {
        Client(TcpStream::connect(self.address).await.unwrap())
    }

    /// Sends bytes and returns all that comes back until the server hangs up.
    pub(crate) async fn talk(&self, request: impl AsRef<[u8]> + Send + Sync) -> String {
        self.connect().await.talk(request).await
    }

    /// Returns a metric's value from the metrics page.
    pub(crate) async fn metric(&self, name: &str) -> Option<String> {
        let page = self.talk(get_request("/metrics")).await;
        let line = page.lines().find(|line| line.starts_with(name))?;
        Some(line.rsplit_once(' ')?.1.to_owned())
    }

    /// Asks for a shutdown and waits for it.
    pub(crate) async fn stop(mut self) -> Drained {
        self.trigger.trigger();
        timeout(LONG, self.running.join_next()).await.unwrap().unwrap().unwrap()
    }
}

async fn number(Path(number): Path<u32>) -> String {
    number.to_string()
}

async fn take_body(
    State((intake, tasks)): State<(BodyIntake, Tasks)>,
    request: Request,
) -> Result<String, Problem> {
    let (head, body) = request.into_parts();
    let format = body_format(&head.headers)?;
    let body = intake.capped_body(&tasks, &head.headers, body).await?;
    Ok(format!("{format:?} {}", body.len()))
}

async fn panics() {
    panic!("on purpose");
}

async fn broken() -> Problem {
    let cause = std::io::Error::other("the secret path is /x");
    Problem::new(ErrorCode::Internal, "something went wrong inside").caused_by(&cause)
}

async fn endless() -> Body {
    let chunk = Bytes::from(vec![b'x'; 64 * 1024]);
    Body::from_stream(futures::stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone())))
}

fn gate_routes(begun: Arc<Semaphore>, gate: Arc<Semaphore>) -> Router {
    let through = async move || {
        begun.add_permits(1);
        gate.acquire().await.unwrap().forget();
        Json("through")
    };
    Router::new().route("/gate", get(through))
}

pub(crate) struct Client(pub(crate) TcpStream);

impl Client {
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Sends bytes and reads until the server hangs up.
    pub(crate) async fn talk(self, request: impl AsRef<[u8]> + Send + Sync) -> String {
        talk_over(self.0, request).await
    }

    /// Reads until the server hangs up.
    pub(crate) async fn rest(self) -> String {
        self.talk("").await
    }

    /// Reads one answer that has a `content-length`.
    pub(crate) async fn answer(&mut self) -> String {
        let mut read = Vec::new();
        let whole = async {
            loop {
                let mut byte = [0];
                self.0.read_exact(&mut byte).await.unwrap();
                read.push(byte[0]);
                if read.ends_with(b"\r\n\r\n") {
                    break;
                }
            }
            let head = String::from_utf8(read.clone()).unwrap();
            let length = header(&head, "content-length").unwrap().parse().unwrap();
            let mut body = vec![0; length];
            self.0.read_exact(&mut body).await.unwrap();
            head + std::str::from_utf8(&body).unwrap()
        };
        timeout(LONG, whole).await.expect("no whole answer")
    }
}

/// Sends and reads at once: a server that answers early stops reading. Errors end the exchange,
/// they are one way of hanging up.
pub(crate) async fn talk_over<S>(stream: S, request: impl AsRef<[u8]> + Send + Sync) -> String
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send,
{
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut answer = Vec::new();
    let send = async {
        drop(writer.write_all(request.as_ref()).await);
        drop(writer.flush().await);
    };
    let receive = async {
        drop(reader.read_to_end(&mut answer).await);
    };
    timeout(LONG, async { tokio::join!(send, receive) }).await.expect("the server did not hang up");
    String::from_utf8_lossy(&answer).into_owned()
}

/// A whole request after which the connection is closed.
pub(crate) fn get_request(path: &str) -> String {
    request("GET", path)
}

pub(crate) fn request(method: &str, path: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
}

pub(crate) fn post_request(headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST /body HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\
         {headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}

pub(crate) fn status(answer: &str) -> u16 {
    let code = answer.split(' ').nth(1).unwrap_or_else(|| panic!("no status in {answer:?}"));
    code.parse().unwrap()
}

pub(crate) fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next()?;
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(": ")?;
        found.eq_ignore_ascii_case(name).then_some(value)
    })
}

pub(crate) fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

/// Checks that an answer is a problem and returns it.
pub(crate) fn problem(answer: &str) -> serde_json::Value {
    assert_eq!(header(answer, "content-type"), Some("application/problem+json"), "{answer}");
    let problem: serde_json::Value = serde_json::from_str(body(answer)).unwrap();
    assert_eq!(problem["status"], status(answer));
    assert_eq!(problem["request_id"].as_str(), header(answer, "x-request-id"));
    problem
}

/// Waits until something is so, without a fixed pause.
pub(crate) async fn until(mut so: impl FnMut() -> bool) {
    let wait = async {
        while !so() {
            tokio::time::sleep(TICK).await;
        }
    };
    timeout(LONG, wait).await.expect("it never became so");
}
