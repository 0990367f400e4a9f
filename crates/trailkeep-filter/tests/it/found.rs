//! What is found: one line a rule.

use crate::rows::{entry, filter};

/// Each filter must find the event or not, and so must its canonical form.
fn check(members: &str, found: &[&str], not_found: &[&str]) {
    let entry = entry(members);
    for (texts, expected) in [(found, true), (not_found, false)] {
        for text in texts {
            let read = filter(text);
            assert_eq!(read.matches(&entry), expected, "{text} on {members}");
            let canonical = read.canonical();
            assert_eq!(filter(&canonical), read, "{text} -> {canonical}");
        }
    }
}

#[test]
fn everything() {
    check("{}", &["", "  ", "*", "**", "-(-*)"], &["-*"]);
}

/// R134, R136, R137, R251, R252: exact and case-sensitive.
#[test]
fn exact_values() {
    check(
        r#"{"account_id":"6885c7aa9debb6f321855c2d","environment_id":"68987795c090f4ae5e94abc2",
            "path":"/a b/*\"\\","method":"GET","status":404,"intent":true,"resource_id":"OR",
            "subject_key":"=x","application_id":""}"#,
        &[
            "account_id:6885c7aa9debb6f321855c2d",
            "account:6885c7aa9debb6f321855c2d workspace:68987795c090f4ae5e94abc2",
            "method:GET",
            "method:=GET",
            "method:\"GET\"",
            r#"path:"/a b/*\"\\""#,
            "status:404",
            "status:404.0",
            "intent:true",
            "category:api",
            "outcome:unknown",
            "id:01980000-0000-7abc-8def-0123456789ab",
            "id:01980000-*",
            "seq:41",
            "clock_skew:false",
            "resource_id:\"OR\"",
            "key:\"=x\"",
            "application:\"\"",
            "app:*",
        ],
        &[
            "method:get",
            "method:GE",
            "status:40",
            "intent:false",
            "severity:*",
            "category:auth",
            "path:\"/a b/*\"",
            "account_id:6885C7AA9DEBB6F321855C2D",
            "id:01980000-0000-7abc-8def-0123456789aa",
            "env:\"\"",
        ],
    );
}

/// R198, R250: an action is found under either spelling.
#[test]
fn actions() {
    check(
        r#"{"action":"license.suspended"}"#,
        &[
            "action:license.suspended",
            "action:LICENSE_SUSPENDED",
            "action:\"License Suspended\"",
            "action:license.*",
            "action:*SUSPENDED",
            "action:(a OR licensesuspended)",
        ],
        &["action:license", "action:suspended", "action:user.*"],
    );
}

/// R135, R138, R250: partial paths.
#[test]
fn stars() {
    check(
        r#"{"path":"/api/v1/pathways/12/containers/create","headers":[["A","text/html"]]}"#,
        &[
            "path:/api/v1/pathways*",
            "path:*containers/create*",
            "path:/api/*/create",
            "path:*/12/*",
            "path:*",
            "path:(x* OR /api*)",
            "headers.a:text/*",
            "pathways",
            "PATHWAYS/12",
            "/api/*create",
        ],
        &["path:/API*", "path:pathways*", "path:/api/v1/pathways", "path:*/13/*", "api*create"],
    );
}

/// R45, R196, R253, R449: times.
#[test]
fn times() {
    check(
        r#"{"occurred_at":"2026-01-31T12:00:00.5Z"}"#,
        &[
            "occurred:2026-01-31",
            "occurred:2026-01-01..2026-01-31",
            "occurred:2026-01-31..",
            "occurred:..2026-01-31",
            "occurred:<=2026-01-31",
            "occurred:>=2026-01-31",
            "occurred:<2026-02-01",
            "occurred:>2026-01-30",
            "occurred_at:2026-01-31T13:00:00.5+01:00",
            "occurred:2026-01-31T12:00:00.5Z..2026-01-31T12:00:01Z",
            "occurred:2026-01-01..2026-01-31T12:00:00.500001Z",
            "occurred:>=2026-01-31T12:00:00.5Z",
            "created:>2026-01-31",
            "occurred:<9999-12-31 occurred:<=9999-12-31",
            "-occurred:>9999-12-31",
        ],
        &[
            "occurred:>2026-01-31",
            "occurred:<2026-01-31",
            "occurred:2026-01-01..2026-01-30",
            "occurred:2026-01-01..2026-01-31T12:00:00.5Z",
            "occurred:>2026-01-31T12:00:00.5Z",
            "occurred:<2026-01-31T12:00:00.5Z",
            "created:2026-01-31",
        ],
    );
}

#[test]
fn numbers_durations_and_sizes() {
    check(
        r#"{"status":499,"duration_us":200001,"request_bytes":10000}"#,
        &[
            "status:>=499",
            "status:>498",
            "status:<500",
            "status:<=499",
            "status:400..499",
            "status:499..",
            "status:..499",
            "status:(200 OR >=400)",
            "duration:>200ms",
            "duration:>200",
            "duration_ms:>200",
            "duration_us:200001",
            "duration:200.001",
            "duration:<0.201s",
            "duration:100ms..1m",
            "request_bytes:10kb",
            "request_bytes:>9999",
            "-response_bytes:*",
        ],
        &[
            "status:>499",
            "status:<499",
            "status:500..599",
            "duration:<=200ms",
            "duration:>1s",
            "request_bytes:>10kb",
            "response_bytes:>=0",
        ],
    );
}

#[test]
fn joined_terms() {
    check(
        r#"{"status":500,"method":"GET"}"#,
        &[
            "status:500 method:GET",
            "status:500 AND method:GET",
            "status:500 OR method:PUT",
            "status:1 OR status:2 OR method:GET",
            "status:1 method:GET OR status:500",
            "(status:1 OR status:500) method:GET",
            "-status:1",
            "NOT status:1",
            "--status:500",
            "-(status:500 method:PUT)",
            "-severity:error",
            "method:(PUT OR GET) -method:(PUT OR POST)",
        ],
        &[
            "status:500 method:PUT",
            "(status:1 OR status:500) method:PUT",
            "-status:500",
            "NOT (status:500 OR method:PUT)",
            "method:(PUT OR POST)",
        ],
    );
}

/// R197, R450: a person or a key, by either name.
#[test]
fn other_names() {
    check(
        r#"{"actor_id":"u1","actor_label":"Ann Doe","subject_key":"AB12","error":{"code":"E1","retry_count":3},
            "block":{"reason":"rate","score_parts":{"bot":7}}}"#,
        &[
            "actor:u1",
            "actor:\"Ann Doe\"",
            "user:u1",
            "user:(x OR \"Ann Doe\")",
            "license:AB12",
            "key:AB*",
            "error:E1",
            "error.code:E1",
            "error_code:E1",
            "error.retry_count:>2",
            "block:rate",
            "block.reason:rate",
            "block.score_parts.bot:7",
            "block_score_parts.bot:>6",
        ],
        &["actor:ann", "-user:u1", "error:E", "block.score_parts.bot:>7"],
    );
}

/// R452: an address may be a service's name.
#[test]
fn addresses() {
    check(
        r#"{"ip":"10.1.2.3"}"#,
        &["ip:10.1.2.3", "ip:10.0.0.0/8", "ip:10.1.*", "ip:(1.1.1.1 OR 10.1.0.0/16)", "-ip:::/0"],
        &["ip:10.1.2", "ip:11.0.0.0/8", "ip:\"10.0.0.0/8\""],
    );
    check(
        r#"{"ip":"ec2.amazonaws.com/x"}"#,
        &["ip:ec2.amazonaws.com/x", "ip:*.com/x", "ip:\"ec2.amazonaws.com/x\""],
        &["ip:0.0.0.0/0"],
    );
}

#[test]
fn members() {
    check(
        r#"{"metadata":{"EventID":4658,"Text":"4658","readOnly":true,"a.b":"dot","a":{"b":"nest","c":null},
            "SubjectUserName":"","strange key":"x","seats":12.5,"big":"9007199254740993",
            "list":[1,{"k":"v"},["deep"]],"range":"a..b","q\"\n":"tab\there","none":[]},
            "before":"plain","after":{"on":false}}"#,
        &[
            "metadata.EventID:4658",
            "metadata.Text:4658",
            "metadata.readOnly:true",
            "metadata.a.b:dot",
            "metadata.a.b:nest",
            "metadata.\"a.b\":dot",
            "-metadata.a.c:*",
            "-metadata.missing:*",
            "metadata.SubjectUserName:\"\"",
            "metadata.SubjectUserName:*",
            "metadata.\"strange key\":x",
            "metadata.seats:>10",
            "metadata.seats:12..13",
            "metadata.seats:12.5..12.5",
            "metadata.big:>9007199254740000",
            "metadata.list:1",
            "metadata.list.k:v",
            "metadata.list:deep",
            "metadata.range:a..b",
            "metadata.range:\"a..b\"",
            "metadata.\"q\\\"\n\":\"tab\there\"",
            "metadata.none:*",
            "metadata.a:*",
            "metadata:*",
            "before:plain",
            "before:pl*",
            "after.on:false",
        ],
        &[
            "metadata.EventID:465",
            "metadata.eventid:4658",
            "metadata.a:nest",
            "metadata.seats:>12.5",
            "metadata.readOnly:True",
            "metadata.SubjectUserName:x",
            "-metadata.EventID:*",
            "metadata.Text:>5000",
            "metadata.seats:\"12..13\"",
            "after.on:true",
            "before.x:plain",
        ],
    );
}

#[test]
fn headers() {
    check(
        r#"{"headers":[["X-Id","a"],["x-id","b"],["Dot.Name","c"]]}"#,
        &["headers.x-id:a", "headers.X-ID:b", "headers.dot.name:c", "headers.x-id:*", "headers:*"],
        &["headers.x-id:A", "headers.x:*", "headers.a:x-id"],
    );
}

/// R451: error types, and texts in any case.
#[test]
fn free_texts() {
    check(
        r#"{"error":{"message":"Limit Reached: 100%"},"user_agent":"Mozilla/5.0 (X11)","reason":""}"#,
        &[
            "error_message:\"limit reached\"",
            "error.message:limit",
            "error_message:=\"Limit Reached: 100%\"",
            "error_message:limit*100%",
            "user_agent:mozilla",
            "user_agent:\"(x11)\"",
            "reason:\"\"",
            "reason:*",
        ],
        &["error_message:=limit", "error_message:reached*", "user_agent:\"moz*\"", "reason:x"],
    );
}

/// R138: one search bar for any kind of value.
#[test]
fn words_and_phrases() {
    check(
        r#"{"account_id":"68a","environment_label":"Prod EU","source_id":"s/9","actor_id":"arn:aws:iam::1:user/x",
            "error":{"code":"AccessDenied","message":"no Right"},"user_agent":"curl",
            "metadata":{"Key One":["v\"2\\\n","Grüße"],"n":4658,"t":true,"z":null}}"#,
        &[
            "68A",
            "\"prod eu\"",
            "s/9",
            "\"arn:aws:iam::1:user/x\"",
            "denied \"no right\"",
            "license.susp",
            "\"key one\"",
            r#""v\"2\\""#,
            "grüsse OR GRÜ",
            "4658",
            "true",
            "arn*user/x",
            "01980000-0000-7ABC-8def-0123456789ab",
            "-missing",
            "\"acc\" den",
            "*é* OR *ü*",
        ],
        &[
            "curl",
            "01980000-0000",
            "0198*ab",
            "null",
            "\"v*2\"",
            "\"4658,\"",
            "\":[\"",
            "\"tru:\"",
            "user/x*",
            "\"-\" missing",
        ],
    );
}

#[test]
fn parentheses_inside_a_word_are_a_part_of_it() {
    check(
        r#"{"path":"/f(x)","actor_label":"(a"}"#,
        &["path:/f(x)", "path:/f(*)", "/f(x)", "(path:/f(x))", "actor_label:\"(a\""],
        &["path:/f"],
    );
}
