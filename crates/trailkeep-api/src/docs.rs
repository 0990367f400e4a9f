//! The documentation page: written out by the server, without a script and without anything from
//! elsewhere.

use axum::Router;
use axum::http::header;
use axum::response::Html;
use axum::routing::get;
use bytes::Bytes;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn, PathItem};
use utoipa::openapi::{OpenApi, RefOr, Required};

use crate::{Error, ErrorCode, Result};

const CSP: &str = "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'";

const STYLE: &str = include_str!("docs/style.css");

/// Makes the routes `/api/openapi.json` and `/api/docs`.
///
/// # Errors
/// [`Error::WriteDocument`], which would be a defect of the document's types.
pub fn docs_routes(document: &OpenApi) -> Result<Router> {
    let json = document.to_json().map_err(|source| Error::WriteDocument { source })?;
    let json = Bytes::from(json);
    let page = Bytes::from(docs_page(document));
    let json_route = get(async move || ([(header::CONTENT_TYPE, "application/json")], json));
    let page_route = get(async move || ([(header::CONTENT_SECURITY_POLICY, CSP)], Html(page)));
    let style_route = get(async || ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE));
    Ok(Router::new()
        .route("/api/openapi.json", json_route)
        .route("/api/docs", page_route)
        .route("/api/docs/style.css", style_route))
}

/// Writes the documentation page of a document.
fn docs_page(document: &OpenApi) -> String {
    let mut page = Page::default();
    page.raw("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>");
    page.text(&document.info.title);
    page.raw(" API</title><meta name=\"viewport\" content=\"width=device-width\">");
    page.raw("<link rel=\"stylesheet\" href=\"/api/docs/style.css\"></head><body><h1>");
    page.text(&document.info.title);
    page.raw(" API</h1>");
    page.paragraph(document.info.description.as_deref());
    page.raw("<p>For programs: <a href=\"/api/openapi.json\">/api/openapi.json</a></p>");
    page.raw("<h2>Operations</h2>");
    for (path, item) in &document.paths.paths {
        for (method, operation) in operations(item) {
            write_operation(&mut page, method, path, operation);
        }
    }
    write_errors(&mut page);
    page.raw("</body></html>");
    page.html
}

fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    let all = [
        ("GET", &item.get),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
        ("HEAD", &item.head),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

fn write_operation(page: &mut Page, method: &str, path: &str, operation: &Operation) {
    page.raw("<section><h3><code>");
    page.text(method);
    page.raw(" ");
    page.text(path);
    page.raw("</code></h3>");
    page.paragraph(operation.summary.as_deref());
    page.paragraph(operation.description.as_deref());
    let parameters: Vec<_> = operation.parameters.iter().flatten().filter_map(whole).collect();
    if !parameters.is_empty() {
        page.raw("<table><tr><th>Parameter</th><th>In</th><th>Required</th><th>Meaning</th></tr>");
        for parameter in parameters {
            write_parameter(page, parameter);
        }
        page.raw("</table>");
    }
    if let Some(body) = operation.request_body.as_ref().and_then(whole) {
        let media_types: Vec<_> = body.content.keys().map(String::as_str).collect();
        page.paragraph(Some(&format!("Body: {}", media_types.join(", "))));
        page.paragraph(body.description.as_deref());
    }
    page.raw("<table><tr><th>Status</th><th>Meaning</th></tr>");
    for (status, response) in &operation.responses.responses {
        let meaning = whole(response).map(|response| response.description.as_str());
        page.row(&[status, meaning.unwrap_or_default()]);
    }
    page.raw("</table></section>");
}

fn write_parameter(page: &mut Page, parameter: &Parameter) {
    let place = match parameter.parameter_in {
        ParameterIn::Query => "query",
        ParameterIn::Path => "path",
        ParameterIn::Header => "header",
        _ => "cookie",
    };
    let required = if matches!(parameter.required, Required::True) { "yes" } else { "no" };
    let meaning = parameter.description.as_deref().unwrap_or_default();
    page.row(&[&parameter.name, place, required, meaning]);
}

/// The `type` of a problem points here.
fn write_errors(page: &mut Page) {
    page.raw("<h2>Errors</h2><table><tr><th>Code</th><th>Status</th><th>Title</th></tr>");
    for code in ErrorCode::ALL {
        page.raw("<tr id=\"");
        page.text(code.as_str());
        page.raw("\">");
        page.cells(&[code.as_str(), code.status().as_str(), code.title()]);
        page.raw("</tr>");
    }
    page.raw("</table>");
}

/// What is said in place; the document has no references to shared parameters or responses.
fn whole<T>(part: &RefOr<T>) -> Option<&T> {
    match part {
        RefOr::T(part) => Some(part),
        RefOr::Ref(_) => None,
    }
}

/// HTML under construction. Only `raw` writes markup.
#[derive(Debug, Default)]
struct Page {
    html: String,
}

impl Page {
    fn raw(&mut self, markup: &'static str) {
        self.html.push_str(markup);
    }

    fn text(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '<' => self.html.push_str("&lt;"),
                '&' => self.html.push_str("&amp;"),
                '"' => self.html.push_str("&quot;"),
                other => self.html.push(other),
            }
        }
    }

    fn paragraph(&mut self, text: Option<&str>) {
        let Some(text) = text else { return };
        self.raw("<p>");
        self.text(text);
        self.raw("</p>");
    }

    fn row(&mut self, cells: &[&str]) {
        self.raw("<tr>");
        self.cells(cells);
        self.raw("</tr>");
    }

    fn cells(&mut self, cells: &[&str]) {
        for cell in cells {
            self.raw("<td>");
            self.text(cell);
            self.raw("</td>");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_not_markup() {
        let mut page = Page::default();
        page.row(&["<script>\"&"]);
        assert_eq!(page.html, "<tr><td>&lt;script>&quot;&amp;</td></tr>");
    }

    #[test]
    fn the_page_lists_operations_and_error_codes() {
        let page = docs_page(&crate::openapi());
        for needle in ["GET /livez", "GET /readyz", "id=\"not_found\"", "The process answers"] {
            assert!(page.contains(needle), "{needle}");
        }
        assert!(!page.contains("<script"));
    }
}
