//! The routes of this crate that need no store.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use parking_lot::Mutex;
use tower::ServiceExt;
use trailkeep_api::{NotReady, Readiness, docs_routes, health_routes, openapi, openapi_json};

async fn get(routes: Router, path: &str) -> (StatusCode, String, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = routes.oneshot(request).await.unwrap();
    let status = response.status();
    let headers = format!("{:?}", response.headers());
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, headers, String::from_utf8(body.to_vec()).unwrap())
}

#[derive(Debug)]
struct Switch(Mutex<Result<(), NotReady>>);

impl Readiness for Switch {
    fn check(&self) -> Result<(), NotReady> {
        self.0.lock().clone()
    }
}

#[tokio::test]
async fn health_says_why_not() {
    let switch = Arc::new(Switch(Mutex::new(Ok(()))));
    let routes = health_routes(Arc::<Switch>::clone(&switch));
    let (status, _, body) = get(routes.clone(), "/readyz").await;
    assert_eq!((status.as_u16(), body.as_str()), (200, r#"{"status":"ok"}"#));
    *switch.0.lock() = Err(NotReady { reason: "the disk is nearly full".into() });
    let (status, headers, body) = get(routes.clone(), "/readyz").await;
    assert_eq!(status.as_u16(), 503);
    assert!(headers.contains("retry-after"), "{headers}");
    assert!(body.contains("the disk is nearly full"), "{body}");
    assert_eq!(get(routes, "/livez").await.0.as_u16(), 200);
}

/// R111, as far as there are operations
#[tokio::test]
async fn the_document_and_its_page_are_served() {
    let routes = docs_routes(&openapi()).unwrap();
    let (status, headers, json) = get(routes.clone(), "/api/openapi.json").await;
    assert_eq!(status.as_u16(), 200);
    assert!(headers.contains("application/json"));
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(document["paths"]["/livez"]["get"].is_object());
    assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
    assert!(document["components"]["schemas"]["Problem"].is_object());
    assert_eq!(
        document,
        serde_json::from_str::<serde_json::Value>(&openapi_json().unwrap()).unwrap()
    );

    let (status, headers, page) = get(routes.clone(), "/api/docs").await;
    assert_eq!(status.as_u16(), 200);
    assert!(headers.contains("style-src 'self'"), "{headers}");
    assert!(page.contains("/readyz") && !page.contains("<script"), "{page}");
    assert!(page.contains("href=\"/api/docs/style.css\""));
    let (status, headers, _) = get(routes, "/api/docs/style.css").await;
    assert!(status.is_success() && headers.contains("text/css"));
}
