//! Lists and facets.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::World;
use super::events::ACCOUNTS;
use super::looked::{Kind, Looked, MEMBERS};
use super::oracle::lit;
use super::questions::{Compared, Selection, check};

const LONG_LIST: usize = 1500;

impl World<'_> {
    /// All pages of a list, in either order, with the total.
    pub(super) async fn list(&mut self) -> Compared {
        let mut selection = self.maker().selection();
        let order = *self.random.pick(&["desc", "asc"]);
        let mut expected = self.listed(&selection, order).await;
        // Most long lists are of one account, to spare the time of reading them.
        if expected.len() > LONG_LIST && self.maker().chance(75) {
            selection.account.get_or_insert(*self.random.pick(&ACCOUNTS));
            expected = self.listed(&selection, order).await;
        }
        let few: &[usize] =
            if expected.len() > 300 { &[1000, 250, 180] } else { &[1000, 90, 30, 7] };
        let limit = if expected.len() < 12 { 1 } else { *self.random.pick(few) };
        let parameters = [("order", order.to_owned()), ("limit", limit.to_string())];
        let asked = (&selection, &parameters);
        let mut found = Vec::new();
        let mut more = parameters.to_vec();
        more.push(("include_total", "true".to_owned()));
        loop {
            let page = self.get(&selection, "/api/v1/events", &more).await?;
            if found.is_empty() {
                let total = json!(expected.len());
                check(page["total"] == total, "total", &asked, &page["total"], &total)?;
            }
            let items = page["items"].as_array().unwrap();
            found.extend(items.iter().map(|item| json!([item["id"]])));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            let (n_items, full) = (json!(items.len()), json!(limit));
            check(n_items == full, "a page that is not full", &asked, &n_items, &full)?;
            more = parameters.to_vec();
            more.push(("cursor", cursor.to_owned()));
        }
        let (found, expected) = (json!(found), json!(expected));
        check(found == expected, "list", &asked, &found, &expected)?;
        Ok(expected != json!([]))
    }

    async fn listed(&mut self, selection: &Selection, order: &str) -> Vec<Value> {
        let sql = format!(
            "SELECT json_array(id) FROM events e WHERE {} ORDER BY sort_us {order}, \
             account_id {order}, seq {order}",
            selection.condition()
        );
        self.oracle.ask(&sql).await
    }

    /// The values of some fields.
    pub(super) async fn facets(&mut self) -> Compared {
        let mut maker = self.maker();
        let selection = maker.selection();
        let looked: Vec<Looked> = (0..=maker.random.below(3)).map(|_| maker.looked()).collect();
        let limit = *maker.random.pick(&[1, 3, 10, 100]);
        let names: Vec<&str> = looked.iter().map(|looked| looked.name.as_str()).collect();
        let more = [("fields", names.join(",")), ("limit", limit.to_string())];
        let found = self.get(&selection, "/api/v1/events/facets", &more).await?;
        let n_rows = self.count(&selection).await[0].clone();
        check(
            found["total"] == n_rows,
            "total of facets",
            &(&selection, &more),
            &found["total"],
            &n_rows,
        )?;
        for (looked, facet) in looked.iter().zip(found["facets"].as_array().unwrap()) {
            let (counts, n_missing) =
                self.facet(&selection, looked, n_rows.as_u64().unwrap()).await;
            let expected = json!([counts, n_missing]);
            check(
                is_facet(facet, &counts, n_missing, limit),
                "facet",
                &(&selection, looked, limit),
                facet,
                &expected,
            )?;
        }
        Ok(n_rows != json!(0))
    }

    /// Counts a field's values: those of a list in JSON each, but once an entry.
    async fn facet(
        &mut self,
        selection: &Selection,
        looked: &Looked,
        n_rows: u64,
    ) -> (BTreeMap<String, u64>, u64) {
        let rows = format!("SELECT e.row FROM events e WHERE {}", selection.condition());
        let member = MEMBERS.iter().find(|member| member.0 == looked.name);
        let (text, row, of) = match (member, looked.kind) {
            (Some((_, field, path)), _) => {
                let of = format!("members e WHERE field = {} AND path = {}", lit(field), lit(path));
                ("text".to_owned(), "DISTINCT row", of)
            }
            (None, Kind::Truth) => {
                let text =
                    format!("CASE {} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END", looked.sql);
                (text, "row", "events e WHERE 1".to_owned())
            }
            (None, _) => {
                (format!("CAST({} AS TEXT)", looked.sql), "row", "events e WHERE 1".to_owned())
            }
        };
        let of = format!("count({row})) FROM {of} AND {text} IS NOT NULL AND e.row IN ({rows})");
        let values = format!("SELECT json_array({text}, {of} GROUP BY {text}");
        let with = format!("SELECT json_array({of}");
        let counts = self.oracle.ask(&values).await;
        let counts = counts
            .iter()
            .map(|pair| (pair[0].as_str().unwrap().to_owned(), pair[1].as_u64().unwrap()));
        let counts = counts.collect();
        let n_with = self.oracle.ask_one(&with).await[0].as_u64().unwrap();
        (counts, n_rows - n_with)
    }
}

/// Tells whether a facet says what it should: of values that are as frequent any may be shown.
fn is_facet(facet: &Value, counts: &BTreeMap<String, u64>, n_missing: u64, limit: usize) -> bool {
    let values = facet["values"].as_array().unwrap();
    let mut frequent: Vec<u64> = counts.values().copied().collect();
    frequent.sort_unstable_by(|a, b| b.cmp(a));
    let n_other: u64 = frequent.iter().skip(limit).sum();
    frequent.truncate(limit);
    let shown: Vec<u64> = values.iter().map(|value| value["count"].as_u64().unwrap()).collect();
    let named: BTreeMap<&str, u64> = values
        .iter()
        .map(|value| value["value"].as_str().unwrap())
        .zip(shown.iter().copied())
        .collect();
    shown == frequent
        && named.len() == values.len()
        && named.iter().all(|(value, count)| counts.get(*value) == Some(count))
        && facet["distinct"] == counts.len()
        && facet["distinct_exact"] == true
        && facet["other"] == n_other
        && facet["missing"] == n_missing
}
