//! What is refused, where, and what is said about it.

use trailkeep_filter::Filter;

fn refused(text: &str) -> String {
    let error = Filter::parse(text).unwrap_err();
    let hint = error.hint.map_or_else(String::new, |hint| format!(" ({hint})"));
    format!("{}: {}{hint}", error.column, error.message)
}

#[test]
fn names() {
    let cases = [
        "stauts:500",
        "method:GET Error.mesage:x",
        "\u{e4}\u{f6} colour:red",
        "arn:aws:iam::1:user/x",
        "https://example.com/",
        "10:30",
        ":x",
        "metadata..a:x",
        "metadata.:x",
        "status.code:5",
        "account.id:5",
        "error.colour:x",
    ];
    insta::assert_snapshot!(cases.map(refused).join("\n"), @r#"
    1: `stauts` is not a field (did you mean `status`?)
    12: `Error.mesage` is not a field (did you mean `error.message`?)
    4: `colour` is not a field (quote the whole word to search for it as text; free data is in `metadata.name:`)
    1: `arn` is not a field (quote the whole word to search for it as text; free data is in `metadata.name:`)
    1: `https` is not a field (quote the whole word to search for it as text; free data is in `metadata.name:`)
    1: `10` is not a field (quote the whole word to search for it as text; free data is in `metadata.name:`)
    1: a name is missing here (quote the whole word to search for it as text)
    10: a name is missing here (quote the whole word to search for it as text)
    10: a name is missing here (quote the whole word to search for it as text)
    1: `status` has no members (write `status:`)
    1: `account` has no members (write `account:`)
    1: `error.colour` is not a field (quote the whole word to search for it as text; free data is in `metadata.name:`)
    "#);
}

#[test]
fn values() {
    let cases = [
        "status:",
        "status: 500",
        "status:abc",
        "status:4*",
        "status:\"4*\"",
        "status:500..400",
        "status:..",
        "duration:5h",
        "request_bytes:>=1.5",
        "occurred:yesterday",
        "occurred:2026-02-30",
        "occurred:2026-01-02T00:00:00Z..2026-01-02T00:00:00Z",
        "severity:fatal",
        "severity:>=warning",
        "intent:yes",
        "id:123",
        "ip:10.0.0.0/99",
        "path:>x",
        "metadata:x",
        "metadata.a:>x",
        "metadata.a:9..1",
        "headers.a:>5",
        "\"\"",
    ];
    insta::assert_snapshot!(cases.map(refused).join("\n"), @r#"
    8: `status:` stands right before a value (`status:*` finds what has a value, `status:""` an empty one)
    8: `status:` stands right before a value (`status:*` finds what has a value, `status:""` an empty one)
    8: `status` is compared with whole numbers (write a number like 500, >=500, 400..499)
    8: `status` is compared with whole numbers (write a number like 500, >=500, 400..499)
    8: `status` is compared with whole numbers (write a number like 500, >=500, 400..499)
    8: the range ends before it starts
    8: `status` is compared with whole numbers (write a number like 500, >=500, 400..499)
    10: `duration` is compared with whole numbers (write a number with or without one of the units us, ms, s, m)
    15: `request_bytes` is compared with whole numbers (write a number with or without one of the units b, kb, mb)
    10: `occurred` is compared with days and times (write 2026-01-31 or 2026-01-31T08:30:00Z)
    10: `occurred` is compared with days and times (write 2026-01-31 or 2026-01-31T08:30:00Z)
    10: the range ends before it starts
    10: `severity` is never `fatal` (its values are debug, info, notice, warning, error, critical)
    10: `severity` has no order for `>=` (list the words, like `severity:(debug OR info OR notice OR warning OR error OR critical)`)
    8: `intent` is true or false
    4: an entry's id is a UUID (write it in full, or its start with a star)
    4: `10.0.0.0/99` has no such prefix (a network is written like 10.0.0.0/8 or 2001:db8::/32)
    6: `path` has no order for `>` (quote the whole value to find text that starts with `>`)
    10: `metadata` holds members, not a value (name a member, like `metadata.name:value`)
    12: `metadata.a` is compared with a number (quote the whole value to find text that starts with `>`)
    12: the range ends before it starts
    11: `headers.a` has no order for `>` (quote the whole value to find text that starts with `>`)
    1: an empty phrase finds nothing
    "#);
}

#[test]
fn structure() {
    let cases = [
        "(a",
        "a)",
        "()",
        "a OR",
        "OR a",
        "a AND",
        "a OR OR b",
        "NOT",
        "- a",
        "a -",
        "\"abc",
        "path:\"abc",
        "\"a\"b",
        "a\"b\"",
        "\"a\\nb\"",
        "=\"x\"",
        "(a)b",
        "method:(GET POST)",
        "method:(GET OR )",
        "method:(GET",
        "method:()",
        "method:(GET OR (PUT))",
        "method:(GET)x",
        "metadata.\"a:x",
    ];
    insta::assert_snapshot!(cases.map(refused).join("\n"), @r#"
    1: this `(` is not closed
    2: this `)` closes nothing
    2: a term is missing here
    5: a term is missing here
    1: `OR` stands between two terms (write "OR" to search for the word)
    6: a term is missing here
    6: `OR` stands between two terms (write "OR" to search for the word)
    4: a term is missing here
    1: `-` stands right before what it excludes (write "-" to search for the character)
    3: `-` stands right before what it excludes (write "-" to search for the character)
    1: this quote is not closed
    6: this quote is not closed
    4: a space is missing after the closing quote
    2: a quote stands inside a word (put the whole text in quotes, and write `\"` for a quote in it)
    3: a backslash in quotes escapes a quote or a backslash (write `\\` for a backslash)
    1: `=` stands after a field's name
    4: a space is missing after `)`
    13: `OR` or `)` is missing here (values with spaces stand in quotes)
    16: a value is missing here
    12: `OR` or `)` is missing here (values with spaces stand in quotes)
    9: a value is missing here
    16: a value is missing here
    13: a space is missing after `)`
    10: this quote is not closed
    "#);
}

#[test]
fn limits() {
    let terms = "a ".repeat(65);
    let list = format!("status:({})", vec!["1"; 65].join(" OR "));
    let deep = format!("{}a{}", "(".repeat(17), ")".repeat(17));
    let long = "x".repeat(4097);
    // Written in full it is longer than what is read.
    let full = format!("env:{}", "\u{130}".repeat(2046));
    let path = format!("metadata{}:x", ".a".repeat(32));
    let cases = [terms.as_str(), &list, &deep, &long, &full, &path];
    insta::assert_snapshot!(cases.map(refused).join("\n"), @r#"
    129: a filter has at most 64 terms
    329: a filter has at most 64 terms
    17: parentheses are nested more than 16 deep
    1: the filter has 4097 bytes, at most 4096 are read
    1: the filter has 4107 bytes, at most 4096 are read
    1: a path has at most 32 parts
    "#);
    assert!(Filter::parse(&"-".repeat(4095)).is_err());
    assert!(Filter::parse(&format!("{}a", "-".repeat(4000))).is_ok());
    assert!(Filter::parse(&"a ".repeat(64)).is_ok());
    assert!(Filter::parse(&format!("{}a{}", "(".repeat(16), ")".repeat(16))).is_ok());
}
