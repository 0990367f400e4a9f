//! `GET /api/v1/events`

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;
use trailkeep_event::write_entry_json;
use trailkeep_query::{ListRequest, Order, Page};
use utoipa::ToSchema;

use crate::desk::Desk;
use crate::params::Params;
use crate::principal::Principal;
use crate::routes::json;
use crate::selection::Selection;
use crate::{Problem, ProblemDocument};

const KNOWN: &[&str] =
    &["account_id", "from", "to", "q", "order", "limit", "cursor", "include_total"];
/// The words for which entries come first.
pub(crate) const ORDERS: [(&str, Order); 2] =
    [("asc", Order::Ascending), ("desc", Order::Descending)];
const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 1000;

/// One page of entries.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EntryPage {
    /// The entries, in order.
    items: Vec<serde_json::Value>,
    /// Where the next page starts; null where this one is the last.
    next_cursor: Option<String>,
    /// How many entries match in all, where `include_total` asked for it.
    total: Option<u64>,
}

/// Lists entries.
///
/// Newest first unless `order=asc`. A walk by `cursor` shows each entry of its first page's
/// moment exactly once, whatever is written meanwhile. A page of large entries ends before it
/// holds 8 MiB of them, `next_cursor` leads on; only a null `next_cursor` says that it was the
/// last.
#[utoipa::path(
    get, path = "/api/v1/events", operation_id = "list_events", tag = "events",
    params(
        ("account_id" = Option<String>, Query, description = "One account; else everything in scope"),
        ("from" = Option<String>, Query, description = "The earliest time (RFC 3339 or a date), included"),
        ("to" = Option<String>, Query, description = "The time before which entries lie, excluded"),
        ("q" = Option<String>, Query, description = "The filter; see the filter reference"),
        ("order" = Option<String>, Query, description = "`asc` or `desc` (the default)"),
        ("limit" = Option<usize>, Query, minimum = 1, maximum = 1000, description = "How many entries at most: 1 to 1000, 50 where absent"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("include_total" = Option<bool>, Query, description = "Also count everything that matches"),
    ),
    responses(
        (status = 200, description = "A page", body = EntryPage),
        (status = 400, description = "A parameter is wrong", body = ProblemDocument),
        (status = 401, description = "No valid key", body = ProblemDocument),
        (status = 403, description = "The key may not read", body = ProblemDocument),
        (status = 429, description = "Too many questions of this key at once; see Retry-After", body = ProblemDocument),
        (status = 503, description = "Too many questions, or this one took too long", body = ProblemDocument),
    ),
)]
pub(crate) async fn list(
    State(desk): State<Desk>,
    principal: Principal,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let scope = principal.reads()?;
    let request = request(&Params::read(query.as_deref(), KNOWN)?)?;
    // Written where it was read: a large page takes a while.
    let ask = desk.ask(principal.key_id(), move |engine| {
        engine.list(&scope, &request).map(|page| write_page(&page))
    });
    ask.await.map(json)
}

fn request(params: &Params) -> Result<ListRequest, Problem> {
    let truths = [("true", true), ("false", false), ("1", true), ("0", false)];
    let Selection { filter, from, to } = params.selection()?;
    Ok(ListRequest {
        filter,
        from,
        to,
        order: params.word("order", &ORDERS, Order::Descending)?,
        limit: params.number("limit", 1..=LIMIT_MAX, LIMIT_DEFAULT)?,
        cursor: params.get("cursor").map(str::to_owned),
        include_total: params.word("include_total", &truths, false)?,
    })
}

fn write_page(page: &Page) -> Vec<u8> {
    let mut out = Vec::with_capacity(page.entries.len().saturating_mul(1024).saturating_add(64));
    out.extend_from_slice(b"{\"items\":[");
    for (index, entry) in page.entries.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_entry_json(entry.view(), &mut out);
    }
    out.extend_from_slice(b"],\"next_cursor\":");
    match &page.next_cursor {
        // A cursor is hexadecimal: nothing in it needs an escape.
        Some(cursor) => out.extend_from_slice(format!("\"{cursor}\"").as_bytes()),
        None => out.extend_from_slice(b"null"),
    }
    if let Some(total) = page.total {
        out.extend_from_slice(format!(",\"total\":{total}").as_bytes());
    }
    out.push(b'}');
    out
}
