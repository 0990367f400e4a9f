//! Walks over the pages of a query.

use serde::Deserialize;
use serde_json::value::RawValue;
use trailkeep_client::Client;
use trailkeep_event::write_entry_json;
use trailkeep_query::{Engine, ListRequest, Order};
use trailkeep_scope::ReadScope;

use super::query::Query;

/// The most entries of one page.
const PAGE_ENTRIES_MAX: u64 = 1000;

/// Walks over the pages of a query.
#[derive(Debug)]
pub(super) struct Pages {
    source: Source,
    query: Query,
    at: At,
}

#[derive(Debug)]
enum Source {
    Local(Engine),
    Remote(Client),
}

#[derive(Debug)]
enum At {
    Start,
    Cursor(String),
    End,
}

/// One page, as a server answers it.
#[derive(Debug, Deserialize)]
struct Page {
    items: Vec<Box<RawValue>>,
    next_cursor: Option<String>,
    #[serde(default)]
    total: Option<u64>,
}

impl Pages {
    /// Asks an open store.
    pub(super) fn local(engine: Engine, query: Query) -> Self {
        Self { source: Source::Local(engine), query, at: At::Start }
    }

    /// Asks a server.
    pub(super) fn remote(client: Client, query: Query) -> Self {
        Self { source: Source::Remote(client), query, at: At::Start }
    }

    /// Returns the JSON of the next entries, at most `limit`; `None` behind the last.
    pub(super) fn next(&mut self, limit: u64) -> anyhow::Result<Option<Vec<String>>> {
        let cursor = match &self.at {
            At::End => return Ok(None),
            At::Start => None,
            At::Cursor(cursor) => Some(cursor.clone()),
        };
        let page = self.page(limit.min(PAGE_ENTRIES_MAX), cursor, Total::LeftOut)?;
        self.at = page.next_cursor.map_or(At::End, At::Cursor);
        Ok(Some(page.items.iter().map(|item| item.get().to_owned()).collect()))
    }

    /// Counts everything that matches, exactly.
    pub(super) fn count(&self) -> anyhow::Result<u64> {
        let page = self.page(1, None, Total::Counted)?;
        page.total.ok_or_else(|| anyhow::anyhow!("the server did not say how many entries match"))
    }

    fn page(&self, limit: u64, cursor: Option<String>, total: Total) -> anyhow::Result<Page> {
        match &self.source {
            Source::Local(engine) => self.local_page(engine, limit, cursor, total),
            Source::Remote(client) => self.remote_page(client, limit, cursor.as_deref(), total),
        }
    }

    fn local_page(
        &self,
        engine: &Engine,
        limit: u64,
        cursor: Option<String>,
        total: Total,
    ) -> anyhow::Result<Page> {
        let query = &self.query;
        let request = ListRequest {
            filter: query.filter.clone(),
            from: query.from,
            to: query.to,
            order: query.order,
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            cursor,
            include_total: total == Total::Counted,
        };
        let page = engine.list(&ReadScope::everything(), &request)?;
        let mut items = Vec::with_capacity(page.entries.len());
        for entry in &page.entries {
            let mut json = Vec::with_capacity(1024);
            write_entry_json(entry.view(), &mut json);
            items.push(RawValue::from_string(String::from_utf8(json)?)?);
        }
        Ok(Page { items, next_cursor: page.next_cursor, total: page.total })
    }

    fn remote_page(
        &self,
        client: &Client,
        limit: u64,
        cursor: Option<&str>,
        total: Total,
    ) -> anyhow::Result<Page> {
        let query = &self.query;
        let limit = limit.to_string();
        let from = query.from.map(|at| at.to_string());
        let to = query.to.map(|at| at.to_string());
        let order = match query.order {
            Order::Ascending => "asc",
            Order::Descending => "desc",
        };
        let mut parameters = vec![("limit", limit.as_str()), ("order", order)];
        let optional = [
            ("q", Some(query.text.as_str()).filter(|text| !text.is_empty())),
            ("account_id", query.account.as_deref()),
            ("from", from.as_deref()),
            ("to", to.as_deref()),
            ("cursor", cursor),
            ("include_total", (total == Total::Counted).then_some("true")),
        ];
        parameters.extend(optional.iter().filter_map(|(name, value)| Some((*name, (*value)?))));
        let answer = client.get("/api/v1/events", &parameters)?;
        Ok(client.parse(&answer)?)
    }
}

/// Whether everything that matches is counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Total {
    Counted,
    LeftOut,
}
