//! Every error answer is a problem with a code, a name, and nothing from inside.

use crate::support::{
    SETUP, SHORT, Setup, TestServer, body, get_request, header, problem, request, status,
};

#[tokio::test]
async fn every_error_is_a_problem() {
    let server = TestServer::start().await;
    let cases = [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/hello/", 404, "not_found"),
        ("GET", "/%00%ff/../../etc/passwd", 404, "not_found"),
        ("POST", "/hello", 405, "method_not_allowed"),
        ("DELETE", "/nowhere", 404, "not_found"),
        ("OPTIONS", "/hello", 405, "method_not_allowed"),
        ("OPTIONS", "*", 404, "not_found"),
        ("TRACE", "/hello", 405, "method_not_allowed"),
        ("BREW", "/hello", 405, "method_not_allowed"),
        ("GET", "/number/x", 400, "invalid_parameter"),
        ("GET", "/panic", 500, "internal"),
        ("GET", "/broken", 500, "internal"),
    ];
    for (method, path, expected, code) in cases {
        let answer = server.talk(request(method, path)).await;
        assert_eq!(status(&answer), expected, "{method} {path}");
        let problem = problem(&answer);
        assert_eq!(problem["code"], code, "{method} {path}");
        assert_eq!(problem["type"], format!("/api/docs#{code}"));
        assert!(!problem["detail"].as_str().unwrap().is_empty());
        assert!(!answer.contains("secret"), "{answer}");
        assert!(!answer.contains("on purpose"), "{answer}");
    }
    server.stop().await;
}

/// RFC 9112, 3.2
#[tokio::test]
async fn a_request_names_its_host_once() {
    let server = TestServer::start().await;
    let cases = [
        ("HTTP/1.1", "", 400),
        ("HTTP/1.1", "host: a\r\nhost: a\r\n", 400),
        ("HTTP/1.1", "host: a\r\n", 200),
        ("HTTP/1.1", "host:\r\n", 200),
        ("HTTP/1.0", "", 200),
        ("HTTP/1.0", "host: a\r\nhost: b\r\n", 400),
    ];
    for (version, hosts, expected) in cases {
        let request = format!("GET /hello {version}\r\n{hosts}connection: close\r\n\r\n");
        let answer = server.talk(request).await;
        assert_eq!(status(&answer), expected, "{version} {hosts:?}");
        if expected == 400 {
            assert_eq!(problem(&answer)["field"], "Host");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_wrong_method_names_the_right_ones() {
    let server = TestServer::start().await;
    let answer = server.talk(request("POST", "/hello")).await;
    assert_eq!(header(&answer, "allow"), Some("GET,HEAD"));
    let answer = server.talk(request("GET", "/body")).await;
    assert_eq!(header(&answer, "allow"), Some("POST"));
    server.stop().await;
}

#[tokio::test]
async fn a_head_answer_has_no_body() {
    let server = TestServer::start().await;
    let answer = server.talk(request("HEAD", "/hello")).await;
    assert_eq!((status(&answer), body(&answer)), (200, ""));
    assert_eq!(header(&answer, "content-length"), Some("5"));
    let answer = server.talk(request("HEAD", "/nowhere")).await;
    assert_eq!((status(&answer), body(&answer)), (404, ""));
    server.stop().await;
}

#[tokio::test]
async fn every_answer_has_its_name_and_safe_headers() {
    let server = TestServer::start().await;
    let mut names = std::collections::HashSet::new();
    for path in ["/hello", "/hello", "/nowhere", "/panic"] {
        let forged = format!("GET {path} HTTP/1.1\r\nhost: x\r\nx-request-id: mine\r\n");
        let answer = server.talk(forged + "connection: close\r\n\r\n").await;
        names.insert(header(&answer, "x-request-id").unwrap().to_owned());
        assert_eq!(header(&answer, "x-content-type-options"), Some("nosniff"));
        assert_eq!(header(&answer, "cache-control"), Some("no-store"));
        assert!(header(&answer, "content-security-policy").unwrap().contains("'none'"));
    }
    assert_eq!(names.len(), 4);
    assert!(names.iter().all(|name| name.len() == 32));
    server.stop().await;
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_given_up() {
    let server = TestServer::start_with(Setup { answer_timeout: SHORT, ..SETUP }).await;
    let answer = server.talk(get_request("/stuck")).await;
    assert_eq!(status(&answer), 503);
    assert_eq!(problem(&answer)["code"], "answer_timeout");
    server.stop().await;
}

#[tokio::test]
async fn counts_use_route_templates_only() {
    let server = TestServer::start().await;
    for path in ["/number/1", "/number/2", "/number/x", "/made/up"] {
        server.talk(get_request(path)).await;
    }
    let page = server.talk(get_request("/metrics")).await;
    assert!(header(&page, "content-type").unwrap().starts_with("application/openmetrics-text"));
    let requests = "trailkeep_http_requests_total";
    for line in [
        format!("{requests}{{route=\"/number/{{number}}\",method=\"GET\",status=\"2xx\"}} 2"),
        format!("{requests}{{route=\"/number/{{number}}\",method=\"GET\",status=\"4xx\"}} 1"),
        format!("{requests}{{route=\"unmatched\",method=\"GET\",status=\"4xx\"}} 1"),
        "trailkeep_http_requests_in_flight 1".to_owned(),
        "# EOF".to_owned(),
    ] {
        assert!(page.lines().any(|found| found == line), "{line} in {page}");
    }
    assert!(!page.contains("/made/up"));
    server.stop().await;
}
