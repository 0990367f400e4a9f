//! The same server by TLS.

use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio_rustls::TlsConnector;
use trailkeep_api::{Error, ServerOptions, TlsFiles, TlsIdentity, Transport};

use crate::support::{
    OPTIONS, SETUP, SHORT, Setup, TestServer, body, get_request, status, talk_over,
};

/// Made for these tests, valid until 2120, trusted by nobody.
const CERT: &[u8] = include_bytes!("fixtures/localhost.cert.pem");
const KEY: &[u8] = include_bytes!("fixtures/localhost.key.pem");

async fn start() -> TestServer {
    let transport = Transport::Tls(TlsIdentity::from_pem(CERT, KEY).unwrap());
    let options = ServerOptions { handshake_timeout: SHORT, ..OPTIONS };
    TestServer::start_with(Setup { options, transport, ..SETUP }).await
}

async fn talk_tls(server: &TestServer, request: &str) -> String {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(CERT).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = server.connect().await.0;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    talk_over(stream, request).await
}

#[tokio::test]
async fn requests_are_answered() {
    let server = start().await;
    let answer = talk_tls(&server, &get_request("/hello")).await;
    assert_eq!((status(&answer), body(&answer)), (200, "hello"));
    server.stop().await;
}

#[tokio::test]
async fn a_handshake_that_is_none_is_closed() {
    let server = start().await;
    // Garbage, plain HTTP, and silence.
    for bytes in ["\u{0}garbage".to_owned(), get_request("/hello"), String::new()] {
        let answer = server.talk(&bytes).await;
        assert!(!answer.contains("HTTP"), "{bytes:?}");
    }
    let page = talk_tls(&server, &get_request("/metrics")).await;
    let line = "trailkeep_http_connections_rejected_total{reason=\"handshake\"} 3";
    assert!(page.contains(line), "{page}");
    server.stop().await;
}

#[test]
fn files_that_do_not_fit_are_named() {
    assert!(
        matches!(TlsIdentity::from_pem(b"", KEY), Err(Error::ParsePem { what, .. }) if what == "certificate")
    );
    assert!(
        matches!(TlsIdentity::from_pem(CERT, b""), Err(Error::ParsePem { what, .. }) if what == "private key")
    );
    let files = TlsFiles { cert: "missing.pem".into(), key: "missing.pem".into() };
    let error = files.load().unwrap_err();
    assert_eq!(error.to_string(), "could not read `missing.pem`");
    let folder = tempfile::tempdir().unwrap();
    let files = TlsFiles { cert: folder.path().join("cert"), key: folder.path().join("key") };
    std::fs::copy("tests/it/fixtures/localhost.cert.pem", &files.cert).unwrap();
    std::fs::copy("tests/it/fixtures/localhost.key.pem", &files.key).unwrap();
    let identity = files.load().unwrap();
    assert_eq!(format!("{identity:?}"), "TlsIdentity(****)");
}
