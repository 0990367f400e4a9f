//! How questions are asked, and how two answers are compared.

use serde_json::{Value, json};
use trailkeep_event::Micros;

use super::World;
use super::clauses::{Clause, Maker};
use super::events::ACCOUNTS;
use super::oracle::lit;
use crate::store_server::{Call, GET, OPERATOR, READABLE, READER, json as parsed, query};
use crate::support::status;

/// How a difference is told: the question, and both answers.
pub(super) type Difference = String;

/// Whether an answer has something in it, or how two answers differ.
pub(super) type Compared = Result<bool, Difference>;

/// Which entries a question is about.
#[derive(Clone, Debug)]
pub(super) struct Selection {
    clause: Clause,
    pub(super) account: Option<&'static str>,
    pub(super) from: Option<i64>,
    pub(super) to: Option<i64>,
    pub(super) token: &'static str,
}

impl Selection {
    pub(super) fn everything() -> Self {
        Self { clause: Clause::everything(), account: None, from: None, to: None, token: OPERATOR }
    }

    /// Selects by a filter whose SQL is given.
    pub(super) fn of(q: &str, sql: &str) -> Self {
        Self { clause: Clause::given(q, sql), ..Self::everything() }
    }

    pub(super) fn condition(&self) -> String {
        let mut all = vec![self.clause.sql.clone()];
        all.extend(self.account.map(|account| format!("account_id = {}", lit(account))));
        all.extend(self.from.map(|from| format!("sort_us >= {from}")));
        all.extend(self.to.map(|to| format!("sort_us < {to}")));
        if self.token == READER {
            all.push(format!("account_id IN ({}, {})", lit(READABLE[0]), lit(READABLE[1])));
        }
        all.join(" AND ")
    }

    fn members(&self) -> Vec<(&'static str, String)> {
        let mut members = Vec::new();
        members.extend(self.account.map(|account| ("account_id", account.to_owned())));
        members.extend(self.from.map(|from| ("from", Micros(from).to_string())));
        members.extend(self.to.map(|to| ("to", Micros(to).to_string())));
        if !self.clause.q.is_empty() {
            members.push(("q", self.clause.q.clone()));
        }
        members
    }

    pub(super) fn body(&self) -> Value {
        let members = self.members().into_iter();
        Value::Object(members.map(|(name, text)| (name.to_owned(), json!(text))).collect())
    }
}

impl Maker<'_> {
    pub(super) fn selection(&mut self) -> Selection {
        let mut selection = Selection { clause: self.filter(), ..Selection::everything() };
        if self.chance(15) {
            selection.account = Some(*self.random.pick(&ACCOUNTS));
        }
        let (a, b) = (self.row().sort_us(), self.row().sort_us());
        if self.chance(25) {
            selection.from = Some(a.min(b));
        }
        if self.chance(25) {
            selection.to = Some(a.max(b) + 1);
        }
        if self.chance(15) {
            selection.token = READER;
        }
        selection
    }
}

impl World<'_> {
    /// Asks with parameters.
    pub(super) async fn get(
        &self,
        selection: &Selection,
        path: &str,
        more: &[(&'static str, String)],
    ) -> Result<Value, Difference> {
        let mut parameters = selection.members();
        parameters.extend_from_slice(more);
        let borrowed: Vec<(&str, &str)> =
            parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let path = format!("{path}?{}", query(&borrowed));
        let answer = self.server.call(Call { token: selection.token, path: &path, ..GET }).await;
        if status(&answer) != 200 {
            return Err(format!("refused\n  asked: {parameters:?}\n  found: {answer}"));
        }
        Ok(parsed(&answer))
    }

    /// Asks with a body.
    pub(super) async fn post(
        &self,
        token: &str,
        path: &str,
        body: &Value,
    ) -> Result<Value, Difference> {
        let text = body.to_string();
        let call = Call { token, method: "POST", path, body: text.as_bytes(), ..GET };
        let answer = self.server.call(call).await;
        if status(&answer) != 200 {
            return Err(format!("refused\n  asked: {body}\n  found: {answer}"));
        }
        Ok(parsed(&answer))
    }

    /// Counts what is selected, and what that stands for.
    pub(super) async fn count(&mut self, selection: &Selection) -> Value {
        let sql = format!(
            "SELECT json_array(count(*), coalesce(sum(coalesce(sample_rate, 1)), 0)) FROM events e WHERE {}",
            selection.condition()
        );
        self.oracle.ask_one(&sql).await
    }
}

/// Tells whether two answers are the same: numbers to the digits that answers have.
pub(super) fn alike(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b))
        }
        (Value::Number(_), Value::Number(_)) => within(1e-9, a, b),
        _ => a == b,
    }
}

/// Tells whether numbers are the same but for a share of them.
pub(super) fn within(share: f64, a: &Value, b: &Value) -> bool {
    let pair = a.as_f64().zip(b.as_f64());
    pair.map_or(a == b, |(a, b)| (a - b).abs() <= share * b.abs().max(1e-3))
}

/// Tells a difference, unless there is none.
pub(super) fn check(
    so: bool,
    what: &str,
    asked: &dyn std::fmt::Debug,
    found: &Value,
    expected: &Value,
) -> Result<(), Difference> {
    if so {
        return Ok(());
    }
    let short = |value: &Value| value.to_string().chars().take(1500).collect::<String>();
    Err(format!(
        "{what}\n  asked: {asked:?}\n  found: {}\n  expected: {}",
        short(found),
        short(expected)
    ))
}
