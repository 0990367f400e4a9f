//! Bodies that are too large, too slow, damaged, or bombs.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::AsyncWriteExt;

use crate::support::{
    LIMITS, SETUP, SHORT, Setup, TICK, TestServer, body, header, post_request, problem, status,
    until,
};
use trailkeep_api::BodyLimits;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, 3).unwrap()
}

/// Bytes that do not compress.
fn noise(n: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[0]
    };
    (0..n).map(|_| next()).collect()
}

const GZIP: &str = "content-encoding: gzip\r\n";
const ZSTD: &str = "content-encoding: zstd\r\n";

async fn check(server: &TestServer, headers: &str, sent: &[u8], expected: Result<&str, &str>) {
    let answer = server.talk(post_request(headers, sent)).await;
    let got = match status(&answer) {
        200 => Ok(body(&answer).to_owned()),
        _ => Err(problem(&answer)["code"].as_str().unwrap().to_owned()),
    };
    let got = got.as_deref().map_err(String::as_str);
    assert_eq!(got, expected, "{headers:?}, {} bytes", sent.len());
}

#[tokio::test]
async fn bodies_are_read_and_decompressed() {
    let server = TestServer::start().await;
    let text = noise(30_000);
    check(&server, "", b"", Ok("Json 0")).await;
    check(&server, "", b"{}", Ok("Json 2")).await;
    check(&server, "content-type: application/x-ndjson\r\n", b"{}\n", Ok("Lines 3")).await;
    check(&server, "", &noise(256 * 1024), Ok("Json 262144")).await;
    check(&server, "content-encoding: identity\r\n", &text, Ok("Json 30000")).await;
    check(&server, GZIP, &gzip(b"{}"), Ok("Json 2")).await;
    check(&server, GZIP, &gzip(&text), Ok("Json 30000")).await;
    check(&server, ZSTD, &zstd(b"{}"), Ok("Json 2")).await;
    check(&server, ZSTD, &zstd(&text), Ok("Json 30000")).await;
    // Several members, as `cat a.gz b.gz` makes them.
    check(&server, GZIP, &[gzip(&text), gzip(b"{}")].concat(), Ok("Json 30002")).await;
    check(&server, ZSTD, &[zstd(&text), zstd(b"{}")].concat(), Ok("Json 30002")).await;
    assert_eq!(server.metric("trailkeep_http_body_decoded_bytes_total").await.unwrap(), "412157");
    server.stop().await;
}

#[tokio::test]
async fn damaged_and_unknown_bodies_are_refused() {
    let server = TestServer::start().await;
    let gzipped = gzip(&noise(20_000));
    let zstandard = zstd(&noise(20_000));
    check(&server, GZIP, b"not gzip", Err("invalid_encoding")).await;
    check(&server, GZIP, b"", Err("invalid_encoding")).await;
    check(&server, GZIP, &gzipped[..15_000], Err("invalid_encoding")).await;
    check(&server, GZIP, &[&gzipped[..], b"tail"].concat(), Err("invalid_encoding")).await;
    check(&server, ZSTD, b"not zstd", Err("invalid_encoding")).await;
    check(&server, ZSTD, &zstandard[..15_000], Err("invalid_encoding")).await;
    let mut flipped = gzipped.clone();
    flipped[10_000] ^= 1;
    check(&server, GZIP, &flipped, Err("invalid_encoding")).await;
    check(&server, "content-encoding: br\r\n", b"{}", Err("unsupported_encoding")).await;
    check(&server, "content-encoding: gzip, zstd\r\n", b"{}", Err("unsupported_encoding")).await;
    check(&server, "content-type: application/xml\r\n", b"{}", Err("unsupported_media_type")).await;
    let answer = server.talk(post_request("content-encoding: br\r\n", b"{}")).await;
    assert_eq!(header(&answer, "accept-encoding"), Some("gzip, zstd"));
    until(|| server.budget.available_bytes() == SETUP.budget_bytes).await;
    server.stop().await;
}

/// "zip bomb: a clear 4xx, memory bounded"
#[tokio::test]
async fn bombs_go_off_small() {
    let server = TestServer::start().await;
    let zeros = vec![0; 100 * 1024 * 1024];
    // 100 MiB in 100 KB and in 10 KB.
    check(&server, GZIP, &gzip(&zeros), Err("payload_too_large")).await;
    check(&server, ZSTD, &zstd(&zeros), Err("payload_too_large")).await;
    // Within the largest size, but not within the ratio.
    check(&server, ZSTD, &zstd(&zeros[..512 * 1024]), Err("payload_too_large")).await;
    // Small ones are allowed any ratio.
    check(&server, ZSTD, &zstd(&zeros[..60 * 1024]), Ok("Json 61440")).await;
    until(|| server.budget.available_bytes() == SETUP.budget_bytes).await;
    server.stop().await;
}

/// A frame that asks for a window of 128 MiB is refused before anything is allocated for it.
#[tokio::test]
async fn a_huge_zstd_window_is_refused() {
    let server = TestServer::start().await;
    // Magic, a header without a content size, window exponent 17 (2^27), one empty last block.
    let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 17 << 3, 0x01, 0x00, 0x00];
    check(&server, ZSTD, &frame, Err("invalid_encoding")).await;
    server.stop().await;
}

/// "1 GB body: a clear 4xx or a closed connection"
#[tokio::test]
async fn an_announced_gigabyte_is_refused_unread() {
    let server = TestServer::start().await;
    let head = "POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 1073741824\r\n\r\n";
    let answer = server.talk(head).await;
    assert_eq!(status(&answer), 413);
    assert_eq!(problem(&answer)["code"], "payload_too_large");
    assert_eq!(header(&answer, "connection"), Some("close"));
    let expecting = head.replace("\r\n\r\n", "\r\nexpect: 100-continue\r\n\r\n");
    assert_eq!(status(&server.talk(expecting).await), 413);
    server.stop().await;
}

#[tokio::test]
async fn an_unannounced_body_is_cut_at_the_limit() {
    let server = TestServer::start().await;
    let mut request =
        b"POST /body HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    let chunk = [b"10000\r\n".as_slice(), &vec![b' '; 0x10000], b"\r\n"].concat();
    for _ in 0..100 {
        request.extend_from_slice(&chunk);
    }
    let answer = server.talk(&request).await;
    assert_eq!(status(&answer), 413);
    assert_eq!(header(&answer, "connection"), Some("close"));
    until(|| server.budget.available_bytes() == SETUP.budget_bytes).await;
    server.stop().await;
}

#[tokio::test]
async fn a_broken_body_is_named() {
    let server = TestServer::start().await;
    let chunked = "POST /body HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    let answer = server.talk(format!("{chunked}5\r\n12345\r\nzz\r\n")).await;
    assert_eq!(problem(&answer)["code"], "broken_body");
    let good = "POST /body HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\
                \r\n2\r\n[1\r\n1\r\n]\r\n0\r\n\r\n";
    assert_eq!(body(&server.talk(good).await), "Json 3");
    server.stop().await;
}

/// "slow-loris", in the body
#[tokio::test]
async fn a_body_must_make_progress() {
    let limits = BodyLimits { progress_timeout: SHORT, ..LIMITS };
    let server = TestServer::start_with(Setup { limits, ..SETUP }).await;
    let mut client = server.connect().await;
    client.send("POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 9000\r\n\r\n{").await;
    let answer = client.rest().await;
    assert_eq!(status(&answer), 408);
    assert_eq!(problem(&answer)["code"], "request_timeout");
    assert_eq!(header(&answer, "connection"), Some("close"));
    server.stop().await;
}

#[tokio::test]
async fn a_body_must_end() {
    let limits = BodyLimits { total_timeout: 2 * SHORT, progress_bytes_min: 1, ..LIMITS };
    let server = TestServer::start_with(Setup { limits, ..SETUP }).await;
    let mut client = server.connect().await;
    client.send("POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 9000\r\n\r\n").await;
    // One byte a tick: progress, but too little of it.
    let mut drip = tokio::time::interval(TICK);
    for _ in 0..(2 * SHORT).as_millis().div_euclid(TICK.as_millis()) {
        drip.tick().await;
        // The server may have hung up already.
        drop(client.0.write_all(b" ").await);
    }
    assert_eq!(status(&client.rest().await), 408);
    server.stop().await;
}

#[tokio::test]
async fn all_bodies_together_have_a_budget() {
    let setup = Setup { budget_bytes: 100_000, ..SETUP };
    let server = TestServer::start_with(setup).await;
    // Announcing costs nothing: only what has come counts.
    let mut patient = server.connect().await;
    patient.send("POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 99000\r\n\r\n").await;
    check(&server, "", &noise(90_000), Ok("Json 90000")).await;

    patient.send(noise(60_000)).await;
    until(|| server.budget.available_bytes() == 40_000).await;
    let answer = server.talk(post_request("", &noise(50_000))).await;
    assert_eq!((status(&answer), header(&answer, "retry-after")), (503, Some("1")));
    assert_eq!(problem(&answer)["code"], "overloaded");
    // What is decompressed counts too.
    check(&server, ZSTD, &zstd(&vec![0; 60 * 1024]), Err("overloaded")).await;

    drop(patient);
    until(|| server.budget.available_bytes() == 100_000).await;
    check(&server, "", &noise(90_000), Ok("Json 90000")).await;
    assert_eq!(server.budget.available_bytes(), 100_000);
    server.stop().await;
}
