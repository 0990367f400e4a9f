//! Passes Trailkeep's own events on.

use trailkeep_event::{EventLimits, Field};

use crate::Unreadable;
use crate::json::{self, Value};
use crate::json_writer::{write_member, write_text};

/// Appends an event as it is, with too large numbers as strings, and with `account_id` where
/// the event has none. Its members are checked by the event reader.
pub(crate) fn pass_on(
    text: &str,
    account_id: Option<&str>,
    out: &mut Vec<u8>,
) -> Result<(), Unreadable> {
    let Value::Object(members) = json::parse(text, EventLimits::STANDARD.depth_max)? else {
        return Err(Unreadable::new("the event is not a JSON object"));
    };
    let name = Field::AccountId.name();
    let named = members.iter().any(|(key, value)| key == name && *value != Value::Null);
    out.push(b'{');
    let mut separator: &[u8] = b"";
    if let Some(account_id) = account_id.filter(|_account_id| !named) {
        write_text(out, name);
        out.push(b':');
        write_text(out, account_id);
        separator = b",";
    }
    for (key, value) in &members {
        if key == name && !named {
            continue;
        }
        out.extend_from_slice(separator);
        write_member(out, key, value);
        separator = b",";
    }
    out.push(b'}');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_passed_on() {
        let cases = [
            (None, r#" { "action" : "a" } "#, r#"{"action":"a"}"#),
            (Some("x"), r#"{"action":"a"}"#, r#"{"account_id":"x","action":"a"}"#),
            (Some("x"), r#"{"account_id":null,"b":1}"#, r#"{"account_id":"x","b":1}"#),
            (Some("x"), r#"{"account_id":"y"}"#, r#"{"account_id":"y"}"#),
            (Some("x"), "{}", r#"{"account_id":"x"}"#),
            (
                None,
                r#"{"metadata":{"n":-9214364837600034816,"f":1.10}}"#,
                r#"{"metadata":{"n":"-9214364837600034816","f":1.10}}"#,
            ),
        ];
        for (account_id, text, expected) in cases {
            let mut out = Vec::new();
            pass_on(text, account_id, &mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
        assert!(pass_on("[]", None, &mut Vec::new()).is_err());
    }
}
