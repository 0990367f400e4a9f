//! A shutdown finishes what is under way and takes on nothing new.

use trailkeep_api::{Drained, ServerOptions};

use crate::support::{OPTIONS, SETUP, SHORT, Setup, TestServer, body, get_request, header, status};

#[tokio::test]
async fn a_request_under_way_is_finished() {
    let server = TestServer::start().await;
    let mut idle = server.connect().await;
    idle.send("GET /hello HTTP/1.1\r\nhost: x\r\n\r\n").await;
    idle.answer().await;
    let silent = server.connect().await;
    let mut client = server.connect().await;
    client.send("GET /gate HTTP/1.1\r\nhost: x\r\n\r\n").await;
    server.begun.acquire().await.unwrap().forget();

    server.trigger.trigger();
    // Connections without a request end at once, and no new ones are taken.
    assert_eq!(idle.rest().await, "");
    assert_eq!(silent.rest().await, "");
    assert!(tokio::net::TcpStream::connect(server.address).await.is_err());

    server.gate.add_permits(1);
    let answer = client.rest().await;
    assert_eq!((status(&answer), body(&answer)), (200, "\"through\""));
    assert_eq!(header(&answer, "connection"), Some("close"));
    assert_eq!(server.stop().await, Drained { n_cut: 0 });
}

#[tokio::test]
async fn a_request_that_does_not_end_is_cut() {
    let options = ServerOptions { shutdown_timeout: SHORT, ..OPTIONS };
    let server = TestServer::start_with(Setup { options, ..SETUP }).await;
    let mut client = server.connect().await;
    client.send(get_request("/gate")).await;
    server.begun.acquire().await.unwrap().forget();
    assert_eq!(server.stop().await, Drained { n_cut: 1 });
    assert_eq!(client.rest().await, "");
}
