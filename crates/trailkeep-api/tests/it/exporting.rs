//! `/api/v1/events/export`: the matching set as a file.

use std::collections::BTreeSet;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use axum::body::Body;
use axum::http::{Request, header};
use bytes::Bytes;
use http_body_util::BodyExt;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};
use tower::ServiceExt;
use trailkeep_event::{Field, FieldKind, Micros};
use trailkeep_testkit::EventMaker;

use crate::store_server::{
    Call, EXPORTS_MAX, GET, OPERATOR, READABLE, READER, StoreServer, event, json, query, served,
};
use crate::support::{header as header_of, problem, status};

const PATH: &str = "/api/v1/events/export";
/// What a spreadsheet takes for a formula, and what makes a reader of CSV stumble.
const NASTY: [&str; 8] =
    ["=1+1", "+49 30 1", "-5", "@SUM(A1)", "\tx", "\r=x", "say \"so\", twice\r\nover", "'=x"];

/// A file, with what the answer says about it.
struct File {
    media_type: String,
    disposition: String,
    bytes: Bytes,
}

/// Exports through the routes.
async fn exported(server: &StoreServer, token: &str, body: &Value) -> File {
    let request = Request::post(PATH)
        .header(header::HOST, "x")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Body::from(body.to_string()))
        .unwrap();
    let response = server.routes.clone().oneshot(request).await.unwrap();
    assert!(response.status().is_success(), "{}", response.status());
    let (head, body) = response.into_parts();
    let header = |name| head.headers[name].to_str().unwrap().to_owned();
    let (media_type, disposition) =
        (header(header::CONTENT_TYPE), header(header::CONTENT_DISPOSITION));
    let bytes = body.collect().await.unwrap().to_bytes();
    File { media_type, disposition, bytes }
}

/// Fills a store: some entries sealed, some not, some of them nasty.
async fn fill(server: &StoreServer) {
    let at = Micros::parse("2026-04-18T00:00:00Z").unwrap();
    let mut maker = EventMaker::new(5).starting_at(at).with_step(45 * 60 * 1_000_000);
    server.send(OPERATOR, &maker.ndjson(40)).await;
    let nasty = |text: &&str| {
        let text = json!(text);
        let error = json!({ "code": text, "message": text, "retry_count": 2 });
        let members = format!(
            r#""actor_label":{text},"user_agent":{text},"error":{error},"metadata":{{"a":{text}}}"#
        );
        event("acme", &members)
    };
    let lines: Vec<String> = NASTY.iter().map(nasty).collect();
    server.send(OPERATOR, &lines.join("\n")).await;
    server.seal().await;
    server.send(OPERATOR, &maker.ndjson(15)).await;
    let absent = event("acme", r#""reason":"","request_body":-5"#);
    server.send(OPERATOR, &absent).await;
}

/// Returns a member of an entry by its field's name.
fn member<'a>(item: &'a Value, field: &str) -> Option<&'a Value> {
    let grouped = field.split_once('_').filter(|(group, _)| ["error", "block"].contains(group));
    let found = match grouped {
        Some((group, name)) => item.get(group).and_then(|group| group.get(name)),
        None => item.get(field),
    };
    found.or((field == "clock_skew").then_some(&Value::Bool(false)))
}

fn check_cell(field: Field, cell: &str, value: Option<&Value>) {
    let nested = matches!(field.kind(), FieldKind::Object | FieldKind::Json | FieldKind::Headers);
    match value {
        None => assert_eq!(cell, "", "{field:?}"),
        Some(value) if nested => {
            assert_eq!(serde_json::from_str::<Value>(cell).unwrap(), *value, "{field:?}");
        }
        Some(Value::String(text)) => {
            let guarded = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
            let expected = if guarded { format!("'{text}") } else { text.clone() };
            assert_eq!(cell, expected, "{field:?}");
        }
        Some(other) => assert_eq!(cell, other.to_string(), "{field:?}"),
    }
}

fn records(bytes: &[u8]) -> (csv::StringRecord, Vec<csv::StringRecord>) {
    let mut reader = csv::Reader::from_reader(bytes);
    let head = reader.headers().unwrap().clone();
    (head, reader.records().map(Result::unwrap).collect())
}

/// R199: a real reader of CSV has back what the list shows, and no cell is a formula.
#[test]
fn csv_is_the_list_as_a_table() {
    served(async |server| {
        fill(server).await;
        let filter = json!({ "from": "2026-04-18", "q": "-action:key.created" });
        for (order, token) in [("desc", OPERATOR), ("asc", READER)] {
            let parameters = [
                ("order", order),
                ("from", "2026-04-18"),
                ("q", "-action:key.created"),
                ("limit", "7"),
            ];
            let items = server.walk(token, &parameters).await;
            let body = json!({ "format": "csv", "filter": filter, "order": order });
            let file = exported(server, token, &body).await;
            assert_eq!(file.media_type, "text/csv; charset=utf-8; header=present");
            assert_eq!(
                file.disposition,
                r#"attachment; filename="trailkeep-20260420T120000Z.csv""#
            );
            let (head, records) = records(&file.bytes);
            let named: BTreeSet<&str> = head.iter().collect();
            let all: BTreeSet<&str> = Field::ALL.iter().map(|field| field.name()).collect();
            assert_eq!((&named, head.len()), (&all, all.len()));
            assert_eq!(records.len(), items.len());
            for (record, item) in records.iter().zip(&items) {
                for (name, cell) in head.iter().zip(record) {
                    let field = Field::from_name(name).unwrap();
                    assert!(!cell.starts_with(['=', '+', '@', '\t', '\r', '\n']), "{cell:?}");
                    check_cell(field, cell, member(item, name));
                }
            }
        }
    });
}

#[test]
fn fields_are_columns_in_the_order_asked_for() {
    served(async |server| {
        fill(server).await;
        let fields = json!(["action", "error.code", "occurred_at", "metadata"]);
        let filter = json!({ "account_id": "acme", "q": "error_message:\"=1+1\"" });
        let body = json!({ "format": "csv", "filter": filter, "fields": fields });
        let file = exported(server, OPERATOR, &body).await;
        let expected = "action,error_code,occurred_at,metadata\r\n\
                        a,'=1+1,2026-04-20T11:00:00.000Z,\"{\"\"a\"\":\"\"=1+1\"\"}\"\r\n";
        assert_eq!(file.bytes, expected);
        assert!(file.disposition.contains("\"trailkeep-acme-2026"), "{}", file.disposition);
        let body = json!({ "format": "ndjson", "filter": filter, "fields": fields });
        let line = exported(server, OPERATOR, &body).await.bytes;
        let expected = json!({
            "action": "a", "error": { "code": "=1+1" },
            "occurred_at": "2026-04-20T11:00:00.000Z", "metadata": { "a": "=1+1" },
        });
        assert_eq!(serde_json::from_slice::<Value>(&line).unwrap(), expected);
        // What no entry has is an empty object, not a broken one.
        let body = json!({ "format": "ndjson", "filter": filter, "fields": ["asn"] });
        assert_eq!(exported(server, OPERATOR, &body).await.bytes, "{}\n");
    });
}

#[test]
fn ndjson_is_the_list_s_items() {
    served(async |server| {
        fill(server).await;
        let items = server.walk(OPERATOR, &[("q", "category:api")]).await;
        let all: Vec<&str> = Field::ALL.iter().map(|field| field.name()).collect();
        for fields in [Value::Null, json!(all)] {
            let filter = json!({ "q": "category:api" });
            let body = json!({ "format": "ndjson", "filter": filter, "fields": fields });
            let file = exported(server, OPERATOR, &body).await;
            assert_eq!(file.media_type, "application/x-ndjson");
            let text = std::str::from_utf8(&file.bytes).unwrap();
            let lines: Vec<Value> =
                text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            assert!(!lines.is_empty());
            assert_eq!(lines, items);
        }
    });
}

fn batches(bytes: &Bytes) -> Vec<RecordBatch> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).unwrap();
    reader.build().unwrap().map(Result::unwrap).collect()
}

#[test]
fn parquet_has_a_typed_column_for_each_field() {
    served(async |server| {
        fill(server).await;
        let items = server.walk(OPERATOR, &[]).await;
        let file = exported(server, OPERATOR, &json!({ "format": "parquet" })).await;
        assert_eq!(file.media_type, "application/vnd.apache.parquet");
        let batches = batches(&file.bytes);
        let n_rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        assert_eq!(n_rows, items.len());
        let rows =
            batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)));
        for ((batch, row), item) in rows.zip(&items) {
            assert_eq!(batch.num_columns(), Field::ALL.len());
            for field in Field::ALL {
                let found = typed(batch, row, *field);
                assert_eq!(found.as_ref(), member(item, field.name()), "{field:?} {item}");
            }
        }
    });
}

/// Returns a value of a batch as lists show it.
fn typed(batch: &RecordBatch, row: usize, field: Field) -> Option<Value> {
    let column = batch.column_by_name(field.name()).unwrap();
    let time = || Micros(column.as_primitive::<TimestampMicrosecondType>().value(row));
    let text = || column.as_string::<i32>().value(row);
    column.is_valid(row).then(|| match field.kind() {
        FieldKind::Int(..) => json!(column.as_primitive::<Int64Type>().value(row)),
        FieldKind::Bool => json!(column.as_boolean().value(row)),
        FieldKind::Time => json!(time().to_string()),
        FieldKind::Object | FieldKind::Json | FieldKind::Headers => {
            serde_json::from_str(text()).unwrap()
        }
        FieldKind::Id | FieldKind::Text | FieldKind::Enum(_) => json!(text()),
    })
}

#[test]
fn nothing_that_matches_is_a_whole_file_too() {
    served(async |server| {
        let filter = json!({ "account_id": "nobody" });
        let body = |format: &str| json!({ "format": format, "filter": filter, "fields": ["id"] });
        assert_eq!(exported(server, OPERATOR, &body("csv")).await.bytes, "id\r\n");
        assert_eq!(exported(server, OPERATOR, &body("ndjson")).await.bytes, "");
        let file = exported(server, OPERATOR, &body("parquet")).await;
        assert!(batches(&file.bytes).is_empty());
    });
}

/// The other form is a link, and says what is wrong by name.
#[test]
fn an_export_is_asked_for_by_link_or_by_body() {
    served(async |server| {
        fill(server).await;
        for format in ["csv", "ndjson"] {
            let filter = json!({ "account_id": "acme", "from": "2026-04-20", "q": "action:a" });
            let fields = json!(["id", "actor_label"]);
            let body = json!({ "format": format, "filter": filter, "fields": fields });
            let file = exported(server, OPERATOR, &body).await;
            let parameters = query(&[
                ("format", format),
                ("account_id", "acme"),
                ("from", "2026-04-20"),
                ("q", "action:a"),
                ("fields", "id,actor_label"),
            ]);
            let answer = server.call(Call { path: &format!("{PATH}?{parameters}"), ..GET }).await;
            assert_eq!(header_of(&answer, "transfer-encoding"), Some("chunked"));
            assert!(answer.ends_with("\r\n0\r\n\r\n"), "{answer}");
            let first_line = file.bytes.split(|byte| *byte == b'\n').next().unwrap();
            assert!(answer.contains(std::str::from_utf8(first_line).unwrap()));
        }
        let wrong = [
            ("", "format"),
            ("format=xml", "format"),
            ("format=csv&order=up", "order"),
            ("format=csv&fields=", "fields"),
            ("format=csv&fields=id,colour", "fields"),
            ("format=csv&fields=id,action,id", "fields"),
            ("format=csv&q=stauts:1", "q"),
            ("format=csv&from=soon", "from"),
            ("format=csv&limit=5", "limit"),
        ];
        for (query, field) in wrong {
            let answer = server.call(Call { path: &format!("{PATH}?{query}"), ..GET }).await;
            assert_eq!((status(&answer), &problem(&answer)["field"]), (400, &json!(field)));
        }
        let wrong = [
            (json!({ "format": "xml" }), "/format"),
            (json!({ "format": "csv", "order": "up" }), "/order"),
            (json!({ "format": "csv", "fields": [] }), "/fields"),
            (json!({ "format": "csv", "fields": ["colour"] }), "/fields"),
            (json!({ "format": "csv", "filter": { "q": "stauts:1" } }), "/filter/q"),
            (json!({ "format": "csv", "filter": { "to": "soon" } }), "/filter/to"),
        ];
        for (body, pointer) in wrong {
            let body = body.to_string();
            let call = Call { method: "POST", path: PATH, body: body.as_bytes(), ..GET };
            let answer = server.call(call).await;
            assert_eq!((status(&answer), &problem(&answer)["pointer"]), (400, &json!(pointer)));
        }
        for body in ["", "{}", r#"{"format":"csv","limit":1}"#] {
            let call = Call { method: "POST", path: PATH, body: body.as_bytes(), ..GET };
            assert_eq!(problem(&server.call(call).await)["code"], "invalid_body");
        }
    });
}

/// Promise 8, and what is written meanwhile is not in the file.
#[test]
fn an_export_is_what_the_key_may_read_at_one_moment() {
    served(async |server| {
        fill(server).await;
        let body = json!({ "format": "ndjson" });
        let file = exported(server, READER, &body).await;
        let text = std::str::from_utf8(&file.bytes).unwrap();
        let entries: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let visible = |entry: &Value| READABLE.contains(&entry["account_id"].as_str().unwrap());
        assert!(!entries.is_empty() && entries.iter().all(visible));
        assert_eq!(entries, server.walk(READER, &[]).await);
    });
}

/// Makes a store whose export has many pages, and so does not fit into what waits for a reader.
async fn fill_with_large(server: &StoreServer) {
    let filler = format!(r#""request_body":"{}""#, "x".repeat(60 * 1024));
    let body = vec![event("acme", &filler); 100].join("\n");
    for _ in 0..8 {
        assert_eq!(server.send(OPERATOR, &body).await["accepted"], 100);
    }
}

/// A part is never taken for the whole: the last chunk does not come.
#[test]
fn an_export_that_breaks_off_does_not_end() {
    served(async |server| {
        fill_with_large(server).await;
        let new = r#"{"name":"n","read":{"accounts":"all","categories":"all"}}"#;
        let call = Call { method: "POST", path: "/api/v1/keys", body: new.as_bytes(), ..GET };
        let made = json(&server.call(call).await);
        let token = made["token"].as_str().unwrap();
        let path = format!("{PATH}?format=ndjson&account_id=acme");
        let mut answering = server.open(Call { token, path: &path, ..GET }).await;
        assert_eq!(status(answering.until("\r\n\r\n").await), 200);
        // Revoked while the file is under way: nobody reads on.
        let key = format!("/api/v1/keys/{}", made["key"]["key_id"].as_str().unwrap());
        let revoked = server.call(Call { method: "DELETE", path: &key, ..GET }).await;
        assert_eq!(status(&revoked), 204);
        let answer = answering.end().await;
        assert!(!answer.ends_with("\r\n0\r\n\r\n"));
        assert!(answer.len() > 1 << 20);
        // With a good key it is whole.
        let whole = server.call(Call { path: &path, ..GET }).await;
        assert!(whole.ends_with("\r\n0\r\n\r\n"));
        assert_eq!(whole.matches("request_body").count(), 800);
    });
}

#[test]
fn one_key_s_exports_leave_places_to_others() {
    served(async |server| {
        fill_with_large(server).await;
        let path = format!("{PATH}?format=ndjson");
        let export = Call { path: &path, ..GET };
        let mut open = Vec::new();
        for _ in 0..EXPORTS_MAX / 2 {
            let mut answering = server.open(export).await;
            assert_eq!(status(answering.until("\r\n\r\n").await), 200);
            open.push(answering);
        }
        let answer = server.call(export).await;
        assert_eq!((status(&answer), header_of(&answer, "retry-after")), (429, Some("10")));
        let other = server.call(Call { token: READER, ..export }).await;
        assert_eq!(status(&other), 200);
        let held = server.exports.acquire_many(2).await.unwrap();
        let answer = server.call(Call { token: READER, ..export }).await;
        assert_eq!((status(&answer), &problem(&answer)["code"]), (503, &json!("overloaded")));
        // Who goes away gives the place back.
        drop((open, held));
        drop(server.exports.acquire_many(u32::try_from(EXPORTS_MAX).unwrap()).await.unwrap());
        assert_eq!(status(&server.call(export).await), 200);
    });
}

/// In HTTP/1.0 the end of the connection is the end of the file, also where it broke off.
#[test]
fn an_export_needs_chunks() {
    served(async |server| {
        let request = Request::get(format!("{PATH}?format=csv"))
            .version(axum::http::Version::HTTP_10)
            .header(header::AUTHORIZATION, format!("Bearer {OPERATOR}"));
        let request = request.body(Body::empty()).unwrap();
        let response = server.routes.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 400);
    });
}
