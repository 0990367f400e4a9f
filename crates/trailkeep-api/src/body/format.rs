//! How a sender declared the events in a body.

use axum::http::{HeaderMap, header};
use trailkeep_event::BodyFormat;

use crate::{ErrorCode, Problem};

/// Returns how a body's events are laid out, by its media type; without one it is JSON.
///
/// The types that clients send when nobody chose one (curl, urllib) are read as JSON: what keeps
/// foreign web pages out is the bearer token, which a browser sends for nobody.
///
/// # Errors
/// [`ErrorCode::UnsupportedMediaType`] for everything else.
pub fn body_format(headers: &HeaderMap) -> Result<BodyFormat, Problem> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(BodyFormat::Json) };
    let media_type =
        value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    match media_type.to_ascii_lowercase().as_str() {
        "application/json"
        | "application/x-www-form-urlencoded"
        | "application/octet-stream"
        | "text/plain" => Ok(BodyFormat::Json),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => {
            Ok(BodyFormat::Lines)
        }
        _ => {
            let detail = "send `Content-Type: application/json` for an object or a list, or \
                          `application/x-ndjson` for one object a line";
            Err(Problem::new(ErrorCode::UnsupportedMediaType, detail).at_field("Content-Type"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn media_types() {
        let cases = [
            (None, Some(BodyFormat::Json)),
            (Some("application/json"), Some(BodyFormat::Json)),
            (Some("Application/JSON; charset=utf-8"), Some(BodyFormat::Json)),
            (Some("application/x-ndjson"), Some(BodyFormat::Lines)),
            (Some("application/ndjson"), Some(BodyFormat::Lines)),
            (Some("application/jsonl"), Some(BodyFormat::Lines)),
            (Some("application/x-www-form-urlencoded"), Some(BodyFormat::Json)),
            (Some("text/plain"), Some(BodyFormat::Json)),
            (Some("multipart/form-data"), None),
            (Some("application/xml"), None),
            (Some(""), None),
        ];
        for (value, expected) in cases {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(value));
            }
            assert_eq!(body_format(&headers).ok(), expected, "{value:?}");
        }
    }
}
