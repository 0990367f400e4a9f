//! Sends requests and reads answers.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use ureq::http::request::Builder;
use ureq::http::{Request, Response, StatusCode, header};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body};

use crate::link::Link;
use crate::retry::{Repeat, wished_wait};
use crate::{Download, Error, ProblemBody, Result, RetryOptions, Secret, SendAnswer, ServerEvents};

/// Bodies of at least so many bytes are compressed.
const COMPRESS_BYTES_MIN: usize = 4 * 1024;
const ZSTD_LEVEL: i32 = 1;
/// The largest answer that is read into memory.
const ANSWER_BYTES_MAX: u64 = 256 << 20;
const IDLE_CONNECTIONS_MAX: usize = 16;
/// Shorter than a server keeps an idle connection, so that none breaks as it is used.
const IDLE_AGE_MAX: Duration = Duration::from_secs(15);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How to reach a server.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// `http://host:port` or `https://host:port`.
    pub server: String,
    /// The bearer token.
    pub key: Secret,
    /// The PEM text of the certificates to trust; `None` trusts the usual authorities.
    pub trusted_pem: Option<Vec<u8>>,
    /// How long one try may take.
    pub timeout: Duration,
    /// How often to try again.
    pub retry: RetryOptions,
}

/// A connection to a server. Cloning shares its sockets; every call blocks.
#[derive(Clone, Debug)]
pub struct Client {
    agent: Agent,
    options: ClientOptions,
    link: Arc<Link>,
    tell: fn(&Error, Duration),
}

impl Client {
    /// Makes a client. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Options`] where the address, the key or the certificates cannot be used.
    pub fn new(mut options: ClientOptions) -> Result<Self> {
        options.server = check_server(&options.server)?;
        check_key(&options.key)?;
        let roots = match &options.trusted_pem {
            None => RootCerts::WebPki,
            Some(pem) => certificates(pem)?,
        };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .max_idle_connections(IDLE_CONNECTIONS_MAX)
            .max_idle_connections_per_host(IDLE_CONNECTIONS_MAX)
            .max_idle_age(IDLE_AGE_MAX)
            .user_agent(concat!("trailkeep/", env!("CARGO_PKG_VERSION")))
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .build();
        Ok(Self { agent: config.into(), options, link: Arc::default(), tell: |_error, _waits| {} })
    }

    /// Calls `tell` when the server cannot be reached, once until it is reached again, before the
    /// request is tried again; with how long that goes on.
    #[must_use]
    pub fn on_wait(mut self, tell: fn(&Error, Duration)) -> Self {
        self.tell = tell;
        self
    }

    /// Returns the server's address.
    pub fn server(&self) -> &str {
        &self.options.server
    }

    /// Sends events, one a line, and returns what became of each. Large bodies are compressed.
    ///
    /// # Errors
    /// [`Error::AnswerLost`] where it is not known whether they were admitted: sending them again
    /// is harmless if each has its `source_id`, and makes second entries if not.
    pub fn send_events(&self, ndjson: &[u8]) -> Result<SendAnswer> {
        let mut request = Request::post(self.url("/api/v1/events", &[]))
            .header(header::CONTENT_TYPE, "application/x-ndjson");
        let body = if ndjson.len() < COMPRESS_BYTES_MIN {
            ndjson.to_vec()
        } else {
            request = request.header(header::CONTENT_ENCODING, "zstd");
            zstd::bulk::compress(ndjson, ZSTD_LEVEL).map_err(|source| Error::Compress { source })?
        };
        let answer = self.repeat(Repeat::IfNotSent, &finish(request, body)?)?;
        self.parse(&answer)
    }

    /// Asks for something and returns the answer's body.
    pub fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Vec<u8>> {
        let request = Request::get(self.url(path, query));
        self.repeat(Repeat::Always, &finish(request, Vec::new())?)
    }

    /// Posts JSON and returns the answer's body. `timeout` replaces the client's own.
    pub fn post(&self, path: &str, json: &[u8], timeout: Duration) -> Result<Vec<u8>> {
        let options = ClientOptions { timeout, ..self.options.clone() };
        let patient = Self { options, ..self.clone() };
        let request =
            Request::post(self.url(path, &[])).header(header::CONTENT_TYPE, "application/json");
        patient.repeat(Repeat::IfNotSent, &finish(request, json.to_vec())?)
    }

    /// Posts JSON and returns the answer as it comes, for as long as that takes.
    pub fn download(&self, path: &str, json: &[u8]) -> Result<Download> {
        let request =
            Request::post(self.url(path, &[])).header(header::CONTENT_TYPE, "application/json");
        let response = self.run(finish(request, json.to_vec())?, None)?;
        Ok(Download::new(&self.options.server, response.into_body()))
    }

    /// Deletes something.
    pub fn delete(&self, path: &str) -> Result<()> {
        let request = Request::delete(self.url(path, &[]));
        self.repeat(Repeat::IfNotSent, &finish(request, Vec::new())?).map(drop)
    }

    /// Opens a stream of server-sent events; it stays open for as long as both sides like.
    pub fn stream(&self, path: &str, query: &[(&str, &str)]) -> Result<ServerEvents> {
        let request = Request::get(self.url(path, query));
        let request = finish(request.header(header::ACCEPT, "text/event-stream"), Vec::new())?;
        let response = self.run(request, None)?;
        Ok(ServerEvents::new(&self.options.server, response.into_body()))
    }

    /// Reads an answer as JSON.
    ///
    /// # Errors
    /// [`Error::Answer`] where it is something else.
    pub fn parse<T: DeserializeOwned>(&self, answer: &[u8]) -> Result<T> {
        serde_json::from_slice(answer).map_err(|error| Error::Answer {
            server: self.options.server.clone(),
            detail: error.to_string(),
        })
    }

    fn url(&self, path: &str, query: &[(&str, &str)]) -> String {
        let mut url = format!("{}{path}", self.options.server);
        for (index, (name, value)) in query.iter().enumerate() {
            url.push(if index == 0 { '?' } else { '&' });
            url.push_str(name);
            url.push('=');
            push_encoded(&mut url, value);
        }
        url
    }

    fn exchange(&self, request: Request<Vec<u8>>) -> Result<Vec<u8>> {
        let response = self.run(request, Some(self.options.timeout))?;
        self.body(response)
    }

    fn body(&self, response: Response<Body>) -> Result<Vec<u8>> {
        let body = response.into_body().into_with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        body.map_err(|error| self.lost(error))
    }

    /// Sends one request and checks the answer's status.
    fn run(
        &self,
        mut request: Request<Vec<u8>>,
        timeout: Option<Duration>,
    ) -> Result<Response<Body>> {
        let bearer = format!("Bearer {}", self.options.key.expose());
        if let Ok(mut value) = header::HeaderValue::from_str(&bearer) {
            value.set_sensitive(true);
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        let request = self.agent.configure_request(request).timeout_global(timeout).build();
        let server = &self.options.server;
        let response = self.agent.run(request).map_err(|error| self.link.failed(server, error))?;
        self.link.answered();
        if response.status().is_success() { Ok(response) } else { Err(self.refusal(response)) }
    }

    fn lost(&self, error: ureq::Error) -> Error {
        let server = self.options.server.clone();
        Error::AnswerLost { server, source: Some(Box::new(error)) }
    }

    fn refusal(&self, response: Response<Body>) -> Error {
        let server = self.options.server.clone();
        let status = response.status();
        let retry_after_s = response
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.parse().ok());
        let body = response.into_body().into_with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        let problem = body.ok().and_then(|body| serde_json::from_slice(&body).ok());
        let mut problem: ProblemBody = problem.unwrap_or_default();
        problem.retry_after_s = retry_after_s;
        if problem.detail.is_empty() {
            status.canonical_reason().unwrap_or("an error").clone_into(&mut problem.detail);
        }
        if status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN {
            return Error::NotAllowed { server, detail: problem.detail };
        }
        if problem.code == "answer_timeout" {
            return Error::AnswerLost { server, source: None };
        }
        Error::Refused { server, status: status.as_u16(), problem: Box::new(problem) }
    }

    /// Tries until it works, the error is of another kind, or the tries are used up.
    fn repeat(&self, repeat: Repeat, request: &Request<Vec<u8>>) -> Result<Vec<u8>> {
        let retry = self.options.retry;
        let mut wait = retry.wait_min;
        for _try in 1..retry.tries_max {
            let error = match self.exchange(request.clone()) {
                Err(error) if repeat.covers(&error) => error,
                done => return done,
            };
            if self.link.breaks(&error) {
                (self.tell)(&error, retry.waits());
            }
            std::thread::sleep(wished_wait(&error).unwrap_or(wait));
            wait = wait.saturating_mul(2).min(retry.wait_max);
        }
        self.exchange(request.clone())
    }
}

fn finish(request: Builder, body: Vec<u8>) -> Result<Request<Vec<u8>>> {
    let bad = |error: ureq::http::Error| Error::Options {
        what: "the request",
        detail: error.to_string(),
    };
    request.body(body).map_err(bad)
}

fn check_server(server: &str) -> Result<String> {
    let bad = |detail: &str| Error::Options { what: "the server", detail: detail.to_owned() };
    let server = server.trim_end_matches('/');
    let rest = server.strip_prefix("http://").or_else(|| server.strip_prefix("https://"));
    let host = rest.ok_or_else(|| bad("write it like http://127.0.0.1:8080"))?;
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '?' | '#' | '@');
    if host.is_empty() || host.contains(odd) {
        return Err(bad("write only its scheme, host and port, like http://127.0.0.1:8080"));
    }
    Ok(server.to_owned())
}

fn check_key(key: &Secret) -> Result<()> {
    let fits = !key.expose().is_empty() && key.expose().bytes().all(|b| (0x21..0x7f).contains(&b));
    if fits {
        return Ok(());
    }
    let detail = "a key has one or more printable ASCII characters and no spaces".to_owned();
    Err(Error::Options { what: "the key", detail })
}

fn certificates(pem: &[u8]) -> Result<RootCerts> {
    let bad = |detail: String| Error::Options { what: "the trusted certificates", detail };
    let mut found = Vec::new();
    for item in parse_pem(pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| bad(error.to_string()))? {
            found.push(certificate);
        }
    }
    if found.is_empty() {
        return Err(bad("the file holds no certificate".to_owned()));
    }
    Ok(RootCerts::new_with_certs(&found))
}

fn push_encoded(url: &mut String, value: &str) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            url.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _written = write!(url, "%{byte:02X}");
        }
    }
}
