//! What is sent, tried again and reported.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use trailkeep_client::{Client, ClientOptions, Error, RetryOptions, Secret};

use crate::server::{answer, scripted};

const DONE: &str = r#"{"accepted":2,"duplicates":[],"rejected":[],"position":"p0-1-0"}"#;

fn client(server: &str) -> Client {
    Client::new(ClientOptions {
        server: server.to_owned(),
        key: Secret::new("tk_secret\n"),
        trusted_pem: None,
        timeout: Duration::from_secs(10),
        retry: RetryOptions {
            tries_max: 3,
            wait_min: Duration::from_millis(1),
            wait_max: Duration::from_millis(1),
        },
    })
    .unwrap()
}

#[test]
fn small_bodies_go_plain_and_large_ones_compressed() {
    let (server, served) = scripted(vec![answer("200 OK", "", DONE), answer("200 OK", "", DONE)]);
    let client = client(&server);
    assert_eq!(client.send_events(b"{}\n{}\n").unwrap().accepted, 2);
    let large = b"{\"action\":\"a\"}\n".repeat(1000);
    client.send_events(&large).unwrap();
    let seen = served.join().unwrap();
    assert_eq!(seen[0].body, b"{}\n{}\n");
    assert!(seen[0].head.contains("authorization: bearer tk_secret\r\n"), "{}", seen[0].head);
    assert!(seen[1].head.contains("content-encoding: zstd\r\n"), "{}", seen[1].head);
    assert_eq!(zstd::bulk::decompress(&seen[1].body, 1 << 20).unwrap(), large);
}

#[test]
fn a_busy_server_is_asked_again() {
    let busy = |status: &str| answer(status, "retry-after: 0\r\n", r#"{"code":"overloaded"}"#);
    let (server, served) = scripted(vec![
        busy("503 Service Unavailable"),
        busy("429 Too Many Requests"),
        answer("200 OK", "", DONE),
    ]);
    assert_eq!(client(&server).send_events(b"{}").unwrap().accepted, 2);
    assert_eq!(served.join().unwrap().len(), 3);
}

/// Promise 2: events that may have been admitted are never sent again behind the caller's back.
#[test]
fn a_lost_answer_is_said_and_not_tried_again() {
    let timeout = answer("503 Service Unavailable", "", r#"{"code":"answer_timeout"}"#);
    for answer in
        [String::new(), "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_owned(), timeout]
    {
        let (server, served) = scripted(vec![answer]);
        let error = client(&server).send_events(b"{}").unwrap_err();
        assert!(matches!(error, Error::AnswerLost { .. }), "{error}");
        assert_eq!(served.join().unwrap().len(), 1);
    }
}

#[test]
fn errors_have_their_kinds() {
    let refused = r#"{"code":"invalid_parameter","detail":"no such parameter","field":"x"}"#;
    let (server, served) = scripted(vec![
        answer("401 Unauthorized", "", r#"{"detail":"the token is not known"}"#),
        answer("400 Bad Request", "", refused),
        answer("200 OK", "", "<html>"),
    ]);
    let client = client(&server);
    let error = client.send_events(b"{}").unwrap_err();
    assert!(
        matches!(&error, Error::NotAllowed { detail, .. } if detail == "the token is not known")
    );
    let error = client.get("/api/v1/events", &[("q", "a b&c"), ("x", "1")]).unwrap_err();
    assert!(
        matches!(&error, Error::Refused { status: 400, problem, .. } if problem.code == "invalid_parameter")
    );
    assert!(matches!(client.send_events(b"{}").unwrap_err(), Error::Answer { .. }));
    let seen = served.join().unwrap();
    assert!(seen[1].head.starts_with("get /api/v1/events?q=a%20b%26c&x=1 "), "{}", seen[1].head);
}

#[test]
fn nobody_there_is_unreachable() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let error = client(&server).get("/livez", &[]).unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
}

/// Never reached, not known by name, and reached before: three different things to a reader.
#[test]
fn where_nobody_is_there_the_words_differ() {
    let error = client("http://no..name:80").get("/livez", &[]).unwrap_err();
    assert!(matches!(error, Error::UnknownHost { .. }), "{error}");
    let (server, served) = scripted(vec![answer("200 OK", "", DONE)]);
    let client = client(&server);
    client.send_events(b"{}").unwrap();
    // The server has ended with its script.
    served.join().unwrap();
    let error = client.send_events(b"{}").unwrap_err();
    assert!(matches!(error, Error::Gone { .. }), "{error}");
}

static N_TOLD: AtomicU32 = AtomicU32::new(0);

#[test]
fn waiting_is_told_once() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let client = client(&server).on_wait(|error, waits| {
        assert!(matches!(error, Error::Unreachable { .. }), "{error}");
        assert_eq!(waits, Duration::from_millis(2));
        N_TOLD.fetch_add(1, Ordering::Relaxed);
    });
    for client in [&client, &client.clone()] {
        client.send_events(b"{}").unwrap_err();
    }
    assert_eq!(N_TOLD.load(Ordering::Relaxed), 1);
}

#[test]
fn a_stream_hands_out_events() {
    let body =
        ": tail\n\nid: 1\nevent: entry\ndata: {\"a\":1}\n\n: alive\n\nevent: gap\ndata: {}\n\n";
    let (server, served) = scripted(vec![answer("200 OK", "", body)]);
    let events = client(&server).stream("/api/v1/events/tail", &[]).unwrap();
    let events: Vec<_> = events.map(|event| event.unwrap()).collect();
    let pairs: Vec<_> = events.iter().map(|e| (e.event.as_str(), e.data.as_str())).collect();
    assert_eq!(pairs, [("entry", "{\"a\":1}"), ("gap", "{}")]);
    served.join().unwrap();
}

#[test]
fn bad_options_are_refused_and_secrets_are_not_shown() {
    let options = |server: &str, key: &str| ClientOptions {
        server: server.to_owned(),
        key: Secret::new(key),
        trusted_pem: None,
        timeout: Duration::from_secs(1),
        retry: RetryOptions::NONE,
    };
    for (server, key) in [
        ("127.0.0.1:8080", "k"),
        ("http://", "k"),
        ("http://h/path", "k"),
        ("http://a b", "k"),
        ("http://user@h", "k"),
        ("http://h", ""),
        ("http://h", "a\nb"),
    ] {
        assert!(Client::new(options(server, key)).is_err(), "{server} {key:?}");
    }
    let shown = format!("{:?}", Client::new(options("http://h/", "tk_hush")).unwrap());
    assert!(!shown.contains("tk_hush") && shown.contains("****"), "{shown}");
}

fn downloaded(client: &Client) -> Result<Vec<u8>, Error> {
    let mut download = client.download("/api/v1/events/export", b"{}")?;
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4]);
    loop {
        match download.read(&mut buffer)? {
            0 => return Ok(bytes),
            n_bytes => bytes.extend_from_slice(&buffer[..n_bytes]),
        }
    }
}

/// A download that breaks off is never taken for a whole one.
#[test]
fn a_download_is_whole_or_an_error() {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunks = "6\r\nabcdef\r\n4\r\nghij\r\n";
    let refused = r#"{"code":"invalid_parameter","detail":"no such format"}"#;
    let (server, served) = scripted(vec![
        format!("{head}{chunks}0\r\n\r\n"),
        format!("{head}{chunks}"),
        format!("{head}6\r\nabc"),
        answer("400 Bad Request", "", refused),
    ]);
    let client = client(&server);
    assert_eq!(downloaded(&client).unwrap(), b"abcdefghij");
    for _broken_off in 0..2 {
        let error = downloaded(&client).unwrap_err();
        assert!(matches!(error, Error::Gone { .. }), "{error}");
    }
    let error = downloaded(&client).unwrap_err();
    assert!(matches!(&error, Error::Refused { status: 400, .. }), "{error}");
    let seen = served.join().unwrap();
    assert!(seen[0].head.starts_with("post /api/v1/events/export "), "{}", seen[0].head);
}
