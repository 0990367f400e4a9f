//! Reads a line of an access log in the combined or common format.
//!
//! `host ident user [time] "request" status bytes "referer" "agent"`, where the last two may be
//! absent and `-` means absent. A virtual host before the client's address and anything after
//! the agent are kept.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::Unreadable;
use crate::json::Value;

type Members<'a> = Vec<(Cow<'a, str>, Value<'a>)>;

/// Parses a line into an object of texts: `vhost ip ident user time_local method path protocol
/// status bytes referer agent extra`. Texts are kept as they are in the log, escapes included.
pub(crate) fn parse(line: &str) -> Result<Value<'_>, Unreadable> {
    let mut line = Line { rest: line, n_bytes: line.len() };
    let mut members = Members::new();
    let who = line.until(" [", "` [` before the time")?;
    client(who, &mut members)?;
    set(&mut members, "time_local", line.until("] ", "`] ` after the time")?);
    request(line.quoted("the request")?, &mut members);
    set(&mut members, "status", line.number("a status of three digits", is_status)?);
    set(&mut members, "bytes", line.number("the number of bytes", is_digits)?);
    for name in ["referer", "agent"] {
        if line.rest.starts_with('"') {
            set(&mut members, name, line.quoted(name)?);
        }
    }
    let extra = line.rest.trim_ascii_end();
    if !extra.is_empty() {
        set(&mut members, "extra", extra);
    }
    Ok(Value::Object(members))
}

/// What is left of a line.
struct Line<'a> {
    rest: &'a str,
    n_bytes: usize,
}

impl<'a> Line<'a> {
    fn fails(&self, expected: &str) -> Unreadable {
        let at = self.n_bytes.saturating_sub(self.rest.len());
        Unreadable::new(format!("not a combined log line: expected {expected} at byte {at}"))
    }

    /// Takes what stands before a mark, and skips the mark.
    fn until(&mut self, mark: &str, expected: &str) -> Result<&'a str, Unreadable> {
        let (taken, rest) = self.rest.split_once(mark).ok_or_else(|| self.fails(expected))?;
        self.rest = rest;
        Ok(taken)
    }

    /// Takes a word that is a number or `-`.
    fn number(&mut self, expected: &str, allowed: fn(&str) -> bool) -> Result<&'a str, Unreadable> {
        let (word, rest) = self.rest.split_once(' ').unwrap_or((self.rest, ""));
        let word = word.trim_ascii_end();
        if word != "-" && !allowed(word) {
            return Err(self.fails(expected));
        }
        self.rest = rest;
        Ok(word)
    }

    /// Takes a quoted text. It ends at a quote that no backslash escapes and after which a space
    /// or the end stands.
    fn quoted(&mut self, what: &str) -> Result<&'a str, Unreadable> {
        let unterminated = format!("the closing quote of {what}");
        let inside = self
            .rest
            .strip_prefix('"')
            .ok_or_else(|| self.fails(&format!("the opening quote of {what}")))?;
        let mut escaped = false;
        for (at, byte) in inside.bytes().enumerate() {
            if escaped {
                escaped = false;
            } else if byte == b'\\' {
                escaped = true;
            } else if byte == b'"' {
                let after = inside.get(at.saturating_add(1)..).unwrap_or("").trim_ascii_end();
                if after.is_empty() || after.starts_with(' ') {
                    self.rest = after.strip_prefix(' ').unwrap_or(after);
                    return Ok(inside.get(..at).unwrap_or(""));
                }
            }
        }
        Err(self.fails(&unterminated))
    }
}

fn is_status(word: &str) -> bool {
    word.len() == 3 && is_digits(word)
}

fn is_digits(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

fn set<'a>(members: &mut Members<'a>, name: &'static str, text: &'a str) {
    if text != "-" {
        members.push((Cow::Borrowed(name), Value::Text(Cow::Borrowed(text))));
    }
}

/// Reads `[vhost] ip ident user`; a user may have spaces.
fn client<'a>(text: &'a str, members: &mut Members<'a>) -> Result<(), Unreadable> {
    let mut text = text;
    if let Some((vhost, rest)) = text.split_once(' ')
        && vhost.parse::<IpAddr>().is_err()
        && rest.split(' ').next().is_some_and(|word| word.parse::<IpAddr>().is_ok())
    {
        set(members, "vhost", vhost);
        text = rest;
    }
    let mut words = text.splitn(3, ' ');
    let (Some(ip), Some(ident), Some(user)) = (words.next(), words.next(), words.next()) else {
        let reason = "not a combined log line: expected an address, an identity and a user";
        return Err(Unreadable::new(reason));
    };
    set(members, "ip", ip);
    set(members, "ident", ident);
    set(members, "user", user);
    Ok(())
}

/// Reads `METHOD path PROTOCOL`; anything else, such as a TLS greeting, is the path alone.
fn request<'a>(text: &'a str, members: &mut Members<'a>) {
    if let Some((method, rest)) = text.split_once(' ')
        && !method.is_empty()
        && method.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_'))
    {
        match rest.rsplit_once(' ') {
            Some((path, protocol)) if protocol.starts_with("HTTP/") => {
                set(members, "method", method);
                set(members, "path", path);
                set(members, "protocol", protocol);
                return;
            }
            // HTTP/0.9 has no protocol.
            None if rest.starts_with('/') => {
                set(members, "method", method);
                set(members, "path", rest);
                return;
            }
            _ => {}
        }
    }
    set(members, "path", text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json_writer::write_value;

    fn shown(line: &str) -> String {
        match parse(line) {
            Err(unreadable) => unreadable.reason,
            Ok(record) => {
                let mut out = Vec::new();
                write_value(&mut out, &record);
                String::from_utf8(out).unwrap().replace('"', "'")
            }
        }
    }

    #[test]
    fn lines() {
        let cases = [
            (
                r#"1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET /a?b=c HTTP/1.1" 200 12 "-" "x y""#,
                "{'ip':'1.2.3.4','time_local':'17/May/2015:10:05:03 +0000','method':'GET','path':'/a?b=c','protocol':'HTTP/1.1','status':'200','bytes':'12','agent':'x y'}",
            ),
            // The common format, a user with a space, no bytes.
            (
                r#"::1 id John Doe [t] "HEAD / HTTP/1.0" 304 -"#,
                "{'ip':'::1','ident':'id','user':'John Doe','time_local':'t','method':'HEAD','path':'/','protocol':'HTTP/1.0','status':'304'}",
            ),
            // A virtual host, a host name as client would not be taken for one.
            (
                r#"www:80 1.2.3.4 - - [t] "GET / HTTP/1.1" 200 1 "r" "a" 0.01 "f""#,
                "{'vhost':'www:80','ip':'1.2.3.4','time_local':'t','method':'GET','path':'/','protocol':'HTTP/1.1','status':'200','bytes':'1','referer':'r','agent':'a','extra':'0.01 \\'f\\''}",
            ),
            (
                r#"host.example - bob [t] "GET / HTTP/1.1" 200 1"#,
                "{'ip':'host.example','user':'bob','time_local':'t','method':'GET','path':'/','protocol':'HTTP/1.1','status':'200','bytes':'1'}",
            ),
            // No request at all, a TLS greeting, HTTP/0.9, a path with spaces.
            (r#"h - - [t] "-" 408 -"#, "{'ip':'h','time_local':'t','status':'408'}"),
            (
                r#"h - - [t] "\x16\x03\x01" 400 226"#,
                r"{'ip':'h','time_local':'t','path':'\\x16\\x03\\x01','status':'400','bytes':'226'}",
            ),
            (
                r#"h - - [t] "GET /old" 200 5"#,
                "{'ip':'h','time_local':'t','method':'GET','path':'/old','status':'200','bytes':'5'}",
            ),
            (
                r#"h - - [t] "GET /a b HTTP/1.1" - -"#,
                "{'ip':'h','time_local':'t','method':'GET','path':'/a b','protocol':'HTTP/1.1'}",
            ),
            // Escaped quotes and backslashes stay as they are; a bare quote inside is kept too.
            (
                r#"h - - [t] "GET / HTTP/1.1" 200 1 "a\"b\\" "c"d""#,
                r"{'ip':'h','time_local':'t','method':'GET','path':'/','protocol':'HTTP/1.1','status':'200','bytes':'1','referer':'a\\\'b\\\\','agent':'c\'d'}",
            ),
            (
                "h - - [t] \"\" 200 1\r",
                "{'ip':'h','time_local':'t','path':'','status':'200','bytes':'1'}",
            ),
            ("", "not a combined log line: expected ` [` before the time at byte 0"),
            (
                "h - [t] \"\" 200 1",
                "not a combined log line: expected an address, an identity and a user",
            ),
            ("h - - [t", "not a combined log line: expected `] ` after the time at byte 7"),
            (
                "h - - [t] GET",
                "not a combined log line: expected the opening quote of the request at byte 10",
            ),
            (
                "h - - [t] \"GET",
                "not a combined log line: expected the closing quote of the request at byte 10",
            ),
            (
                "h - - [t] \"-\" 20 1",
                "not a combined log line: expected a status of three digits at byte 14",
            ),
            (
                "h - - [t] \"-\" 200",
                "not a combined log line: expected the number of bytes at byte 17",
            ),
            (
                "h - - [t] \"-\" 200 1 \"-\" \"Moz",
                "not a combined log line: expected the closing quote of agent at byte 24",
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(shown(line), expected, "{line}");
        }
    }
}
