//! Connections that are slow, broken, too many, or hold too much.

use trailkeep_api::{Error, HttpMetrics, Server, ServerOptions, Transport};

use crate::support::{
    Client, LONG, OPTIONS, SETUP, SHORT, Setup, TICK, TestServer, body, get_request, header, status,
};

fn with(options: ServerOptions) -> Setup {
    Setup { options, ..SETUP }
}

async fn closed_without_answer(client: Client) {
    assert_eq!(client.rest().await, "");
}

/// "slow-loris: a closed connection"
#[tokio::test]
async fn a_head_that_comes_too_slowly_is_cut() {
    let server =
        TestServer::start_with(with(ServerOptions { header_timeout: SHORT, ..OPTIONS })).await;
    // Nothing at all.
    closed_without_answer(server.connect().await).await;
    // A part, then nothing.
    let mut client = server.connect().await;
    client.send("GET /hello HTTP/1.1\r\nhost: x\r\n").await;
    closed_without_answer(client).await;
    // A byte now and then, for ever.
    let (mut reader, mut writer) = server.connect().await.0.into_split();
    let drip = async {
        let mut tick = tokio::time::interval(TICK);
        loop {
            tick.tick().await;
            if tokio::io::AsyncWriteExt::write_all(&mut writer, b"a").await.is_err() {
                break;
            }
        }
    };
    let mut answer = Vec::new();
    tokio::select! {
        () = drip => {}
        read = tokio::io::AsyncReadExt::read_to_end(&mut reader, &mut answer) => drop(read),
    }
    assert_eq!(answer, b"");
    drop((reader, writer));
    server.stop().await;
}

#[tokio::test]
async fn a_kept_connection_may_be_silent_but_not_slow() {
    let options = ServerOptions { header_timeout: SHORT, ..OPTIONS };
    let server = TestServer::start_with(with(options)).await;
    let mut client = server.connect().await;
    client.send("GET /hello HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert_eq!(body(&client.answer().await), "hello");
    // Longer than a head may take.
    tokio::time::sleep(SHORT).await;
    tokio::time::sleep(SHORT / 2).await;
    client.send("GET /hello HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert_eq!(body(&client.answer().await), "hello");
    client.send("GET /hello HT").await;
    closed_without_answer(client).await;
    server.stop().await;
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let options = ServerOptions { header_timeout: SHORT, idle_timeout: SHORT, ..OPTIONS };
    let server = TestServer::start_with(with(options)).await;
    let mut client = server.connect().await;
    client.send("GET /hello HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert_eq!(body(&client.answer().await), "hello");
    closed_without_answer(client).await;
    server.stop().await;
}

#[tokio::test]
async fn a_long_answer_does_not_count_as_silence() {
    let options = ServerOptions { header_timeout: SHORT / 2, idle_timeout: SHORT / 2, ..OPTIONS };
    let server = TestServer::start_with(with(options)).await;
    let mut client = server.connect().await;
    // The second request waits in the buffer while the first is answered.
    client
        .send("GET /gate HTTP/1.1\r\nhost: x\r\n\r\nGET /hello HTTP/1.1\r\nhost: x\r\n\r\n")
        .await;
    server.begun.acquire().await.unwrap().forget();
    tokio::time::sleep(SHORT).await;
    server.gate.add_permits(1);
    assert_eq!(body(&client.answer().await), "\"through\"");
    assert_eq!(body(&client.answer().await), "hello");
    drop(client);
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut() {
    let options = ServerOptions { write_timeout: SHORT, linger_timeout: TICK, ..OPTIONS };
    let server = TestServer::start_with(with(options)).await;
    let mut client = server.connect().await;
    client.send("GET /hello HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert_eq!(body(&client.answer().await), "hello");
    client.send(get_request("/endless")).await;
    let cut = async {
        // The one that asks is itself open.
        while server.metric("trailkeep_http_connections_open").await.unwrap() != "1" {
            tokio::time::sleep(TICK).await;
        }
    };
    tokio::time::timeout(LONG, cut).await.unwrap();
    drop(client);
    server.stop().await;
}

/// "header bombs: a clear 4xx or a closed connection"
#[tokio::test]
async fn header_bombs_are_refused() {
    let server = TestServer::start().await;
    let large = format!("host: x\r\nconnection: close\r\na: {}\r\n", "x".repeat(15_000));
    let fine = format!("GET /hello HTTP/1.1\r\n{large}\r\n");
    assert_eq!(status(&server.talk(fine).await), 200);
    let bombs = [
        format!("GET /hello HTTP/1.1\r\nhost: x\r\na: {}\r\n\r\n", "x".repeat(17_000)),
        format!("GET /hello HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(65)),
        format!("GET /hello?{} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(17_000)),
        // One that never ends.
        format!("GET /hello HTTP/1.1\r\nhost: x\r\na: {}", "x".repeat(10_000_000)),
        format!("GET /hello HTTP/1.1\r\nhost: x\r\n{}", "a: b\r\n".repeat(1_000_000)),
    ];
    for bomb in bombs {
        let answer = server.talk(&bomb).await;
        assert_eq!(status(&answer), 431, "{} bytes", bomb.len());
    }
    assert_eq!(status(&server.talk(get_request("/hello")).await), 200);
    server.stop().await;
}

#[tokio::test]
async fn garbage_is_refused() {
    let server = TestServer::start().await;
    let garbage: [&[u8]; 9] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\r\n\r\n",
        b"hello\r\n\r\n",
        b"GET /hello\r\n\r\n",
        b"GET /hello HTTP/9.9\r\n\r\n",
        b"GET /a b c HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /hello HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /hello HTTP/1.1\r\na: \x00\r\n\r\n",
        b"\xff\xfe\xfd\xfc\xfb\xfa\r\n\r\n",
    ];
    for bytes in garbage {
        let answer = server.talk(bytes).await;
        assert!(answer.is_empty() || status(&answer) == 400, "{bytes:?}: {answer}");
    }
    assert_eq!(status(&server.talk(get_request("/hello")).await), 200);
    server.stop().await;
}

/// Two lengths, or a length beside chunks, are how a request is smuggled past a proxy.
#[tokio::test]
async fn ambiguous_bodies_are_refused() {
    let server = TestServer::start().await;
    let smuggled = "GET /hello HTTP/1.1\r\nhost: x\r\n\r\n";
    for headers in [
        "content-length: 5\r\ncontent-length: 50\r\n",
        "content-length: -1\r\n",
        "content-length: 99999999999999999999999\r\n",
        "transfer-encoding: chunked, identity\r\n",
    ] {
        let answer =
            server.talk(format!("POST /body HTTP/1.1\r\nhost: x\r\n{headers}\r\n{smuggled}")).await;
        assert_eq!(status(&answer), 400, "{headers}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{headers}: {answer}");
    }
    // Where both lengths are there, the chunks count and nothing after them does.
    let both = "POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\
                \r\n0\r\n\r\n";
    let answer = server.talk(format!("{both}{smuggled}")).await;
    assert_eq!((status(&answer), body(&answer)), (200, "Json 0"));
    server.stop().await;
}

/// "pipelining"
#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = TestServer::start().await;
    let mut requests = String::new();
    for number in 0..500 {
        requests += "GET /number/";
        requests += &number.to_string();
        requests += " HTTP/1.1\r\nhost: x\r\n\r\n";
        requests += "POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}";
    }
    requests += &get_request("/hello");
    let answers = server.talk(requests).await;
    let bodies: Vec<_> = answers
        .split("HTTP/1.1 200 OK")
        .skip(1)
        .map(|answer| answer.split_once("\r\n\r\n").unwrap().1.to_owned())
        .collect();
    assert_eq!(bodies.len(), 1001);
    for number in 0..500 {
        assert_eq!(bodies[2 * number], number.to_string());
        assert_eq!(bodies[2 * number + 1], "Json 2");
    }
    assert_eq!(bodies[1000], "hello");
    server.stop().await;
}

#[tokio::test]
async fn too_many_connections_are_told_so() {
    let server =
        TestServer::start_with(with(ServerOptions { connections_max: 2, ..OPTIONS })).await;
    let mut served = [server.connect().await, server.connect().await];
    for client in &mut served {
        client.send("GET /hello HTTP/1.1\r\nhost: x\r\n\r\n").await;
        assert_eq!(body(&client.answer().await), "hello");
    }
    for _ in 0..100 {
        let answer = server.talk(get_request("/hello")).await;
        assert_eq!((status(&answer), header(&answer, "retry-after")), (503, Some("1")));
        let problem: serde_json::Value = serde_json::from_str(body(&answer)).unwrap();
        assert_eq!(problem["code"], "overloaded");
    }
    // Those that were there first are served on, and a place that becomes free is given.
    let [first, mut second] = served;
    second.send("GET /hello HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert_eq!(body(&second.answer().await), "hello");
    drop(first);
    let again = async { while status(&server.talk(get_request("/hello")).await) != 200 {} };
    tokio::time::timeout(LONG, again).await.unwrap();
    drop(second);
    server.stop().await;
}

#[tokio::test]
async fn a_route_learns_who_calls() {
    let server = TestServer::start().await;
    assert_eq!(body(&server.talk(get_request("/peer")).await), "127.0.0.1");
    server.stop().await;
}

/// "plain HTTP only on loopback or with `behind_proxy = true`"
#[tokio::test]
async fn plain_http_stays_on_the_loopback() {
    let everywhere = ([0, 0, 0, 0], 0).into();
    let bind = async |transport| {
        let metrics = HttpMetrics::register(&mut prometheus_client::registry::Registry::default());
        Server::bind(everywhere, transport, OPTIONS, axum::Router::new(), metrics).await
    };
    let refused = bind(Transport::Plain).await.unwrap_err();
    assert!(matches!(refused, Error::PlainBeyondLoopback { address } if address == everywhere));
    assert!(bind(Transport::BehindProxy).await.is_ok());
}
